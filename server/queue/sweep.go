package queue

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
)

// sweepEvery is how often what nobody owns is looked for, beside at start.
const sweepEvery = 15 * time.Minute

// resweep is the wait before what could not be removed is tried again, in units
// of Options.RetryAfter.
const resweep = 10

// sweep removes what an earlier process left behind until ctx ends: at once, again
// when what it asked of the engine as it died has come about, and then from time to
// time, or soon after a removal that failed.
func (q *Queue) sweep(ctx context.Context) {
	settled := time.NewTimer(q.SettleAfter)
	defer settled.Stop()
	for ctx.Err() == nil {
		if err := q.removeOrphans(ctx); err != nil && ctx.Err() == nil {
			q.Logger.Warn("cannot remove what earlier jobs left behind, trying again", "error", err)
			q.sweepAgain()
		}
		q.awaitSweep(ctx, settled.C)
	}
}

// tidy removes what an earlier process left in the mirrors.
func (q *Queue) tidy(ctx context.Context) {
	if err := q.Mirrors.Tidy(ctx); err != nil && ctx.Err() == nil {
		q.Logger.Warn("cannot remove what an earlier process left in the mirrors", "error", err)
	}
}

// awaitSweep returns when it is time to sweep again, or when settled says so, or
// sooner if there is something left to remove.
func (q *Queue) awaitSweep(ctx context.Context, settled <-chan time.Time) {
	due := time.NewTimer(sweepEvery)
	defer due.Stop()
	select {
	case <-ctx.Done():
	case <-due.C:
	case <-settled: // once, also if it was while the sweep before was under way
	case <-q.left:
		select {
		case <-ctx.Done():
		case <-time.After(resweep * q.RetryAfter):
		}
	}
}

// sweepAgain has what nobody owns looked for soon.
func (q *Queue) sweepAgain() {
	select {
	case q.left <- struct{}{}:
	default: // it will be
	}
}

// removeOrphans removes what carries this server's label and belongs to no job
// that runs or is being removed. A job that starts meanwhile made nothing that is
// in the list.
func (q *Queue) removeOrphans(ctx context.Context) error {
	found, err := q.Engine.List(ctx, map[string]string{runner.LabelServer: q.ServerID})
	if err != nil {
		return err
	}
	var orphans []runner.Resource
	for _, r := range found {
		owned, err := q.owned(ctx, r)
		if err != nil {
			return err
		}
		if !owned {
			q.Logger.Info("removing orphan", "kind", r.Kind, "name", r.Name)
			orphans = append(orphans, r)
		}
	}
	return runner.RemoveResources(ctx, q.Engine, orphans)
}

func (q *Queue) owned(ctx context.Context, r runner.Resource) (bool, error) {
	id, err := strconv.ParseInt(r.Labels[runner.LabelJob], 10, 64)
	if err != nil {
		return false, nil // ours by its label, and of no job
	}
	j, err := q.Store.JobByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	_, held := q.held.Load(id) // asked last: until it is let go, it was running
	return held || j.Status == store.Running, err
}
