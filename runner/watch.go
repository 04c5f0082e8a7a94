package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// settleTime is how long a container may run on after its output has ended
	// before that is taken for a broken connection.
	settleTime = 5 * time.Second
	// patience is how long an engine may not answer while a container runs.
	patience   = 2 * time.Minute
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Second
	// maxUnread is how often the whole output of a container that has ended is
	// tried to be read.
	maxUnread = 6
)

// errCut: an output ended before the container did.
var errCut = errors.New("the output was cut off")

// watch stores the container's output and returns its state once it has ended
// and all output is in the sink. out is attached since before the start; without
// it, or when it breaks, the output is read from the engine's record. If the
// step has to end the container is stopped meanwhile.
func (x *execution) watch(id string, out Output) (ContainerState, error) {
	ctx, cut := context.WithCancelCause(x.run.live)
	defer cut(nil)
	ended := make(chan struct{})
	var stopper sync.WaitGroup
	stopper.Go(func() { x.stopWhenTold(id, ended, cut) })
	probing, stop := context.WithCancel(ctx)
	defer stop()
	var prober sync.WaitGroup
	prober.Go(func() { x.sample(probing, id) })
	if x.step.health != nil {
		prober.Go(func() { x.probe(probing, id) })
	}
	st, err := x.follow(ctx, id, out)
	stop()
	prober.Wait()
	close(ended)
	stopper.Wait()
	return st, err
}

// follow is watch without the stopping. ctx ends when there is no use in going
// on.
func (x *execution) follow(ctx context.Context, id string, out Output) (ContainerState, error) {
	if out != nil {
		st, err := x.read(ctx, id, out, true)
		switch {
		case errors.Is(err, errCut):
		case err == nil && (st.ExitCode == exitKilled || st.ExitCode == exitTerminated):
			return x.suspect(ctx, st)
		default:
			return st, err
		}
	}
	st, err := x.reread(ctx, id)
	if err != nil {
		return st, err
	}
	return x.suspect(ctx, st)
}

// suspect finds out whether a container that has ended did so by itself, and
// whether for lack of memory. There is reason to ask if it was not watched all the
// time, or ended by a signal.
func (x *execution) suspect(ctx context.Context, st ContainerState) (ContainerState, error) {
	err := x.run.persist(ctx, func() error {
		end, err := x.run.eng.Ending(ctx, st.ID)
		x.interrupted = end.Interrupted
		st.OOMKilled = st.OOMKilled || end.OOMKilled
		return err
	})
	return st, err
}

// reread stores the output from the engine's record: for the live view while the
// container runs, and once more when it has ended, since only that is sure to
// have the last lines. A record that cannot be read to its end costs its rest,
// and the log says so.
func (x *execution) reread(ctx context.Context, id string) (ContainerState, error) {
	wait, unread := retryFirst, 0
	for {
		st, err := x.run.inspect(ctx, id)
		if err != nil {
			return st, err
		}
		out, err := x.run.eng.Logs(ctx, id, st.Running)
		if err == nil {
			_, err = x.read(ctx, id, out, !st.Running)
		} else {
			err = fmt.Errorf("%w: %w", errCut, err)
		}
		switch {
		case err == nil:
			return st, nil
		case !errors.Is(err, errCut):
			return st, err
		case !st.Running:
			if unread++; unread == maxUnread {
				x.sink.noticeOf("the rest of the output is lost", err)
				return st, nil
			}
		default:
			// Followed to its end or broken: either way it is read once more.
			if _, err := x.ended(ctx, id); err == nil {
				continue
			}
		}
		if err := pause(ctx, wait); err != nil {
			return st, err
		}
		wait = min(2*wait, retryMost)
	}
}

// read stores one reading of the output. If that is complete (whole tells that
// it can be) and the container has ended, it returns its state; if it is to be
// read again, errCut.
func (x *execution) read(ctx context.Context, id string, out Output, whole bool) (ContainerState, error) {
	defer out.Close()
	p, err := x.passes.begin()
	if err != nil {
		return ContainerState{}, x.logFailed(err)
	}
	unblock := context.AfterFunc(ctx, func() { _ = out.Close() }) // Copy then returns
	err = out.Copy(p.stdout, p.stderr)
	unblock()
	switch {
	case x.sink.flush() != nil:
		return ContainerState{}, x.logFailed(x.sink.flush())
	case errors.Is(err, errFlood):
		x.end(errFlood)
		x.passes.abandon(p)
		// An engine does not get through with killing a container whose output
		// somebody holds and does not read.
		_ = out.Close()
		return x.stoppedState(ctx, id)
	case err == nil && whole && ctx.Err() == nil:
		st, werr := x.ended(ctx, id)
		if werr == nil {
			if err := p.end(); err != nil {
				return st, x.logFailed(err)
			}
			return st, nil
		}
		err = werr
	}
	x.passes.abandon(p)
	if ctx.Err() != nil {
		return ContainerState{}, context.Cause(ctx)
	}
	if err != nil {
		return ContainerState{}, fmt.Errorf("%w: %w", errCut, err)
	}
	return ContainerState{}, errCut
}

// logFailed ends the run because output could not be stored.
func (x *execution) logFailed(err error) error {
	return x.run.fail(fmt.Errorf("write log of step %s: %w", x.step.plan.Name, err))
}

// ended returns the state of a container that has ended or will within
// settleTime.
func (x *execution) ended(ctx context.Context, id string) (ContainerState, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	return x.run.eng.Wait(ctx, id)
}

// stoppedState waits for a container that is being stopped.
func (x *execution) stoppedState(ctx context.Context, id string) (ContainerState, error) {
	for {
		st, err := x.run.inspect(ctx, id)
		if err != nil || !st.Running {
			return st, err
		}
		if st, err := x.run.eng.Wait(ctx, id); err == nil {
			return st, nil
		}
		if err := pause(ctx, retryFirst); err != nil {
			return st, err
		}
	}
}

// inspect asks for the state of a container.
func (r *run) inspect(ctx context.Context, id string) (st ContainerState, err error) {
	err = r.persist(ctx, func() (err error) {
		st, err = r.eng.Inspect(ctx, id)
		return err
	})
	return st, err
}

// persist asks the engine of a container, again and again while it does not
// answer, but not longer than patience.
func (r *run) persist(ctx context.Context, ask func() error) error {
	giveUp := time.Now().Add(patience)
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := ask()
		if err == nil || errors.Is(err, ErrNotFound) || time.Now().After(giveUp) {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// pause waits, and returns the cause when ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
