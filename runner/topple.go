package runner

import (
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// failedError is the cause with which steps are canceled when one fails that is
// to cancel the others.
type failedError struct{ step *step }

func (e failedError) Error() string { return e.step.describe() + " failed" }

// topples reports whether the step has ended in a way that cancels the others.
func (s *step) topples() bool { return s.counts() && s.plan.Failure == pipeline.FailureCancel }

// topple cancels the other steps that run when s is the first to end in a way
// that asks for it. What begins later is what runs after a failure; services
// last as long as that.
func (r *run) topple(s *step) {
	if r.toppled != nil || !s.topples() {
		return
	}
	r.toppled = s
	for _, other := range r.steps {
		if other.launched && !other.done && !other.background() {
			other.end(failedError{s})
		}
	}
}

// toppleAgain goes on with what an earlier Run left of a topple. Steps that had
// begun after it run on.
func (r *run) toppleAgain() {
	for _, s := range r.steps {
		if !s.done || !s.topples() {
			continue
		}
		if r.toppled == nil || s.result.FinishedAt.Before(r.toppled.result.FinishedAt) {
			r.toppled = s
		}
	}
	if r.toppled == nil {
		return
	}
	for _, s := range r.steps {
		after := s.plan.OnFailure && r.state.Started[s.number].After(r.toppled.result.FinishedAt)
		if s.launched && !s.done && !s.background() && !after {
			s.end(failedError{r.toppled})
		}
	}
}

// fell reports whether the step was canceled, or kept out, by another's failure.
func (r *run) fell(s *step) bool {
	return r.toppled != nil && s.result.Status == Canceled && s.result.Reason == r.words(failedError{r.toppled})
}
