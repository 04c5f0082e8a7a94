package runner

import (
	"context"
	"time"
)

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
	if !r.serving && !r.prefetched && r.work.Err() == nil {
		r.prefetched = true
		r.prefetch()
	}
	r.warmAhead()
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

// settle ends a step that has no goroutine.
func (r *run) settle(s *step, res StepResult) {
	res.FinishedAt = time.Now()
	res, err := r.finish(s, res)
	if err != nil {
		return
	}
	s.done, s.result = true, res
	if s.health != nil {
		s.health.over(res)
	}
	r.remove(s)
	r.topple(s)
}

// launch starts the goroutine of a step; adopted is one whose container may
// have been started by an earlier Run.
func (r *run) launch(s *step, adopted bool) {
	ctx, end := context.WithCancelCause(r.work)
	s.launched, s.end = true, end
	r.assignSlot(s)
	x := &execution{run: r, step: s, whole: ctx, ctx: ctx, end: end, adopted: adopted, failed: r.failedSoFar()}
	r.active++
	go func() {
		defer end(nil)
		<-r.opened
		r.events <- event{step: s, result: x.execute()}
	}()
}

// handle takes what a step's goroutine reports.
func (r *run) handle(ev event) {
	switch {
	case ev.started:
		ev.step.started = true
		return
	case ev.passed:
		ev.step.passed = true
		return
	}
	r.active--
	if ev.result != nil {
		ev.step.done, ev.step.result = true, *ev.result
		ev.step.lingers = ev.step.created && !ev.result.Exited
		r.remove(ev.step)
		r.topple(ev.step)
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
