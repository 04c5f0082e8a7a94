package runner

import (
	"context"
	"slices"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// step is the owner's view of one step. Only the owner touches it, save for
// what is marked.
type step struct {
	run    *run
	number int // never changes
	// plan has the secrets in it, unless unresolved is why they cannot be had.
	// They don't change after newRun.
	plan       *pipeline.Step
	unresolved error
	// service: it belongs to the services of the workflow.
	service bool // never changes
	// needs are the steps it waits for. Those that `when` kept out are replaced
	// by what they wait for.
	needs []*step
	// services are those that it needs, uses what has to answer before it starts:
	// the services, and such detached steps among needs as have a healthcheck.
	services []*step
	uses     []*step
	health   *health // of what runs beside the others; else nil. Never changes

	warmth   *warmth // what was done before its turn; nil for most
	launched bool
	started  bool // it runs or has run
	passed   bool // it has succeeded as far as its script knows, see passed.go
	done     bool
	result   StepResult
	end      context.CancelCauseFunc // ends a launched step
	// attempt counts from 1. created: it may have a container. removed are the
	// attempts whose containers are gone or going. The step's goroutine sets them
	// before its last event.
	attempt int
	created bool
	removed int
	// slot is the number of the sandbox that it takes, 0 before it is launched
	// and for those that take none. lingers: its container may still run after
	// its end, so that the sandbox is nobody else's.
	slot    int
	lingers bool

	blamed bool // blame is final
	blame  *step
}

// background reports whether the step runs beside the others and ends with
// them.
func (s *step) background() bool { return s.service || s.plan.Detach }

func newSteps(r *run) []*step {
	steps := make([]*step, r.job.Steps())
	byName := map[string]*step{}
	for i := range steps {
		s := &step{run: r, number: i + 1, plan: r.job.Step(i + 1), service: i < len(r.job.Workflow.Services)}
		s.attempt = r.lastAttempt(s)
		s.slot = s.takenSlot()
		if res, ok := r.state.Results[s.number]; ok {
			s.done, s.result = true, res
			removed, _ := r.record(s.op(OpRemove))
			s.lingers = !res.Exited && s.opIntended(OpCreateContainer) && !removed.Done
		}
		if s.background() {
			s.health = newHealth()
			if s.done {
				s.health.aimAt(healthTarget(s.plan, 0))
				s.health.over(s.result)
			}
		}
		steps[i], byName[s.plan.Name] = s, s
	}
	for _, s := range steps {
		s.needs = needs(s, byName, map[*step]bool{})
		s.connect(steps[:len(r.job.Workflow.Services)], byName)
	}
	return steps
}

// connect finds the services of a step: those that it names, or all.
func (s *step) connect(all []*step, byName map[string]*step) {
	if s.service {
		return
	}
	for _, name := range s.plan.Services {
		if d := byName[name]; d != nil && d.service {
			s.services = append(s.services, d)
		}
	}
	if len(s.plan.Services) == 0 {
		s.services = all
	}
	s.uses = slices.Clone(s.services)
	for _, d := range s.needs {
		if d.plan.Detach && d.plan.Healthcheck != nil {
			s.uses = append(s.uses, d)
		}
	}
}

// needs returns what a step waits for. Names that don't exist are none of the
// runner's concern: the language has refused them.
func needs(s *step, byName map[string]*step, seen map[*step]bool) []*step {
	var list []*step
	for _, name := range s.plan.DependsOn {
		d := byName[name]
		if d == nil || seen[d] {
			continue
		}
		seen[d] = true
		if d.plan.Skip != "" {
			list = append(list, needs(d, byName, seen)...)
			continue
		}
		list = append(list, d)
	}
	return list
}

// ready reports whether everything that s waits for has come about.
func (r *run) ready(s *step) bool {
	for _, d := range s.services {
		if !d.done && !d.started {
			return false
		}
	}
	for _, d := range s.needs {
		if !d.done && !(d.background() && d.started) && !(d.passed && s.plan.OnSuccess) {
			return false
		}
	}
	return true
}

func (r *run) allServing() bool {
	for _, s := range r.steps {
		if s.service && !s.done && !s.started {
			return false
		}
	}
	return true
}

// judge decides whether a step whose turn has come is kept out by how the steps
// before it ended.
func (s *step) judge() (StepResult, bool) {
	failed := s.blameOf()
	if s.run.toppled != nil {
		failed = s.run.toppled // why the others have ended as they did
	}
	switch {
	case failed != nil && !s.plan.OnFailure && !s.service:
		return StepResult{Status: Skipped, Reason: failed.describe() + " failed"}, true
	case failed == nil && !s.plan.OnSuccess && !s.service:
		return StepResult{Status: Skipped, Reason: "runs on failure only"}, true
	}
	return StepResult{}, false
}

// blameOf returns a step that failed among all that s depends on, directly or
// not, its services included, or nil. It is called when all these have ended or
// passed, or run in the background. The answer is kept once it cannot change.
func (s *step) blameOf() *step {
	if s.blamed {
		return s.blame
	}
	for _, d := range s.services {
		if d.counts() {
			s.blamed, s.blame = true, d
			return d
		}
	}
	final := true
	for _, d := range s.needs {
		if s.blame = d; !d.counts() {
			s.blame = d.blameOf()
			final = final && d.blamed && (d.done || !d.passed)
		}
		if s.blame != nil {
			s.blamed = true
			return s.blame
		}
	}
	s.blamed = final
	return nil
}

// counts reports whether the step has failed in a way that matters to others.
// What runs in the background matters only if it could not be run at all: once
// it has, the steps that use it notice.
func (s *step) counts() bool {
	if !s.done || s.plan.Failure == pipeline.FailureIgnore {
		return false
	}
	switch s.result.Status {
	case Error:
		return true
	case Failure, Canceled:
		return !s.background()
	default:
		return false
	}
}

// running counts the ordinary steps that have a goroutine and may be doing
// something.
func (r *run) running() int {
	n := 0
	for _, s := range r.steps {
		if s.launched && !s.passed && !s.done && !s.background() {
			n++
		}
	}
	return n
}

func (r *run) ordinaryLeft() bool {
	for _, s := range r.steps {
		if !s.done && !s.background() {
			return true
		}
	}
	return false
}

func (r *run) finished() bool {
	for _, s := range r.steps {
		if !s.done {
			return false
		}
	}
	return true
}

// failedSoFar returns the names of the steps that have failed.
func (r *run) failedSoFar() []string {
	var failed []string
	for _, s := range r.steps {
		if s.counts() {
			failed = append(failed, s.plan.Name)
		}
	}
	return failed
}
