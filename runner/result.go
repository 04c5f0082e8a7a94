package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// outcome is the step's result: err is why its container's end is not known.
func (x *execution) outcome(st ContainerState, err error) StepResult {
	res := StepResult{StartedAt: x.began, FinishedAt: time.Now(), Usage: x.used.total()}
	ran := err == nil
	if ran && x.interrupted != "" && !x.stopping {
		ran, err = false, errors.New(x.interrupted)
	}
	if ran {
		res.Exited, res.ExitCode = true, st.ExitCode
		switch {
		case x.adopted && st.FinishedAt.After(x.began):
			res.FinishedAt = st.FinishedAt // it may have been long ago
		case !x.adopted && st.ExitCode == 0 && !x.passed.IsZero():
			res.FinishedAt = x.passed
		}
	}
	switch {
	case x.stopping, !ran && x.ctx.Err() != nil:
		res.Status, res.Reason = stopped(context.Cause(x.ctx), ran || x.stopping, x.run.limit.output)
	case !ran:
		res.Status, res.Reason = Error, err.Error()
	case x.neverBegan(st):
		res.Status, res.Reason = Error, errNotBegun.Error()
	case st.ExitCode != 0:
		res.Status, res.Reason = Failure, exitReason(st)
	default:
		res.Status = Success
	}
	if res.Status == Failure {
		res.Reason += x.shortage(st)
	}
	return res
}

// shortage names what a step that failed ran out of. It is said beside how it
// ended and not in place of that: it may be another program that suffered than the
// one that failed.
func (x *execution) shortage(st ContainerState) string {
	var s string
	if x.stopping && st.ExitCode == exitKilled && x.timedOut() {
		s = "; killed after the grace period of " + duration(x.run.limit.grace)
	}
	switch {
	case st.OOMKilled:
		s += "; " + memoryReason(x.memory())
	case st.ExitCode == exitKilled && !x.stopping && x.memory() > 0:
		// Engines may lose the event of a container that ends at once.
		s += "; perhaps " + memoryReason(x.memory())
	}
	if n := x.used.now.PIDLimit; n > 0 {
		s += fmt.Sprintf("; pids limit %d reached", n)
	}
	return s
}

// timedOut reports whether the step had to end because its time, or the job's,
// was up.
func (x *execution) timedOut() bool {
	var late timeoutError
	return errors.As(context.Cause(x.ctx), &late)
}

// stopped is the status and reason of a step that had to end before it did by
// itself. ran tells whether its container had been started.
func stopped(cause error, ran bool, maxOutput int64) (Status, string) {
	var late timeoutError
	var failed failedError
	var silent unansweredError
	var stop StopError
	switch {
	case errors.As(cause, &stop):
		return Failure, stop.Reason
	case errors.Is(cause, ErrCancel), errors.As(cause, &failed):
		return Canceled, cause.Error()
	case errors.As(cause, &late):
		return Failure, late.Error()
	case errors.As(cause, &silent):
		return Error, cause.Error()
	case errors.Is(cause, errFlood):
		return Failure, floodReason(maxOutput)
	case errors.Is(cause, errJobEnded) && ran:
		return Success, errJobEnded.Error()
	case errors.Is(cause, errJobEnded):
		return Skipped, "the job ended before it was started"
	default:
		return notRun(cause).Status, notRun(cause).Reason
	}
}

// explanation is what the log's reader has to be told and the output does not;
// "" for nothing. Memory may have run out although the step went on: only one of
// its programs was killed.
func (x *execution) explanation(st ContainerState, res StepResult) string {
	switch {
	case res.Status == Success && st.OOMKilled:
		return memoryReason(x.memory()) + ": a program of this step was killed, and the step went on"
	case res.Status == Success, res.Status == Failure && res.Exited && !x.stopping && x.shortage(st) == "":
		return ""
	default:
		return res.Reason
	}
}

// memory is the limit of the step's container in bytes; 0 if there is none.
func (x *execution) memory() int64 {
	limits, _ := lower(x.run.job.Limits, x.step.plan.Resources)
	return limits.MemoryBytes
}

// notRun is the result of a step whose turn does not come because of cause.
func notRun(cause error) StepResult {
	var late timeoutError
	var stop StopError
	switch {
	case errors.As(cause, &stop):
		return StepResult{Status: Skipped, Reason: "the job was stopped: " + stop.Reason}
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

// describe names a step for a sentence: "step test".
func (s *step) describe() string {
	if s.service {
		return "service " + s.plan.Name
	}
	return "step " + s.plan.Name
}

// result sums up the steps: the worst status that counts, and the first step
// that has it.
func (r *run) result() JobResult {
	for _, s := range r.steps {
		if s.result.Status == Canceled && !r.fell(s) {
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
	var stop StopError
	if errors.As(cause, &late) || errors.As(cause, &stop) { // and the step that ran then is ignored
		return JobResult{Status: Failure, Reason: r.words(cause)}
	}
	return JobResult{Status: Success}
}

// maxReason bounds a reason in bytes. It stands in lists and in the database, and
// what an engine or somebody's registry says has no bound.
const maxReason = 2 << 10

// reason makes a text fit to be a reason.
func (r *run) reason(text string) string {
	text = r.mask.String(validText(text))
	if len(text) <= maxReason {
		return text
	}
	return text[:runeCut([]byte(text), maxReason)] + "…"
}

// words makes an error fit to be seen.
func (r *run) words(err error) string { return r.reason(err.Error()) }
