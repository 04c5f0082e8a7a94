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
	Schema    ignored       `yaml:"$schema"`
	Variables ignored       `yaml:"variables"`
	When      filters       `yaml:"when"`
	Steps     stepList      `yaml:"steps"`
	Services  serviceList   `yaml:"services"`
	DependsOn texts         `yaml:"depends_on"`
	RunsOn    outcomes      `yaml:"runs_on"`
	Labels    textMap       `yaml:"labels"`
	Clone     cloneFile     `yaml:"clone"`
	SkipClone boolean       `yaml:"skip_clone"`
	Workspace workspaceFile `yaml:"workspace"`

	Matrix      later `yaml:"matrix"`
	Timeout     later `yaml:"timeout"`
	Concurrency later `yaml:"concurrency"`
	Deploy      later `yaml:"deploy"`
	Cache       later `yaml:"cache"`
	Resources   later `yaml:"resources"`
	Volumes     later `yaml:"volumes"`
	Secrets     later `yaml:"secrets"`
	Platform    later `yaml:"platform"`
}

// containerFile has the keys that steps and services share.
type containerFile struct {
	node *yaml.Node // where it stands

	Name        text        `yaml:"name"`
	Image       text        `yaml:"image"`
	Commands    script      `yaml:"commands"`
	Entrypoint  script      `yaml:"entrypoint"`
	Directory   text        `yaml:"directory"`
	Environment environment `yaml:"environment"`
	Settings    settings    `yaml:"settings"`
	When        filters     `yaml:"when"`
	Pull        pull        `yaml:"pull"`

	Volumes        later `yaml:"volumes"`
	Privileged     later `yaml:"privileged"`
	Timeout        later `yaml:"timeout"`
	Resources      later `yaml:"resources"`
	Secrets        later `yaml:"secrets"`
	Tmpfs          later `yaml:"tmpfs"`
	Devices        later `yaml:"devices"`
	DNS            later `yaml:"dns"`
	DNSSearch      later `yaml:"dns_search"`
	ExtraHosts     later `yaml:"extra_hosts"`
	NetworkMode    later `yaml:"network_mode"`
	Networks       later `yaml:"networks"`
	BackendOptions later `yaml:"backend_options"`
}

// stepFile is a step.
type stepFile struct {
	containerFile
	DependsOn texts   `yaml:"depends_on"`
	Failure   failure `yaml:"failure"`
	Detach    boolean `yaml:"detach"`

	Retry     later `yaml:"retry"`
	Matrix    later `yaml:"matrix"`
	Cache     later `yaml:"cache"`
	Artifacts later `yaml:"artifacts"`
	Reports   later `yaml:"reports"`
}

// serviceFile is a service. Ports are documentation: all of a service's ports
// are reachable from the steps, and none from elsewhere.
type serviceFile struct {
	containerFile
	Ports       ignored `yaml:"ports"`
	Healthcheck later   `yaml:"healthcheck"`
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
