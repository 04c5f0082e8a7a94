package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner/mask"
)

const (
	defaultMaxSteps  = 8
	defaultGrace     = 10 * time.Second
	defaultMaxOutput = 2 << 30
	// opTimeout bounds one quick call of the engine that changes something.
	opTimeout = 2 * time.Minute
)

// Run runs a job, or goes on with one whose earlier Run was cut off and left
// state. It returns when all its steps have ended, their output is stored and
// everything that was made is removed, or removing it has failed (JobResult.Left).
//
// The error is ErrDetach, or an error of the Observer; containers are then left
// as they are, and Run can be called again with what was recorded. Everything
// else that goes wrong is a result. A context that is canceled with ErrCancel,
// or an error that wraps it and says by whom, cancels the job; with any other
// cause the process is going down, which is the same as ErrDetach. Run returns
// only after everything that it started has ended.
func Run(ctx context.Context, job Job, state State, eng Engine, obs Observer) (JobResult, error) {
	r := newRun(ctx, &job, state, eng, obs)
	defer r.leave(nil)
	return r.run(ctx)
}

// run is one call of Run. Its own goroutine is the owner of the steps' states:
// the goroutines of the steps report to it through events.
type run struct {
	job   *Job
	state State
	eng   Engine
	obs   Observer
	log   *slog.Logger
	mask  *mask.Set
	limit jobLimits

	// base ends with nothing, live when Run has to leave what it does as it is
	// (its cause is ErrDetach or the Observer's error), work also when the job's
	// steps have to end.
	base context.Context
	live context.Context
	work context.Context
	// leave and halt end live and work. The first cause counts.
	leave, halt context.CancelCauseFunc

	events     chan event
	steps      []*step // by number, less 1
	active     int     // step goroutines
	serving    bool    // every service has been started or has ended
	prefetched bool
	warmable   bool  // steps may be made warm; never changes
	toppled    *step // the step whose failure cancels the others, once there is one
	// opened is closed when the steps that an earlier Run left have been told of
	// what came meanwhile: a cancel, the end of the job's time.
	opened chan struct{}

	setup     setup
	sandboxes sandboxes
	pulls     pulls
	starts    starts
	removals  sync.WaitGroup
}

// jobLimits are a job's limits with their defaults.
type jobLimits struct {
	steps  int
	grace  time.Duration
	output int64
}

// event is what a step's goroutine reports.
type event struct {
	step    *step
	started bool // it runs; this was not its last event
	passed  bool // its script says so; neither was this
	result  *StepResult
}

func newRun(ctx context.Context, job *Job, state State, eng Engine, obs Observer) *run {
	r := &run{
		job: job, state: state, eng: eng, obs: obs,
		log:  job.Logger,
		base: context.WithoutCancel(ctx),
		limit: jobLimits{
			steps:  cmp.Or(job.MaxSteps, defaultMaxSteps),
			grace:  cmp.Or(job.Grace, defaultGrace),
			output: cmp.Or(job.MaxOutput, defaultMaxOutput),
		},
		events: make(chan event),
		opened: make(chan struct{}),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.live, r.leave = context.WithCancelCause(r.base)
	r.work, r.halt = context.WithCancelCause(r.live)
	r.setup.init()
	r.steps = newSteps(r)
	r.warmable = warmable(job)
	r.mask = mask.Compile(r.resolve())
	return r
}

// run is the owner's loop.
func (r *run) run(ctx context.Context) (JobResult, error) {
	defer r.removals.Wait()
	defer r.cool()
	defer r.pulls.stop()
	r.adopt()
	told := ctx.Done()
	if ctx.Err() != nil {
		told = nil
		r.interrupt(context.Cause(ctx))
	}
	deadline, stop := r.deadline()
	defer stop()
	r.begin()
	halted := r.work.Done()
	r.toppleAgain()
	r.schedule()
	close(r.opened)
	for {
		r.schedule()
		if r.active == 0 && (r.live.Err() != nil || r.finished()) {
			break
		}
		select {
		case ev := <-r.events:
			r.handle(ev)
		case <-told:
			told = nil
			r.interrupt(context.Cause(ctx))
		case <-deadline:
			deadline = nil
			if r.ordinaryLeft() {
				r.halt(timeoutError{r.job.Timeout})
			}
		case <-halted:
			halted = nil
		}
	}
	return r.conclude()
}

// adopt takes over what an earlier Run left.
func (r *run) adopt() {
	for _, s := range r.steps {
		switch {
		case s.done:
			r.remove(s)
		case s.opIntended(OpStart):
			r.launch(s, true)
		}
	}
}

// begin ends the steps that will not run and starts what the others need.
func (r *run) begin() {
	for _, s := range r.steps {
		if !s.done && !s.launched && s.plan.Skip != "" && r.live.Err() == nil {
			r.settle(s, StepResult{Status: Skipped, Reason: s.plan.Skip})
		}
	}
	if !r.finished() && r.work.Err() == nil {
		r.setup.begin(r)
	}
}

// deadline returns a channel that receives when the job's time is up; if it is
// already, it halts the job.
func (r *run) deadline() (<-chan time.Time, func() bool) {
	if r.job.Timeout <= 0 {
		return nil, func() bool { return false }
	}
	left := r.job.Timeout
	if !r.job.Started.IsZero() {
		left -= time.Since(r.job.Started)
	}
	if left <= 0 && r.ordinaryLeft() {
		r.halt(timeoutError{r.job.Timeout})
	}
	t := time.NewTimer(left)
	return t.C, t.Stop
}

// interrupt acts on the end of the context of Run.
func (r *run) interrupt(cause error) {
	if stop := (StopError{}); errors.Is(cause, ErrCancel) || errors.As(cause, &stop) {
		r.halt(cause)
		return
	}
	r.leave(ErrDetach)
}

// fail ends the run because the Observer failed: nothing may go on as if it had
// been recorded.
func (r *run) fail(err error) error {
	r.leave(err)
	return err
}

// finish records a step's end. The owner calls it for steps that have no
// goroutine, else the step's goroutine does.
func (r *run) finish(s *step, res StepResult) (StepResult, error) {
	res.Reason = r.reason(res.Reason)
	if cause := context.Cause(r.live); cause != nil && !errors.Is(cause, ErrDetach) {
		return res, cause
	}
	if err := r.obs.StepFinished(r.base, s.number, res); err != nil {
		return res, r.fail(fmt.Errorf("record end of step %s: %w", s.plan.Name, err))
	}
	return res, nil
}

// conclude tells the job's result, removes what it had and returns. From here
// on the context of Run has no say: removing is part of having ended.
func (r *run) conclude() (JobResult, error) {
	r.sandboxes.close() // a step may still be made warm
	r.setup.wait()
	if r.live.Err() != nil {
		return JobResult{}, context.Cause(r.live)
	}
	result := r.result()
	if e, ok := r.obs.(Ender); ok {
		if err := e.JobEnded(r.base, result); err != nil {
			return JobResult{}, r.fail(fmt.Errorf("record end of job: %w", err))
		}
	}
	r.removals.Wait()
	if r.setup.begun || len(r.state.Ops) > 0 {
		result.Left = !r.removeJob()
	}
	if r.live.Err() != nil { // the Observer failed
		return JobResult{}, context.Cause(r.live)
	}
	return result, nil
}
