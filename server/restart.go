package server

import (
	"context"
	"errors"

	"github.com/slipway-ci/slipway/store"
)

// planRestart plans a build that was created without jobs: a restart.
func (t *Trigger) planRestart(ctx context.Context, b store.Build) {
	log := t.Logger.With("build", b.ID)
	err := func() error {
		repo, err := t.Store.RepoByID(ctx, b.RepoID)
		if err != nil {
			return err
		}
		p, err := t.plan(ctx, repo, &b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			var again bool
			if p, again = t.lastTry(log, b.Attempts, err); again {
				b.NextAt, b.Reason = t.backoff(b.Attempts), p.reason
				return t.Store.RetryPlan(ctx, b)
			}
		}
		if p.none != "" {
			p = failedPlan(p.none)
		}
		p.apply(&b)
		return t.Store.PlanBuild(ctx, b, p.jobs)
	}()
	if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrConflict) { // conflict: canceled meanwhile
		return
	}
	log.Error("cannot plan build, trying again", "error", err)
	b.NextAt, b.Reason = t.backoff(b.Attempts), "internal error, trying again"
	if err := t.Store.RetryPlan(ctx, b); err != nil {
		log.Error("cannot put off build", "error", err)
	}
}
