package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// step is the owner's view of one step. Only the owner touches it, save for
// what is marked.
type step struct {
	run    *run
	number int            // never changes
	plan   *pipeline.Step // never changes
	// service: it belongs to the services of the workflow.
	service bool // never changes
	// needs are the steps it waits for. Those that `when` kept out are replaced
	// by what they wait for.
	needs []*step

	launched bool
	started  bool // it runs or has run
	done     bool
	result   StepResult
	end      context.CancelCauseFunc // ends a launched step
	// created: there may be a container. The step's goroutine sets it before its
	// last event.
	created bool

	blamed bool // blame has been worked out
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
		if res, ok := r.state.Results[s.number]; ok {
			s.done, s.result = true, res
		}
		steps[i], byName[s.plan.Name] = s, s
	}
	for _, s := range steps {
		s.needs = resolve(s, byName, map[*step]bool{})
	}
	return steps
}

// resolve returns what a step waits for. Names that don't exist are none of the
// runner's concern: the language has refused them.
func resolve(s *step, byName map[string]*step, seen map[*step]bool) []*step {
	var needs []*step
	for _, name := range s.plan.DependsOn {
		d := byName[name]
		if d == nil || seen[d] {
			continue
		}
		seen[d] = true
		if d.plan.Skip != "" {
			needs = append(needs, resolve(d, byName, seen)...)
			continue
		}
		needs = append(needs, d)
	}
	return needs
}

// schedule launches every step whose turn has come and ends those that will
// not run, until there is nothing of that kind left to do.
func (r *run) schedule() {
	for again := true; again && r.live.Err() == nil; {
		again = false
		r.serving = r.allServing()
		for _, s := range r.steps {
			if !s.done && !s.launched && r.live.Err() == nil && r.advance(s) {
				again = true
			}
		}
	}
	if !r.serving && r.work.Err() == nil {
		r.prefetch()
	}
	r.endBackground()
	if r.active == 0 && r.live.Err() == nil && !r.finished() {
		r.breakCycle()
	}
}

// advance does what can be done for a step that waits, and reports whether that
// was anything.
func (r *run) advance(s *step) bool {
	if r.work.Err() != nil {
		r.settle(s, notRun(context.Cause(r.work)))
		return true
	}
	if !r.ready(s) {
		return false
	}
	if res, skip := s.judge(); skip {
		r.settle(s, res)
		return true
	}
	if s.background() {
		if !r.ordinaryLeft() {
			r.settle(s, StepResult{Status: Skipped, Reason: "no step is left to run beside"})
			return true
		}
	} else if r.running() >= r.limit.steps {
		return false
	}
	r.launch(s, false)
	return true
}

// ready reports whether everything that s waits for has come about.
func (r *run) ready(s *step) bool {
	if !s.service && !r.serving {
		return false
	}
	for _, d := range s.needs {
		if !d.done && !(d.background() && d.started) {
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
	switch {
	case failed != nil && !s.plan.OnFailure && !s.service:
		return StepResult{Status: Skipped, Reason: failed.describe() + " failed"}, true
	case failed == nil && !s.plan.OnSuccess && !s.service:
		return StepResult{Status: Skipped, Reason: "runs on failure only"}, true
	}
	return StepResult{}, false
}

// describe names a step for a sentence: "step test".
func (s *step) describe() string {
	if s.service {
		return "service " + s.plan.Name
	}
	return "step " + s.plan.Name
}

// blameOf returns a step that failed among all that s depends on, directly or
// not, or nil. Every step depends on the services. It is called when all these
// have ended, or run in the background.
func (s *step) blameOf() *step {
	if s.blamed {
		return s.blame
	}
	s.blamed = true
	for _, d := range s.run.steps {
		if d.service && !s.service && d.counts() {
			s.blame = d
			return d
		}
	}
	for _, d := range s.needs {
		if s.blame = d; d.counts() {
			return d
		}
		if s.blame = d.blameOf(); s.blame != nil {
			return s.blame
		}
	}
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

// settle ends a step that has no goroutine.
func (r *run) settle(s *step, res StepResult) {
	res.FinishedAt = time.Now()
	res, err := r.finish(s, res)
	if err != nil {
		return
	}
	s.done, s.result = true, res
	r.remove(s)
}

// notRun is the result of a step whose turn does not come because of cause.
func notRun(cause error) StepResult {
	var late timeoutError
	switch {
	case errors.Is(cause, ErrCancel):
		return StepResult{Status: Canceled, Reason: cause.Error()}
	case errors.As(cause, &late):
		return StepResult{Status: Skipped, Reason: "the job " + late.Error()}
	default:
		// An error and not skipped, so that a Run that takes over after this
		// one was cut off doesn't take the job for a success.
		return StepResult{Status: Error, Reason: fmt.Sprintf("the job could not be set up: %v", cause)}
	}
}

// launch starts the goroutine of a step; adopted is one whose container may
// have been started by an earlier Run.
func (r *run) launch(s *step, adopted bool) {
	ctx, end := context.WithCancelCause(r.work)
	s.launched, s.end = true, end
	x := &execution{run: r, step: s, ctx: ctx, end: end, adopted: adopted, failed: r.failedSoFar()}
	r.active++
	go func() {
		defer end(nil)
		<-r.opened
		r.events <- event{step: s, result: x.execute()}
	}()
}

// handle takes what a step's goroutine reports.
func (r *run) handle(ev event) {
	if ev.started {
		ev.step.started = true
		return
	}
	r.active--
	if ev.result != nil {
		ev.step.done, ev.step.result = true, *ev.result
		r.remove(ev.step)
	}
}

// endBackground stops what runs beside the steps when none of these is left.
func (r *run) endBackground() {
	if r.ordinaryLeft() {
		return
	}
	for _, s := range r.steps {
		if s.launched && !s.done && s.background() {
			s.end(errJobEnded)
		}
	}
}

// breakCycle ends the steps that wait for each other, which the language keeps
// from happening.
func (r *run) breakCycle() {
	for _, s := range r.steps {
		if !s.done && r.live.Err() == nil {
			r.settle(s, StepResult{Status: Error, Reason: "it waits for a step that waits for it"})
		}
	}
}

// running counts the ordinary steps that have a goroutine.
func (r *run) running() int {
	n := 0
	for _, s := range r.steps {
		if s.launched && !s.done && !s.background() {
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

func (r *run) failedSoFar() bool {
	for _, s := range r.steps {
		if s.counts() {
			return true
		}
	}
	return false
}

// result sums up the steps: the worst status that counts, and the first step
// that has it.
func (r *run) result() JobResult {
	for _, s := range r.steps {
		if s.result.Status == Canceled {
			return JobResult{Status: Canceled, Reason: s.result.Reason, Step: s.number}
		}
	}
	cause := context.Cause(r.work)
	var broken setupError
	if errors.As(cause, &broken) {
		return JobResult{Status: Error, Reason: r.words(cause)}
	}
	for _, status := range []Status{Error, Failure} {
		for _, s := range r.steps {
			if s.counts() && s.result.Status == status {
				return JobResult{Status: status, Reason: s.describe() + " failed: " + s.result.Reason, Step: s.number}
			}
		}
	}
	var late timeoutError
	if errors.As(cause, &late) { // and the step that ran then is ignored
		return JobResult{Status: Failure, Reason: r.words(cause)}
	}
	return JobResult{Status: Success}
}

// words makes an error fit to be seen.
func (r *run) words(err error) string { return r.mask.String(validText(err.Error())) }
