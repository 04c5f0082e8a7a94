package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stopAttempts is how often an engine is asked to stop a container before the
// step is given up.
const stopAttempts = 5

// stopWhenTold stops the container when the step has to end. It returns when
// ended is closed, or the container stopped, or cannot be; then it ends the
// watching with cut.
func (x *execution) stopWhenTold(id string, ended <-chan struct{}, cut context.CancelCauseFunc) {
	select {
	case <-ended:
	case <-x.ctx.Done():
	}
	r := x.run
	select {
	case <-ended: // by itself, just before
		x.stopping = x.stoppedBefore()
		return
	default:
	}
	if r.live.Err() != nil {
		return
	}
	x.stopping = true
	cause := context.Cause(x.ctx)
	grace := r.limit.grace
	if errors.Is(cause, errFlood) {
		grace = 0 // it would go on filling the disk
	}
	_, err := r.doIn(r.live, x.step.op(OpStop), func(ctx context.Context) (string, error) {
		return "", x.stop(ctx, id, grace)
	})
	if err != nil && r.live.Err() == nil {
		cut(fmt.Errorf("stop container: %w", err))
	}
}

// stoppedBefore reports whether a container that has ended was told to by an
// earlier Run, for a cause that holds.
func (x *execution) stoppedBefore() bool { return x.step.opIntended(OpStop) && x.ctx.Err() != nil }

// stop stops the container within grace, or at once when Job.Kill is closed. An
// engine that fails is asked again.
func (x *execution) stop(ctx context.Context, id string, grace time.Duration) error {
	var err error
	for i := range stopAttempts {
		if err = x.stopOnce(ctx, id, grace); err == nil {
			return nil
		}
		if pause(ctx, retryFirst<<(2*i)) != nil {
			return err
		}
		grace = 0 // it has been told
	}
	return err
}

func (x *execution) stopOnce(ctx context.Context, id string, grace time.Duration) error {
	stopped := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		select {
		case <-x.run.job.Kill:
			x.kill(ctx, id, stopped)
		case <-stopped:
		}
	})
	err := x.run.eng.Stop(ctx, id, grace)
	close(stopped)
	killer.Wait()
	return err
}

// kill kills the container while it is being stopped with grace. It keeps at it:
// an engine that fails once must not make a person wait for the grace period.
func (x *execution) kill(ctx context.Context, id string, stopped <-chan struct{}) {
	for x.run.eng.Stop(ctx, id, 0) != nil {
		select {
		case <-stopped:
			return
		case <-ctx.Done():
			return
		case <-time.After(retryFirst):
		}
	}
}
