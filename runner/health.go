package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// firstProbePause is the time between the first two checks of a service. It
// doubles up to the interval; until then a check that fails doesn't count.
const firstProbePause = 50 * time.Millisecond

// health is whether a step that runs beside the others answers. Its methods may
// be called concurrently.
type health struct {
	aimed   chan struct{} // closed when target is set
	wanted  chan struct{} // closed when somebody waits
	settled chan struct{} // closed when err is set

	aim, want, settle sync.Once
	target            target
	err               error // why it will never answer; nil if it does
}

func newHealth() *health {
	return &health{aimed: make(chan struct{}), wanted: make(chan struct{}), settled: make(chan struct{})}
}

// target is what is checked: a command, else a port, else nothing.
type target struct {
	command []string
	port    int
}

func (t target) none() bool { return len(t.command) == 0 && t.port == 0 }

func (t target) String() string {
	if len(t.command) > 0 {
		return "its healthcheck"
	}
	return fmt.Sprintf("on %d", t.port)
}

// healthTarget returns what the plan wants checked. exposed is the port that the
// image names, 0 if it names none or is not known.
func healthTarget(s *pipeline.Step, exposed int) target {
	switch h := s.Healthcheck; {
	case h != nil && h.Disabled:
		return target{}
	case h != nil && (len(h.Command) > 0 || h.Port > 0):
		return target{command: h.Command, port: h.Port}
	case len(s.Ports) == 0:
		return target{port: exposed}
	}
	for _, p := range s.Ports {
		if p.Protocol != "udp" {
			return target{port: p.Number}
		}
	}
	return target{}
}

// aimAt sets what is checked, unless it is set or nothing.
func (h *health) aimAt(t target) {
	if !t.none() {
		h.aim.Do(func() {
			h.target = t
			close(h.aimed)
		})
	}
}

// tell settles whether it answers; the first to say so is right.
func (h *health) tell(err error) {
	h.settle.Do(func() {
		h.err = err
		close(h.settled)
	})
}

// over tells of the end. What has nothing to be checked counts as having
// answered, if it ran at all.
func (h *health) over(res StepResult) {
	select {
	case <-h.aimed:
		h.tell(fmt.Errorf("ended before it answered: %s", cmp.Or(res.Reason, "exit code 0")))
	default:
		if res.Status == Error {
			h.tell(errors.New("failed: " + res.Reason))
		}
		h.tell(nil)
	}
}

// unansweredError is the cause with which a service is stopped that does not
// answer in time: what it did, or did not.
type unansweredError struct{ text string }

func (e unansweredError) Error() string { return e.text }

// unanswered says that so many checks failed, and how the last did.
func unanswered(what target, checks int, last error) unansweredError {
	if len(what.command) > 0 {
		return unansweredError{fmt.Sprintf("failed its healthcheck %d times, the last with: %v", checks, last)}
	}
	return unansweredError{fmt.Sprintf("did not answer on port %d in %d checks: %v", what.port, checks, last)}
}

// awaitServices waits until everything that the step uses answers. What runs
// after a failure goes on without: the failure may be that one.
func (x *execution) awaitServices() error {
	for _, s := range x.step.uses {
		err := x.awaitService(s)
		if x.ctx.Err() != nil {
			return context.Cause(x.ctx)
		}
		if err != nil && !x.step.plan.OnFailure {
			return finalError{fmt.Errorf("%s %w", s.describe(), err)}
		}
		if err != nil {
			x.sink.noticeOf("going on without "+s.describe(), err)
		}
	}
	return nil
}

// awaitService waits until a service answers, and returns why it will not.
func (x *execution) awaitService(s *step) error {
	h := s.health
	h.want.Do(func() { close(h.wanted) })
	select {
	case <-h.settled: // whether or not it is known what was checked
		return h.err
	default:
	}
	select {
	case <-h.settled:
		return h.err
	case <-h.aimed:
		x.sink.notice(fmt.Sprintf("waiting for %s to answer %s", s.plan.Name, h.target))
	case <-x.ctx.Done():
		return nil
	}
	select {
	case <-h.settled:
		return h.err
	case <-x.ctx.Done():
		return nil
	}
}
