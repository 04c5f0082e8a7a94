package pipeline

import "time"

// A Plan is what one event makes of one commit's pipeline files. It is stored
// as JSON with the build, so its fields are only ever added to.
type Plan struct {
	// Files are the paths of the pipeline files that were used, in order.
	Files []string `json:"files"`
	// Workflows are all workflows, also those that do not run (see Skip).
	Workflows []Workflow `json:"workflows"`
	// Warnings are problems that did not stop the plan.
	Warnings Problems `json:"warnings,omitempty"`
}

// A Workflow is one planned pipeline file, or one combination of its matrix:
// what the queue calls a job.
type Workflow struct {
	// Name is unique in the plan: "test", or "test (1.26, linux)" of a matrix.
	Name string `json:"name"`
	// Base is the name without the matrix values; empty if it is Name.
	Base string `json:"base,omitempty"`
	File string `json:"file"`
	// Matrix has the values of this combination; nil without a matrix.
	Matrix map[string]string `json:"matrix,omitempty"`
	// DependsOn names the workflows (as in Name) that must have ended before
	// this one starts. Who depends on a matrix depends on all its combinations;
	// optional dependencies that do not exist are left out.
	DependsOn []string `json:"depends_on,omitempty"`
	// OnSuccess and OnFailure say after which outcome of DependsOn it runs.
	OnSuccess bool `json:"on_success"`
	OnFailure bool `json:"on_failure"`
	// Labels are copied from the file.
	Labels map[string]string `json:"labels,omitempty"`
	// Concurrency bounds how many jobs of a group run at once; nil: unbounded.
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	Clone       Clone        `json:"clone"`
	// Workspace is where the volume is mounted and the source stands in it.
	Workspace Workspace `json:"workspace"`
	// Environment is what every container of the workflow gets: the CI_*
	// variables. A step's own environment wins over it.
	Environment map[string]string `json:"environment,omitempty"`
	Services    []Step            `json:"services,omitempty"`
	Steps       []Step            `json:"steps"`
	// Skip is empty if the workflow runs, else the reason why it does not.
	Skip string `json:"skip,omitempty"`
	// Why is each condition of `when` and what it evaluated to.
	Why []Condition `json:"why,omitempty"`
}

// BaseName returns the workflow's name without the values of its matrix.
func (w *Workflow) BaseName() string {
	if w.Base != "" {
		return w.Base
	}
	return w.Name
}

// Concurrency bounds the jobs of one repository that run at the same time.
type Concurrency struct {
	// Limit is the most jobs of the group that run at once, at least 1.
	Limit int `json:"limit"`
	// Group names it within the repository. It is never empty: without `group`
	// it is the name of the workflow and of the ref, so that branches do not
	// wait for each other.
	Group string `json:"group"`
	// Cancel: instead of waiting, a new job cancels the oldest of the group, so
	// many that the limit holds. Jobs of the same build never cancel each other.
	Cancel bool `json:"cancel,omitempty"`
}

// Workspace is a volume's mount point and the source's place in it.
type Workspace struct {
	Base string `json:"base"` // absolute: where the volume is mounted
	Path string `json:"path"` // below Base: where the source tree stands
}

// Dir returns the absolute path of the source tree in a container.
func (w Workspace) Dir() string {
	if w.Path == "" {
		return w.Base
	}
	return w.Base + "/" + w.Path
}

// CloneRef says which commit of a pull request is checked out.
type CloneRef string

const (
	CloneHead  CloneRef = "head"  // the default: the commit that was pushed
	CloneMerge CloneRef = "merge" // it merged into the target branch
)

// CloneAll as Clone.Depth asks for the whole history.
const CloneAll = 1<<31 - 1

// Clone says how the source is checked out.
type Clone struct {
	Skip  bool `json:"skip,omitempty"`
	Depth int  `json:"depth,omitempty"` // commits of history; 0 means 1
	Tags  bool `json:"tags,omitempty"`
	// Submodules, at any depth, are checked out too.
	Submodules bool `json:"submodules,omitempty"`
	// LFS: what git-lfs keeps elsewhere is fetched too.
	LFS bool `json:"lfs,omitempty"`
	// Partial: history is there without the contents of files that the checkout
	// does not have. It concerns what is fetched, not what the steps see first.
	Partial bool `json:"partial,omitempty"`
	// Ref is CloneMerge or empty, which is CloneHead. It is set for pull
	// requests only.
	Ref CloneRef `json:"ref,omitempty"`
}

// StepKind tells how a container of a step is made.
type StepKind string

const (
	KindCommands StepKind = "commands" // runs Commands with a shell
	KindPlugin   StepKind = "plugin"   // runs the image's or the step's entrypoint
	KindService  StepKind = "service"  // runs beside the steps, under its name
)

// Pull says when an image is pulled.
type Pull string

const (
	PullIfNotPresent Pull = "if-not-present" // the default
	PullAlways       Pull = "always"
	PullNever        Pull = "never"
)

// Failure says what a step's failure means for its workflow.
type Failure string

const (
	FailureFail   Failure = "fail"   // the default: the workflow fails
	FailureIgnore Failure = "ignore" // shown, and otherwise as if it had succeeded
	FailureCancel Failure = "cancel" // the workflow fails and its other steps are canceled at once
)

// A Step is one planned container.
type Step struct {
	Name        string            `json:"name"`
	Kind        StepKind          `json:"kind"`
	Image       string            `json:"image"`
	Pull        Pull              `json:"pull"`
	Commands    []string          `json:"commands,omitempty"`
	Entrypoint  []string          `json:"entrypoint,omitempty"`
	Args        []string          `json:"args,omitempty"`      // to the entrypoint, instead of the image's; never with Commands
	Directory   string            `json:"directory,omitempty"` // below the source tree, or absolute
	Environment map[string]string `json:"environment,omitempty"`
	// Secrets and Templates are the variables whose values have secrets in them;
	// Resolve adds them to Environment. No name is in two of the three.
	Secrets   map[string]string   `json:"secrets,omitempty"` // variable → name of the secret
	Templates map[string]Template `json:"templates,omitempty"`
	// Places are where else secrets stand, in order; Resolve fills them.
	Places []Place `json:"places,omitempty"`
	// DependsOn names the steps of this workflow whose end it waits for. It is
	// explicit: in a file without depends_on each step names the one before it.
	DependsOn []string `json:"depends_on,omitempty"`
	Failure   Failure  `json:"failure"`
	// Detach: it runs beside the steps after it, as a service does.
	Detach bool `json:"detach,omitempty"`
	// OnSuccess and OnFailure come from `when: status`: whether it runs when
	// everything it depends on, directly or not, succeeded, or when some of it failed.
	OnSuccess bool `json:"on_success"`
	OnFailure bool `json:"on_failure"`
	// Services names the services that must answer (see Healthcheck) before the
	// step starts: those that its depends_on names, or else all that run.
	Services []string `json:"services,omitempty"`
	// Timeout of one attempt; 0 means that only the build's applies.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Retry says when a step that failed is run again; nil: never.
	Retry     *Retry     `json:"retry,omitempty"`
	Resources *Resources `json:"resources,omitempty"` // nil: what the server gives

	// User is "user", "uid" or "uid:gid" to run as; empty: the image's.
	User string `json:"user,omitempty"`
	// What follows needs the repository's trust; the plan has it only if there is.
	Privileged  bool              `json:"privileged,omitempty"`
	Volumes     []Mount           `json:"volumes,omitempty"`
	Devices     []Device          `json:"devices,omitempty"`
	Tmpfs       map[string]string `json:"tmpfs,omitempty"` // absolute path → mount options
	DNS         []string          `json:"dns,omitempty"`   // IP addresses
	DNSSearch   []string          `json:"dns_search,omitempty"`
	ExtraHosts  []string          `json:"extra_hosts,omitempty"`  // "host:address"
	NetworkMode string            `json:"network_mode,omitempty"` // empty: the job's network; "none", "host", "bridge" or a network's name
	ShmSize     int64             `json:"shm_size,omitempty"`     // bytes of /dev/shm; 0: the engine's default

	// Ports are those that a service listens on, in order; nothing is published.
	Ports []Port `json:"ports,omitempty"`
	// Healthcheck says when a service answers. nil: when the first of Ports, or
	// else the first port that the image exposes, accepts a connection; at once
	// if there is none.
	Healthcheck *Healthcheck `json:"healthcheck,omitempty"`
	// Skip is empty if the step may run, else why its `when` kept it out. What
	// depends on a skipped step waits for what the skipped step depends on.
	Skip string      `json:"skip,omitempty"`
	Why  []Condition `json:"why,omitempty"`
	// Line is where the step stands in the workflow's file, from 1.
	Line int `json:"line,omitempty"`
}

// A Condition is one key of `when` and what it evaluated to.
type Condition struct {
	Key    string   `json:"key"`    // "branch"
	Want   []string `json:"want"`   // as written in the file
	Got    string   `json:"got"`    // the value it was compared with
	Result bool     `json:"result"` // whether it held
	// Entry is the entry of a list of `when` it belongs to, from 1; 0 if `when`
	// is a single map. One entry whose conditions all hold is enough.
	Entry int `json:"entry,omitempty"`
}
