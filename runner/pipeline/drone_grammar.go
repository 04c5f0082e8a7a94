package pipeline

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v4"
)

// The types below are the language of a .drone.yml, as those in grammar.go are
// ours. They are turned into those, which everything else works with.

// whatTrigger names the `trigger` of a pipeline in messages.
const whatTrigger = "`trigger`"

// droneFile is a document of the kind pipeline.
type droneFile struct {
	Kind    ignored `yaml:"kind"`
	Type    ignored `yaml:"type"`
	Name    ignored `yaml:"name"` // all three are known already, see readDrone
	Version ignored `yaml:"version"`

	Steps       droneSteps       `yaml:"steps"`
	Services    droneServices    `yaml:"services"`
	Trigger     droneTrigger     `yaml:"trigger"`
	DependsOn   dependencies     `yaml:"depends_on"`
	Platform    dronePlatform    `yaml:"platform"`
	Node        textMap          `yaml:"node"`
	Concurrency droneConcurrency `yaml:"concurrency"`
	Clone       droneClone       `yaml:"clone"`
	Workspace   workspaceFile    `yaml:"workspace"`
	Volumes     droneVolumes     `yaml:"volumes"`
	PullSecrets texts            `yaml:"image_pull_secrets"`
	Environment droneEnvironment `yaml:"environment"`
}

// droneEnvironment is a map of single values: Drone has secrets only in steps.
type droneEnvironment struct{ environment }

func (e *droneEnvironment) decode(d *decoder, n *yaml.Node) {
	e.environment.decode(d, n)
	d.takeMissing() // what is wrong is that they stand here at all
	for _, p := range d.pairs(n) {
		if _, ok := e.secrets[p.key.Value]; ok {
			d.report(p.value, "secrets cannot stand in the `environment` of a pipeline", "name them in the steps that need them")
		}
	}
}

// droneStep is a step or a service.
type droneStep struct {
	key, node *yaml.Node // in a map of steps, its key; where it stands

	Name        text         `yaml:"name"`
	Image       confidential `yaml:"image"`
	Commands    script       `yaml:"commands"`
	Command     arguments    `yaml:"command"`
	Entrypoint  arguments    `yaml:"entrypoint"`
	Environment environment  `yaml:"environment"`
	Settings    settings     `yaml:"settings"`
	When        droneWhen    `yaml:"when"`
	DependsOn   dependencies `yaml:"depends_on"`
	Detach      boolean      `yaml:"detach"`
	Failure     droneFailure `yaml:"failure"`
	Pull        dronePull    `yaml:"pull"`
	User        user         `yaml:"user"`
	WorkingDir  argument     `yaml:"working_dir"`

	Privileged  boolean     `yaml:"privileged"`
	Volumes     droneMounts `yaml:"volumes"`
	Devices     droneMounts `yaml:"devices"`
	DNS         dns         `yaml:"dns"`
	DNSSearch   dnsSearch   `yaml:"dns_search"`
	ExtraHosts  extraHosts  `yaml:"extra_hosts"`
	NetworkMode networkMode `yaml:"network_mode"`

	MemLimit  size          `yaml:"mem_limit"`
	ShmSize   size          `yaml:"shm_size"`
	SwapLimit withoutEffect `yaml:"memswap_limit"`
	CPUPeriod withoutEffect `yaml:"cpu_period"`
	CPUQuota  withoutEffect `yaml:"cpu_quota"`
	CPUShares withoutEffect `yaml:"cpu_shares"`
	CPUSet    withoutEffect `yaml:"cpu_set"`

	missing []missingSecret // that it mentions
}

// droneSteps is the steps as a list.
type droneSteps struct {
	items []droneStep
	node  *yaml.Node // nil if the key is not there
}

func (l *droneSteps) decode(d *decoder, n *yaml.Node) { l.decodeAs(d, n, "step") }

func (l *droneSteps) decodeAs(d *decoder, n *yaml.Node, what string) {
	l.node = n
	d.containers(n, what, func(key, n *yaml.Node) {
		s := droneStep{key: key, node: n}
		if d.object(n, what, &s) {
			s.missing = d.takeMissing()
			l.items = append(l.items, s)
		}
	})
}

// droneServices are the services, like droneSteps.
type droneServices struct{ droneSteps }

func (l *droneServices) decode(d *decoder, n *yaml.Node) { l.decodeAs(d, n, "service") }

// withoutEffect is a limit that slipway does not have: the server bounds what a
// container uses, whatever a file says.
type withoutEffect struct{}

func (withoutEffect) decode(d *decoder, n *yaml.Node) {
	d.warn(n, "this limit has no effect", "the server sets it; `mem_limit` is heeded")
}

// droneFailure is what a step's failure means.
type droneFailure struct{ value Failure }

func (f *droneFailure) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch t.value {
	case "", "always":
		f.value = FailureFail
	case "ignore":
		f.value = FailureIgnore
	case "fast", "fast-fail", "fail-fast":
		f.value = FailureCancel
	default:
		d.report(n, fmt.Sprintf("`failure` cannot be `%s`", clip(t.value)), didYouMean(t.value, []string{"always", "ignore", "fail-fast"}))
	}
}

// dronePull is when an image is pulled.
type dronePull struct{ value Pull } // empty: not said

func (p *dronePull) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch strings.ToLower(t.value) {
	case "", "default":
	case "always":
		p.value = PullAlways
	case "if-not-exists":
		p.value = PullIfNotPresent
	case "never":
		p.value = PullNever
	default:
		// As there, it means nothing; `pull: true` is left from Drone 0.8.
		d.warn(n, fmt.Sprintf("`pull` cannot be `%s`", clip(t.value)), didYouMean(t.value, []string{"always", "if-not-exists", "never"}))
	}
}

// policy returns when an image is pulled. Unless the file says it, the newest
// one is fetched of what has no tag, or the tag latest.
func (p *dronePull) policy(image string) Pull {
	if p.value != "" {
		return p.value
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return PullIfNotPresent // which is reported elsewhere
	}
	if tagged, ok := reference.TagNameOnly(named).(reference.Tagged); ok && tagged.Tag() == "latest" {
		return PullAlways
	}
	return PullIfNotPresent
}
