package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// checkTimes returns the times of a step's healthcheck with their defaults.
func checkTimes(s *pipeline.Step) pipeline.Healthcheck {
	h := pipeline.HealthcheckDefaults()
	if own := s.Healthcheck; own != nil {
		h.Interval = cmp.Or(own.Interval, h.Interval)
		h.Timeout = cmp.Or(own.Timeout, h.Timeout)
		h.Retries = cmp.Or(own.Retries, h.Retries)
		h.StartPeriod = own.StartPeriod
	}
	return h
}

// probe checks a container that was started until it answers, and stops it if
// it does not in time. It returns when ctx ends.
func (x *execution) probe(ctx context.Context, id string) {
	h, plan := x.step.health, x.step.plan
	st, err := x.run.inspect(x.run.live, id)
	if err != nil {
		return // as the one who watches the container will find
	}
	what := healthTarget(plan, st.ExposedPort)
	if what.none() {
		h.tell(nil)
		return
	}
	h.aimAt(what)
	if x.adopted && !x.isWanted(ctx) {
		return
	}
	times, began := checkTimes(plan), time.Now()
	for failed, wait := 0, firstProbePause; ; wait *= 2 {
		err := x.check(ctx, id, what, times.Timeout)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			h.tell(nil)
			return
		case errors.Is(err, ErrNoProbe):
			x.cannotProbe(err)
			return
		}
		if wait >= times.Interval && time.Since(began) >= times.StartPeriod {
			failed++
		}
		if failed >= times.Retries {
			x.giveUp(unanswered(what, failed, err))
			return
		}
		if wait = min(wait, times.Interval); pause(ctx, wait) != nil {
			return
		}
	}
}

// giveUp stops the container since it does not answer.
func (x *execution) giveUp(why unansweredError) {
	x.end(why)
	x.step.health.tell(why)
}

// cannotProbe takes a service to answer whose port cannot be looked at, unless
// its plan says that it has to be.
func (x *execution) cannotProbe(err error) {
	if h := x.step.plan.Healthcheck; h != nil && h.Port > 0 {
		x.giveUp(unansweredError{fmt.Sprintf("cannot be asked: %v; give it a healthcheck with a command", err)})
		return
	}
	x.sink.noticeOf("it is taken to answer", err)
	_ = x.sink.flush() // before anything comes of it; whoever watches the container finds the error
	x.step.health.tell(nil)
}

// isWanted waits until somebody waits for an adopted container, since the steps
// of an earlier Run may be those that did.
func (x *execution) isWanted(ctx context.Context) bool {
	select {
	case <-x.step.health.wanted:
		return true
	case <-ctx.Done():
		return false
	}
}

// check checks once and returns why it does not answer.
func (x *execution) check(ctx context.Context, id string, what target, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer in %s", duration(limit)))
	defer cancel()
	err := x.ask(ctx, id, what)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (x *execution) ask(ctx context.Context, id string, what target) error {
	if len(what.command) > 0 {
		res, err := x.run.eng.Exec(ctx, id, what.command)
		if err == nil && res.ExitCode != 0 {
			err = errors.New(strings.TrimSuffix(fmt.Sprintf("exit code %d: %s", res.ExitCode, lastLine(res.Output)), ": "))
		}
		return err
	}
	listening, err := x.run.eng.Listening(ctx, id, what.port)
	if err == nil && !listening {
		err = errors.New("connection refused")
	}
	return err
}

// lastLine returns the last line of a text that has something in it.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
