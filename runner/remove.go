package runner

import (
	"context"
	"time"
)

const (
	removeAttempts = 5
	removeBackoff  = 100 * time.Millisecond
)

// remove removes a step's container in the background, if there may be one. It
// is called once for each step, by the owner, after the step's end is recorded.
func (r *run) remove(s *step) {
	rec, _ := r.record(s.op(OpRemove))
	if rec.Done || !s.created && !s.opIntended(OpCreateContainer) {
		return
	}
	name := ContainerName(r.job.Server, r.job.ID, s.number, firstAttempt)
	r.removals.Go(func() {
		r.tryRemove(s.op(OpRemove), func(ctx context.Context) error {
			return r.eng.RemoveContainer(ctx, name)
		})
	})
}

// removeJob removes the network and the volume, and whatever else of the job
// there may be after a Run that was cut off.
func (r *run) removeJob() {
	if rec, _ := r.record(opRemove); rec.Done {
		return
	}
	r.tryRemove(opRemove, func(ctx context.Context) error {
		left, err := r.eng.List(ctx, map[string]string{LabelServer: r.job.Server, LabelJob: r.job.ID})
		if err != nil {
			return wrap("list what is left", err)
		}
		return RemoveResources(ctx, r.eng, left)
	})
}

// tryRemove makes a removal, again if it fails. What cannot be removed keeps
// its labels, by which the server finds it later.
func (r *run) tryRemove(op Op, f func(ctx context.Context) error) {
	_, err := r.do(op, func(ctx context.Context) (string, error) {
		var err error
		for i := range removeAttempts {
			if err = f(ctx); err == nil || pause(r.live, removeBackoff<<i) != nil {
				break
			}
		}
		return "", err
	})
	if err != nil && r.live.Err() == nil {
		r.log.Warn("cannot remove", "job", r.job.ID, "step", op.Step, "err", r.words(err))
	}
}
