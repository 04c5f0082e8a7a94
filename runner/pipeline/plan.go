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

// A Workflow is one planned pipeline file: what the queue calls a job.
type Workflow struct {
	Name string `json:"name"`
	File string `json:"file"`
	// DependsOn names the workflows that must have ended before this one starts.
	DependsOn []string `json:"depends_on,omitempty"`
	// OnSuccess and OnFailure say after which outcome of DependsOn it runs.
	OnSuccess bool `json:"on_success"`
	OnFailure bool `json:"on_failure"`
	// Labels are copied from the file.
	Labels map[string]string `json:"labels,omitempty"`
	Clone  Clone             `json:"clone"`
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

// Clone says how the source is checked out.
type Clone struct {
	Skip  bool `json:"skip,omitempty"`
	Depth int  `json:"depth,omitempty"` // commits of history; 0 means 1
	Tags  bool `json:"tags,omitempty"`
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
)

// A Step is one planned container.
type Step struct {
	Name        string            `json:"name"`
	Kind        StepKind          `json:"kind"`
	Image       string            `json:"image"`
	Pull        Pull              `json:"pull"`
	Commands    []string          `json:"commands,omitempty"`
	Entrypoint  []string          `json:"entrypoint,omitempty"`
	Directory   string            `json:"directory,omitempty"` // below the source tree, or absolute
	Environment map[string]string `json:"environment,omitempty"`
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
	// Timeout of the step; 0 means that only the build's applies.
	Timeout time.Duration `json:"timeout,omitempty"`
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
