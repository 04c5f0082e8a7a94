package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// The types below are the language: a field is a key, its type what may stand
// there. Messages about unknown keys and the list of known ones come from here.

// maxSteps bounds the steps, and likewise the services, of one workflow.
const maxSteps = 500

// workflowFile is the top of a pipeline file.
type workflowFile struct {
	Schema      ignored       `yaml:"$schema" doc:"The address of this schema, for editors. It means nothing to the pipeline."`
	Variables   ignored       `yaml:"variables" doc:"A place for YAML anchors that the rest of the file refers to. It means nothing by itself."`
	When        filters       `yaml:"when" doc:"When the workflow runs: a map of conditions that must all hold, or a list of such maps of which one must. Without it every event runs it."`
	Steps       stepList      `yaml:"steps" doc:"What the workflow does: a list of steps, or a map of their names. They run one after the other, unless one of them has depends_on."`
	Services    serviceList   `yaml:"services" doc:"Containers that run beside the steps, which reach them by their names: a list, or a map of their names."`
	DependsOn   dependencies  `yaml:"depends_on" doc:"The workflows that must have ended before this one starts."`
	RunsOn      outcomes      `yaml:"runs_on" doc:"After which outcome of the workflows in depends_on it runs: success (the default), failure or both."`
	Labels      textMap       `yaml:"labels" doc:"Labels that say where the workflow may run, such as platform."`
	Matrix      matrixFile    `yaml:"matrix" doc:"Runs the workflow once for each combination of values: a map of names to lists, or include with the combinations themselves. The values are variables of the file and of its containers."`
	Concurrency concurrency   `yaml:"concurrency" doc:"How many jobs of this workflow run at the same time: a number, or a map."`
	Clone       cloneFile     `yaml:"clone" doc:"How the source is checked out."`
	SkipClone   boolean       `yaml:"skip_clone" doc:"Start with an empty workspace instead of the source."`
	Workspace   workspaceFile `yaml:"workspace" doc:"Where the source stands in the containers."`
}

// containerFile has the keys that steps and services share.
type containerFile struct {
	node *yaml.Node // where it stands

	Name        text         `yaml:"name" doc:"Its name, unique in the workflow. Steps reach a service by its name."`
	Image       confidential `yaml:"image" doc:"The image that the container is made of."`
	Commands    script       `yaml:"commands" doc:"What to run in the image's shell, one after the other; the first that fails ends the step. Without commands the image runs its own program."`
	Entrypoint  arguments    `yaml:"entrypoint" doc:"The program to start instead of the image's own, or instead of /bin/sh -c if there are commands."`
	Directory   argument     `yaml:"directory" doc:"Where the commands run: below the source, or an absolute path."`
	Environment environment  `yaml:"environment" doc:"Environment variables: a map, or a list of NAME=value. A value may be from_secret with the name of a secret."`
	Settings    settings     `yaml:"settings" doc:"The parameters of a plugin, which gets them as PLUGIN_* variables. A value at any depth may be from_secret with the name of a secret."`
	When        filters      `yaml:"when" doc:"When it runs: a map of conditions that must all hold, or a list of such maps of which one must."`
	Failure     failure      `yaml:"failure" doc:"What its failure means: the workflow fails (fail, the default), nothing (ignore), or the workflow fails and all that still runs is stopped (cancel)."`
	Detach      boolean      `yaml:"detach" doc:"Run it beside the steps that follow, as a service does."`
	Pull        pull         `yaml:"pull" doc:"When the image is pulled: if-not-present (the default, or false), always (or true) or never."`
	Timeout     duration     `yaml:"timeout" doc:"How long one attempt may take, such as 10m or 1h30m."`
	Retry       retry        `yaml:"retry" doc:"Run it again when it fails: the number of attempts, or a map."`
	Resources   resources    `yaml:"resources" doc:"How much of the machine it may use, within what the server allows."`

	Privileged     boolean        `yaml:"privileged" doc:"Run with all rights on the machine. Needs the trust security."`
	Volumes        volumes        `yaml:"volumes" doc:"Folders of the machine (/host/path:/path) or named volumes (name:/path) to mount, read-only with :ro at the end. Needs the trust volumes."`
	Tmpfs          tmpfs          `yaml:"tmpfs" doc:"Paths that are kept in memory, with mount options after a colon. Needs the trust volumes."`
	Devices        devices        `yaml:"devices" doc:"Devices of the machine, as host[:container[:rwm]]. Needs the trust security."`
	DNS            dns            `yaml:"dns" doc:"Name servers to ask, as IP addresses. Needs the trust network."`
	DNSSearch      dnsSearch      `yaml:"dns_search" doc:"Domains in which short names are looked up. Needs the trust network."`
	ExtraHosts     extraHosts     `yaml:"extra_hosts" doc:"Further host names, as host:address. Needs the trust network."`
	NetworkMode    networkMode    `yaml:"network_mode" doc:"The network to join instead of the job's: none, bridge, host or the name of one. Anything but none needs the trust network."`
	BackendOptions backendOptions `yaml:"backend_options" doc:"Options of what runs the containers."`

	Secrets secretList `yaml:"secrets" only:"woodpecker"`

	// What only the files of Drone have, see drone_grammar.go.
	args    arguments
	shmSize int64 // bytes

	missing []missingSecret // that it mentions
}

// stepFile is a step.
type stepFile struct {
	containerFile
	DependsOn dependencies `yaml:"depends_on" doc:"The steps that must have ended before this one starts, and the services that must answer. As soon as one step of the workflow has it, only what it says is waited for."`
}

// serviceFile is a service.
type serviceFile struct {
	containerFile
	Ports       ports       `yaml:"ports" doc:"The ports that the service listens on. The steps reach all its ports whatever stands here; the first one tells when it answers."`
	Healthcheck healthcheck `yaml:"healthcheck" doc:"When the service answers, which the steps wait for: a port, a command, none, or a map. By default when the first of its ports accepts connections."`
}

// stepList is the steps as a list, or as a map of their names.
type stepList struct {
	items []stepFile
	node  *yaml.Node // nil if the key is not there
}

func (l *stepList) decode(d *decoder, n *yaml.Node) {
	l.node = n
	d.containers(n, "step", func(name *yaml.Node, n *yaml.Node) {
		var s stepFile
		if d.object(n, "step", &s) {
			s.missing = d.takeMissing()
			s.at(d, name, n)
			l.items = append(l.items, s)
		}
	})
}

// serviceList is the services, like stepList.
type serviceList struct{ items []serviceFile }

func (l *serviceList) decode(d *decoder, n *yaml.Node) {
	d.containers(n, "service", func(name *yaml.Node, n *yaml.Node) {
		var s serviceFile
		if d.object(n, "service", &s) {
			s.missing = d.takeMissing()
			s.at(d, name, n)
			l.items = append(l.items, s)
		}
	})
}

// containers calls each for every element of a list, or every key of a map.
func (d *decoder) containers(n *yaml.Node, what string, each func(name, n *yaml.Node)) {
	count := 0
	more := func(n *yaml.Node) bool {
		if count++; count == maxSteps+1 {
			d.report(n, fmt.Sprintf("more than %d %ss in a workflow", maxSteps, what), "split it into several workflows")
		}
		return count <= maxSteps
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for _, c := range d.items(n) {
			if more(c) {
				each(nil, c)
			}
		}
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			if more(p.key) {
				each(p.key, p.value)
			}
		}
	default:
		if n.Tag != "!!null" {
			d.report(n, fmt.Sprintf("`%ss` must be a list, or a map of names, of %ss", what, what), "")
		}
	}
}

// at notes where the container stands, and takes its name from a map's key.
func (c *containerFile) at(d *decoder, key, n *yaml.Node) {
	c.node = n
	if key == nil {
		return
	}
	c.node = key
	if c.Name.node == nil {
		c.Name = text{value: d.substitute(key, plain), node: key}
	}
}

// outcomes is a list of success and failure.
type outcomes struct {
	success, failure bool
	node             *yaml.Node // nil if the key is not there
}

func (o *outcomes) decode(d *decoder, n *yaml.Node) {
	var list texts
	list.decode(d, n)
	o.node = n
	for _, item := range list.items {
		switch item.value {
		case outcomeSuccess:
			o.success = true
		case outcomeFailure:
			o.failure = true
		default:
			d.report(item.node, fmt.Sprintf("`%s` is not an outcome", clip(item.value)), didYouMean(item.value, knownOutcomes()))
		}
	}
}

const (
	outcomeSuccess = "success"
	outcomeFailure = "failure"
)

func knownOutcomes() []string { return []string{outcomeSuccess, outcomeFailure} }
