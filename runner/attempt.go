package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

const (
	// errorPause is the time before the second attempt of a step that could not
	// be run, which time may cure; it doubles with each attempt. A step whose
	// commands failed is run again at once.
	errorPause    = 100 * time.Millisecond
	maxErrorPause = 10 * time.Second
)

// finalError is one that another attempt cannot cure.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// attemptRecord is the ID of an OpAttempt: how many lines of its step's log are
// those of the attempts before, so that a later Run knows which output it has
// already, and how the last of them ended.
type attemptRecord struct {
	Stdout int64  `json:"stdout"`
	Stderr int64  `json:"stderr"`
	Words  int64  `json:"words"` // slipway's own
	After  string `json:"after"`
	Used   Usage  `json:"used"` // by them
}

// lines returns the number of lines by stream.
func (a attemptRecord) lines() [StreamStderr + 1]int64 {
	return [...]int64{StreamSlipway: a.Words, StreamStdout: a.Stdout, StreamStderr: a.Stderr}
}

// lastAttempt returns the attempt of a step that an earlier Run came to.
func (r *run) lastAttempt(s *step) int {
	n := 1
	for {
		if rec, _ := r.record(s.opOf(OpAttempt, n+1)); !rec.Done {
			return n
		}
		n++
	}
}

// attempts runs the step until an attempt of it succeeds or is the last. The
// error is that the Run ends before.
func (x *execution) attempts() (StepResult, error) {
	if res, ok, err := x.concluded(); ok || err != nil {
		return res, err
	}
	for {
		st, err := x.contain()
		res := x.outcome(st, err)
		if res.Status == Error {
			x.step.doubtSandbox()
		}
		again := x.again(res, err)
		x.unbound()
		if x.run.live.Err() != nil { // asked last: it ends what was asked before
			return StepResult{}, context.Cause(x.run.live)
		}
		if !again {
			return x.conclude(res, x.explanation(st, res))
		}
		if err := x.next(res); err != nil {
			return res, err
		}
	}
}

// again reports whether the step is to be run again after an attempt. err is why
// the end of its container is not known.
func (x *execution) again(res StepResult, err error) bool {
	retry, final := x.step.plan.Retry, finalError{}
	if retry == nil || x.step.attempt >= retry.Attempts || x.whole.Err() != nil || errors.As(err, &final) {
		return false
	}
	on := pipeline.RetryFailure
	switch {
	case res.Status == Success:
		return false
	case x.ctx.Err() != nil && (x.stopping || !res.Exited):
		on = pipeline.RetryTimeout
	case res.Status == Error:
		on = pipeline.RetryInfrastructure
	}
	return slices.Contains(retry.On, on)
}

// next records the end of an attempt and begins another. The container of the
// one before is removed only then: until it is recorded, a later Run reads from
// it how the attempt ended.
func (x *execution) next(res StepResult) error {
	r, s := x.run, x.step
	lines, err := x.passes.finish()
	if err != nil {
		return x.logFailed(err)
	}
	rec := attemptRecord{
		Words: lines[StreamSlipway], Stdout: lines[StreamStdout], Stderr: lines[StreamStderr],
		After: r.reason(res.Reason),
		Used:  x.used.attempts(),
	}
	id, err := json.Marshal(rec)
	if err != nil {
		return r.fail(fmt.Errorf("write record of attempt: %w", err))
	}
	_, err = r.do(s.opOf(OpAttempt, s.attempt+1), func(context.Context) (string, error) { return string(id), nil })
	if err != nil {
		return err
	}
	r.remove(s)
	s.attempt, s.created = s.attempt+1, false
	x.adopted, x.stopping, x.interrupted, x.passed = false, false, "", time.Time{}
	x.used.nextAttempt()
	x.sink.forget()
	x.announce(rec)
	if res.Status == Error {
		_ = pause(x.whole, min(errorPause<<(s.attempt-2), maxErrorPause)) // the attempt notices that the step has to end
	}
	return nil
}

// announce tells the log's reader that an attempt begins, and makes its output
// one that begins there.
func (x *execution) announce(rec attemptRecord) {
	x.passes.base = rec.lines()
	x.sink.notice(fmt.Sprintf("attempt %d of %d: attempt %d failed: %s", x.step.attempt, x.step.plan.Retry.Attempts, x.step.attempt-1, rec.After))
}

// takeUp goes on with the attempt that an earlier Run recorded, and with what its
// log was told of it.
func (x *execution) takeUp() error {
	if x.step.attempt == 1 {
		return x.recall(0)
	}
	op, _ := x.run.record(x.step.op(OpAttempt))
	var rec attemptRecord
	if err := json.Unmarshal([]byte(op.ID), &rec); err != nil {
		return x.run.fail(fmt.Errorf("read record of attempt %d of step %s: %w", x.step.attempt, x.step.plan.Name, err))
	}
	x.used.before = rec.Used
	if err := x.recall(rec.Words); err != nil {
		return err
	}
	x.announce(rec)
	return nil
}

// recall finds out what the log was told of the attempt, after so many of
// slipway's lines.
func (x *execution) recall(first int64) error {
	if err := x.sink.recall(first); err != nil {
		return x.run.fail(fmt.Errorf("read log of step %s: %w", x.step.plan.Name, err))
	}
	return nil
}
