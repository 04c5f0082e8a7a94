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

// sweep removes what an earlier process left behind, at once and then from time
// to time, until ctx ends.
func (q *Queue) sweep(ctx context.Context) {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = sweepEvery
		if err := q.removeOrphans(ctx); err != nil && ctx.Err() == nil {
			q.Logger.Warn("cannot remove what earlier jobs left behind, trying again", "error", err)
			wait = 10 * time.Second
		}
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
