package status

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

const (
	retryMax     = 5 * time.Minute
	retryRefused = time.Hour
)

// result is how one request ended.
type result struct {
	row store.CommitStatus
	err error
}

// send starts requests for what is due, and returns when the next one will be.
func (o *Outbox) send(ctx context.Context) (time.Duration, error) {
	now := o.Store.Now()
	if wait := o.notUntil.Sub(now); wait > 0 {
		return min(wait, maxWait), nil
	}
	rows, err := o.Store.UnsentStatuses(ctx, batch+len(o.inFlight))
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if o.inFlight[row.ID] {
			continue // its end will wake us
		}
		if wait := row.NextAt.Sub(now); wait > 0 {
			return min(wait, maxWait), nil
		}
		if len(o.inFlight) >= maxInFlight {
			break
		}
		o.inFlight[row.ID] = true
		o.wg.Go(func() { o.done <- result{row, o.post(ctx, row)} })
	}
	return maxWait, nil
}

// post sends one status and records what came of it.
func (o *Outbox) post(ctx context.Context, row store.CommitStatus) error {
	repo, err := o.Store.RepoByID(ctx, row.RepoID)
	if err != nil {
		return err
	}
	log := o.Logger.With("repo", repo.FullName(), "sha", row.SHA, "context", row.Context, "state", row.State)
	err = o.GitHub.CreateStatus(ctx, repo.Owner, repo.Name, row.SHA, github.Status{
		State: github.State(row.State), Context: row.Context,
		Description: row.Description, TargetURL: row.TargetURL,
	})
	// What GitHub answered is recorded even if we are told to stop meanwhile.
	record := context.WithoutCancel(ctx)
	var refused *github.RefusedError
	switch {
	case err == nil:
		log.Info("status sent", "description", row.Description)
		return o.Store.StatusSent(record, row)
	case ctx.Err() != nil:
		return nil // not known whether GitHub has it; it is sent again
	case errors.As(err, &refused):
		log.Warn("GitHub refused a status; it is tried again hourly", "error", err)
		return errors.Join(o.Store.StatusFailed(record, row, o.Store.Now().Add(retryRefused),
			cmp.Or(refused.Status, http.StatusUnprocessableEntity), refused.Message), err)
	default:
		next := o.nextTry(row.Attempts, err)
		log.Warn("cannot send a status, trying again", "error", err, "attempt", row.Attempts+1, "next", next)
		return errors.Join(o.Store.StatusFailed(record, row, next, 0, err.Error()), err)
	}
}

// nextTry backs off by the number of failed tries, and waits at least as long
// as GitHub asks.
func (o *Outbox) nextTry(failed int, err error) time.Time {
	wait := retryMax
	if failed < 16 {
		wait = min(o.RetryBase<<failed, retryMax)
	}
	next := o.Store.Now().Add(wait)
	var retry *github.RetryError
	if errors.As(err, &retry) && retry.After.After(next) {
		return retry.After
	}
	return next
}

// finish takes the end of a request. A rate limit holds for all of them.
func (o *Outbox) finish(r result) {
	delete(o.inFlight, r.row.ID)
	var retry *github.RetryError
	if errors.As(r.err, &retry) && retry.After.After(o.notUntil) {
		o.notUntil = retry.After
	}
}
