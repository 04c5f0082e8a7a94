package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// A Job is what Run runs. It is not changed by Run.
//
// Its steps are numbered from 1: first the services, then the steps of the
// workflow, each in their order.
type Job struct {
	// Server and ID make the names: "slipway-<Server>-<ID>-<step>-<attempt>".
	Server string
	ID     string
	// Labels are put on everything beside LabelServer, LabelJob and LabelStep.
	Labels map[string]string

	Workflow pipeline.Workflow
	// Nonce authenticates the command markers in the output. It is random, made
	// once for a job and stored with it, so that an adopted container's output
	// is read alike.
	Nonce string

	// Source opens the tree as a tar stream whose entries stand below
	// Workflow.Workspace.Path. nil means an empty tree. It is called at most
	// once, concurrently with the creation of the first container.
	Source func(ctx context.Context) (io.ReadCloser, error)

	// Secrets are values that never leave in any output.
	Secrets []string
	// Secret returns the value of a secret that a step asks for by its name, and
	// whether there is one; nil: there are none. Run asks once, at its beginning,
	// and keeps the values from any output too.
	Secret func(name string) (value string, ok bool)

	// AllowMetadata lets the steps reach the metadata services of clouds.
	AllowMetadata bool
	// Login returns the job's logins for registries; nil: there are none.
	Login LoginFunc

	Limits    Limits
	Isolation Isolation
	MaxSteps  int           // steps at once, services not counted; 0 means 8
	Timeout   time.Duration // of the whole job, from its first start; 0 means none
	Grace     time.Duration // between SIGTERM and SIGKILL; 0 means 10 s
	MaxOutput int64         // bytes a step may write before it is stopped; 0 means 2 GiB
	// Started is when the job started first; zero means now.
	Started time.Time
	// Kill, when closed, ends the grace period of every container that is being
	// stopped. It cancels nothing by itself. nil means never.
	Kill <-chan struct{}
	// Logger hears of what went wrong without changing a result: things that
	// could not be removed. nil means nobody does.
	Logger *slog.Logger
}

// Step returns the step with the given number.
func (j *Job) Step(n int) *pipeline.Step {
	if n <= len(j.Workflow.Services) {
		return &j.Workflow.Services[n-1]
	}
	return &j.Workflow.Steps[n-1-len(j.Workflow.Services)]
}

// Steps returns the number of steps, services included.
func (j *Job) Steps() int { return len(j.Workflow.Services) + len(j.Workflow.Steps) }

// Status is how a step or a job ended.
type Status string

const (
	Success  Status = "success"
	Failure  Status = "failure" // the user's commands failed
	Error    Status = "error"   // slipway, the engine or the image failed
	Canceled Status = "canceled"
	Skipped  Status = "skipped"
)

// StepResult is how a step ended.
type StepResult struct {
	Status Status
	// ExitCode is the container's, valid if Exited.
	ExitCode int
	Exited   bool
	// Reason is a short sentence for people: why it failed, was skipped or
	// stopped. Empty on success.
	Reason     string
	StartedAt  time.Time // zero if it never started
	FinishedAt time.Time
	// Usage is what its containers used, up to the last sample; zero if it was
	// too short for one.
	Usage Usage
}

// JobResult is how a job ended.
type JobResult struct {
	Status Status
	// Reason names the first step that decided the status: "step test failed:
	// exit code 2". Empty on success.
	Reason string
	// Step is the number of that step, 0 if there is none.
	Step int
	// Left: not all that the job had could be removed. What is left has its labels.
	Left bool
}

// Causes with which the context of Run is canceled (context.WithCancelCause).
var (
	// ErrDetach leaves running containers running: Run returns ErrDetach soon,
	// having recorded everything, and can be resumed by another process.
	ErrDetach = errors.New("detached")
	// ErrCancel stops the job's containers with the grace period and ends its
	// steps as canceled.
	ErrCancel = errors.New("canceled")
)

// A StopError is a cause too: the job's containers are stopped and its steps fail
// with the reason, which is for the job's author.
type StopError struct{ Reason string }

func (e StopError) Error() string { return e.Reason }
