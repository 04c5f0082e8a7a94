package runner

import (
	"context"
	"time"
)

const (
	removeAttempts = 5
	removeBackoff  = 100 * time.Millisecond
)

// remove removes the containers of a step's attempts in the background, where
// there may be any. It is called after the end of the last attempt is recorded.
func (r *run) remove(s *step) {
	for n := s.removed + 1; n <= s.attempt; n++ {
		rec, _ := r.record(s.opOf(OpRemove, n))
		_, made := r.record(s.opOf(OpCreateContainer, n))
		if rec.Done || !made && (n < s.attempt || !s.created) {
			continue
		}
		name, op := ContainerName(r.job.Server, r.job.ID, s.number, n), s.opOf(OpRemove, n)
		r.removals.Go(func() {
			if s.warmth != nil {
				s.warmth.drop()
			}
			r.starts.wait(r.live)
			r.tryRemove(op, func(ctx context.Context) error { return r.eng.RemoveContainer(ctx, name) })
		})
	}
	s.removed = s.attempt
}

// removeJob removes the network and the volume, and whatever else of the job
// there may be after a Run that was cut off. It reports whether nothing is left.
func (r *run) removeJob() bool {
	if rec, _ := r.record(opRemove); rec.Done {
		return true
	}
	return r.tryRemove(opRemove, func(ctx context.Context) error {
		left, err := r.eng.List(ctx, map[string]string{LabelServer: r.job.Server, LabelJob: r.job.ID})
		if err != nil {
			return wrap("list what is left", err)
		}
		return RemoveResources(ctx, r.eng, left)
	})
}

// tryRemove makes a removal, again if it fails. What cannot be removed keeps
// its labels, by which the server finds it later. It reports whether it succeeded.
func (r *run) tryRemove(op Op, f func(ctx context.Context) error) bool {
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
	return err == nil
}
