package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

var (
	// errJobEnded ends what runs beside the steps when these have ended.
	errJobEnded = errors.New("stopped with the job")
	// errRestarted is why a step has no result whose container is gone.
	errRestarted = errors.New("the server restarted while it ran, and its container is gone")
)

// execution is one step being run, by a goroutine of its own.
type execution struct {
	run     *run
	step    *step
	whole   context.Context // ends when the step has to; its cause says why
	end     context.CancelCauseFunc
	ctx     context.Context // ends with whole, or when the attempt's time is up
	unbound func()          // lets go of ctx, once nobody asks any more why it ended
	adopted bool            // an earlier Run may have started the container
	failed  []string        // the steps of the job that had failed when this one was launched

	turn   turn
	began  time.Time // its turn
	passed time.Time // when its script said that it has passed; zero if it did not
	sink   *sink
	passes *passes
	used   usage
	// stopping: the container was told to stop. The goroutine that stops sets it
	// and has ended when it is read.
	stopping bool
	// interrupted is why the container's end is not that of what it ran; "" if it
	// is.
	interrupted string
}

// execute runs the step and returns its result, or nil if it was left as it is
// because the run ends.
func (x *execution) execute() *StepResult {
	if err := x.open(); err != nil {
		return nil
	}
	res, err := x.attempts()
	if recorded := x.turn.wait(); recorded != nil || err != nil {
		x.release()
		return nil
	}
	if err := x.sink.close(); err != nil {
		_ = x.run.fail(fmt.Errorf("write log of step %s: %w", x.step.plan.Name, err))
		return nil
	}
	res, err = x.run.finish(x.step, res)
	if err != nil {
		return nil
	}
	if h := x.step.health; h != nil {
		h.over(res)
	}
	return &res
}

// open opens the step's log and begins to record its turn.
func (x *execution) open() error {
	r, s := x.run, x.step
	log, err := r.obs.Log(r.base, s.number)
	if err != nil {
		return r.fail(fmt.Errorf("open log of step %s: %w", s.plan.Name, err))
	}
	x.sink = newSink(log, r.mask)
	x.passes = &passes{sink: x.sink, mask: r.mask, nonce: r.job.Nonce, limit: r.limit.output, passed: x.pass}
	if len(s.plan.Commands) > 0 {
		x.passes.commands = commandRows(s.plan.Commands, r.mask)
	}
	x.used.known = r.state.Used[s.number]
	if err := x.takeUp(); err != nil {
		x.release()
		return err
	}
	began, ok := r.state.Started[s.number]
	if !ok {
		began = time.Now()
		x.turn.record(func() error {
			if err := r.obs.StepStarted(r.base, s.number, began); err != nil {
				return r.fail(fmt.Errorf("record start of step %s: %w", s.plan.Name, err))
			}
			return nil
		})
	}
	x.began, x.passes.since = began, began
	if !s.plan.OnFailure {
		return nil
	}
	if err := x.turn.wait(); err != nil { // toppleAgain needs it of all that was begun
		x.release()
		return err
	}
	return nil
}

// release stores what there is of a step that goes on without this Run.
func (x *execution) release() {
	x.recordUsage()
	if err := x.sink.release(); err != nil {
		_ = x.run.fail(fmt.Errorf("write log of step %s: %w", x.step.plan.Name, err))
	}
}

// contain runs an attempt's container to its end. If the step has to end before
// the container was started, the error is the cause.
func (x *execution) contain() (ContainerState, error) {
	x.ctx, x.unbound = x.whole, func() {}
	if x.adopted {
		return x.resume()
	}
	r, s := x.run, x.step
	if s.unresolved != nil {
		s.created = s.opIntended(OpCreateContainer)
		return ContainerState{}, finalError{s.unresolved}
	}
	if err := r.pulls.wait(x.ctx, r, s.plan, &noticeWriter{sink: x.sink}); err != nil {
		return ContainerState{}, err
	}
	if w := s.warmth; w != nil {
		defer w.drop()
	}
	if err := x.await(r.setup.volumeMade); err != nil {
		return ContainerState{}, err
	}
	if _, notices := lower(r.job.Limits, s.plan.Resources); len(notices) > 0 {
		x.sink.notice(strings.Join(notices, "\n"))
	}
	if w := s.warmth; w != nil && s.attempt == 1 {
		if id, out := w.wait(x.ctx); out != nil {
			return x.goThrough(id, out)
		}
	}
	id, err := x.create()
	if err != nil {
		return ContainerState{}, err
	}
	return x.start(id)
}

// await waits for a part of the job's setup. If the step has to end before, or
// the part cannot be made, the error is the cause.
func (x *execution) await(made <-chan struct{}) error {
	select {
	case <-made:
	case <-x.ctx.Done():
	}
	return context.Cause(x.ctx)
}

// create makes the container of the attempt.
func (x *execution) create() (string, error) {
	s := x.step
	s.created = true
	id, err := s.create(x.ctx, x.failed)
	if final := (finalError{}); errors.As(err, &final) {
		s.created = s.opIntended(OpCreateContainer)
	}
	return id, err
}

// create makes the container, or finds the one that an earlier Run made. failed
// are the names of the steps of the job that have failed so far.
func (s *step) create(ctx context.Context, failed []string) (string, error) {
	r := s.run
	if rec, _ := r.record(s.op(OpCreateContainer)); rec.Done {
		_, err := r.inspect(ctx, rec.ID)
		if !errors.Is(err, ErrNotFound) {
			return rec.ID, err
		}
	}
	spec, err := s.containerSpec(failed)
	if err != nil {
		return "", finalError{err}
	}
	if err := s.takeSandbox(); err != nil {
		return "", err
	}
	spec.VolumeID = r.setup.volume
	if err := s.makeVolumes(spec.Mounts); err != nil {
		return "", err
	}
	return r.do(s.op(OpCreateContainer), func(ctx context.Context) (string, error) {
		return r.eng.CreateContainer(ctx, spec)
	})
}

// makeVolumes makes the volumes of the job that the step mounts, unless another
// step has. They go with the job.
func (s *step) makeVolumes(mounts []pipeline.Mount) error {
	r := s.run
	for _, m := range mounts {
		if m.Kind != pipeline.MountTemp {
			continue
		}
		_, err := r.do(s.op(OpCreateVolume), func(ctx context.Context) (string, error) {
			return r.eng.CreateVolume(ctx, VolumeSpec{Name: m.Source, Labels: r.job.labels(0), Memory: m.Memory})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// start starts the container and follows it to its end. One with a gate is
// started at once, any other when its turn has come.
func (x *execution) start(id string) (ContainerState, error) {
	if gated(x.step.plan) {
		return x.startGated(id)
	}
	r, s := x.run, x.step
	if err := x.awaitTurn(); err != nil {
		return ContainerState{}, err
	}
	if err := x.step.awaitSandbox(x.ctx); err != nil {
		return ContainerState{}, err
	}
	out, err := r.eng.Attach(r.live, id)
	if err != nil {
		return ContainerState{}, err
	}
	defer out.Close()
	x.bound(time.Now())
	_, err = r.do(s.op(OpStart), func(ctx context.Context) (string, error) {
		if err := x.turn.wait(); err != nil {
			return "", err
		}
		return "", r.eng.Start(ctx, id)
	})
	return x.started(id, out, err)
}

// awaitTurn waits until the source is in the volume and what the step uses
// answers.
func (x *execution) awaitTurn() error {
	r := x.run
	if err := x.await(r.setup.sourced); err != nil {
		return err
	}
	if err := x.awaitServices(); err != nil {
		return err
	}
	if err := x.sink.flush(); err != nil { // who adopts the container says nothing of it again
		return x.logFailed(err)
	}
	return context.Cause(x.ctx)
}

// startGated is start for a container with a gate.
func (x *execution) startGated(id string) (ContainerState, error) {
	if err := x.step.awaitSandbox(x.ctx); err != nil {
		return ContainerState{}, err
	}
	out, err := x.step.arrive(id)
	if err != nil {
		return ContainerState{}, err
	}
	return x.goThrough(id, out)
}

// goThrough opens the gate of a container that waits there, when its turn has
// come.
func (x *execution) goThrough(id string, out Output) (ContainerState, error) {
	defer out.Close()
	if err := x.awaitTurn(); err != nil {
		return ContainerState{}, err
	}
	x.bound(time.Now())
	return x.started(id, out, x.openGate(id))
}

// started follows a container of which err tells whether it was started.
func (x *execution) started(id string, out Output, err error) (ContainerState, error) {
	r := x.run
	if r.live.Err() != nil {
		return ContainerState{}, context.Cause(r.live)
	}
	if err != nil {
		// The answer may be lost, and the container run. (A gate that cannot be
		// opened holds.)
		if st, ierr := x.run.inspect(r.live, id); ierr != nil || !st.Started || gated(x.step.plan) {
			return ContainerState{}, err
		}
	}
	r.events <- event{step: x.step, started: true}
	return x.watch(id, out)
}

// resume goes on with a step that an earlier Run may have started.
func (x *execution) resume() (ContainerState, error) {
	r, s := x.run, x.step
	s.created = true
	ref := ContainerName(r.job.Server, r.job.ID, s.number, s.attempt)
	if rec, _ := r.record(s.op(OpCreateContainer)); rec.ID != "" {
		ref = rec.ID
	}
	st, err := x.run.inspect(r.live, ref)
	switch {
	case errors.Is(err, ErrNotFound):
		return ContainerState{}, errRestarted
	case err != nil:
		return ContainerState{}, err
	case !st.Started:
		return x.start(st.ID)
	}
	x.bound(x.openedAt(st))
	if err := x.reopen(st); err != nil {
		return ContainerState{}, err
	}
	r.events <- event{step: s, started: true}
	if !st.Running {
		if s.health != nil {
			s.health.aimAt(healthTarget(s.plan, st.ExposedPort))
		}
		x.stopping = x.stoppedBefore()
		return x.follow(r.live, st.ID, nil)
	}
	return x.watch(st.ID, nil)
}

// bound ends the attempt when its time is up, which counts from start: from an
// engine's clock only as far as that can be right.
func (x *execution) bound(start time.Time) {
	after, now := x.step.plan.Timeout, time.Now()
	if after <= 0 {
		return
	}
	if start.Before(x.began) {
		start = x.began
	}
	if start.After(now) {
		start = now
	}
	x.ctx, x.unbound = context.WithDeadlineCause(x.whole, start.Add(after), timeoutError{after})
}
