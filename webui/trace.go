package webui

import (
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// trace says why a workflow or a step was kept out: the entries of its `when`,
// of which one would have been enough, had all its conditions held.
type trace []traceEntry

type traceEntry struct {
	Number     int // of a list, from 1; 0 if `when` is a single map
	Conditions []conditionView
}

// conditionView is a condition as the page shows it.
type conditionView struct{ pipeline.Condition }

// Wanted is what the file wants, as a list.
func (c conditionView) Wanted() string { return strings.Join(c.Want, ", ") }

func newTrace(why []pipeline.Condition) trace {
	var t trace
	for _, c := range why {
		if len(t) == 0 || t[len(t)-1].Number != c.Entry {
			t = append(t, traceEntry{Number: c.Entry})
		}
		last := &t[len(t)-1]
		last.Conditions = append(last.Conditions, conditionView{c})
	}
	return t
}

// Trace says why the workflow does not run; nil if it may.
func (j jobView) Trace() trace {
	if j.Status != store.Skipped || j.Plan.Skip == "" {
		return nil
	}
	return newTrace(j.Plan.Why)
}

// StepTrace says why the selected step, or the whole workflow that it is of, does
// not run; nil if it may.
func (p *buildPage) StepTrace() trace {
	s := p.plannedStep()
	switch {
	case s == nil:
		return nil
	case s.Skip != "":
		return newTrace(s.Why)
	default:
		return p.Job.Trace()
	}
}

// plannedStep is the selected step as it was planned; nil if that is not known.
func (p *buildPage) plannedStep() *pipeline.Step {
	if p.Step == nil {
		return nil
	}
	return p.Job.planned(p.Step.Number)
}

// planned is a step as it was planned, by its number: the services come first.
// nil if that is not known.
func (j *jobView) planned(number int) *pipeline.Step {
	n := number - 1
	for _, steps := range [][]pipeline.Step{j.Plan.Services, j.Plan.Steps} {
		if n >= 0 && n < len(steps) {
			return &steps[n]
		}
		n -= len(steps)
	}
	return nil
}

// beside reports whether a step runs beside those after it.
func (j *jobView) beside(number int) bool {
	s := j.planned(number)
	return s != nil && (s.Kind == pipeline.KindService || s.Detach)
}
