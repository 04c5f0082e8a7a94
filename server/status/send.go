package status

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

const (
	retryMax     = 5 * time.Minute
	retryRefused = time.Hour
)

// send starts requests for what is due, and returns when the next one will be.
func (o *Outbox) send(ctx context.Context) (time.Duration, error) {
	now := o.Store.Now()
	if wait := o.limited().Sub(now); wait > 0 {
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
		o.wg.Go(func() {
			o.post(ctx, row)
			o.done <- row.ID
		})
	}
	return maxWait, nil
}

// post sends one status and records what came of it.
func (o *Outbox) post(ctx context.Context, row store.CommitStatus) {
	log := o.Logger.With("sha", row.SHA, "context", row.Context, "state", row.State)
	repo, err := o.Store.RepoByID(ctx, row.RepoID)
	if err != nil {
		if o.pause(ctx) {
			log.Error("cannot read the repository of a status, trying again", "error", err)
		}
		return
	}
	log = log.With("repo", repo.FullName())
	err = o.GitHub.CreateStatus(ctx, repo.Owner, repo.Name, row.SHA, github.Status{
		State: github.State(row.State), Context: row.Context,
		Description: row.Description, TargetURL: row.TargetURL,
	})
	var refused *github.RefusedError
	switch {
	case err == nil:
		log.Info("status sent", "description", row.Description)
		o.record(ctx, log, func(ctx context.Context) error { return o.Store.StatusSent(ctx, row) })
	case ctx.Err() != nil:
		return // not known whether GitHub has it; it is sent again
	case errors.As(err, &refused):
		log.Warn("GitHub refused a status; it is tried again hourly", "error", err)
		next, code := o.Store.Now().Add(retryRefused), cmp.Or(refused.Status, http.StatusUnprocessableEntity)
		o.record(ctx, log, func(ctx context.Context) error { return o.Store.StatusFailed(ctx, row, next, code, refused.Message) })
	default:
		o.limit(err) // first of all: the database may take its time
		next := o.nextTry(row.Attempts, err)
		log.Warn("cannot send a status, trying again", "error", err, "attempt", row.Attempts+1, "next", next)
		o.record(ctx, log, func(ctx context.Context) error { return o.Store.StatusFailed(ctx, row, next, 0, err.Error()) })
	}
}

// record writes down what GitHub answered, even if we are told to stop
// meanwhile. It keeps at it while the database fails: the row would be due
// again, and GitHub hear the same over and over.
func (o *Outbox) record(ctx context.Context, log *slog.Logger, write func(context.Context) error) {
	for {
		err := write(context.WithoutCancel(ctx))
		if err == nil {
			return
		}
		log.Error("cannot record what became of a status, trying again", "error", err)
		if !o.pause(ctx) {
			return // the next process sends it again
		}
	}
}

// pause waits before another try at the database, and reports whether there is
// to be one.
func (o *Outbox) pause(ctx context.Context) bool {
	t := time.NewTimer(o.RetryBase)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
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

// limit takes what GitHub answered. A rate limit holds for all requests.
func (o *Outbox) limit(err error) {
	o.limits.Lock()
	defer o.limits.Unlock()
	var retry *github.RetryError
	if errors.As(err, &retry) && retry.After.After(o.notUntil) {
		o.notUntil = retry.After
	}
}

// limited returns when GitHub may be asked again.
func (o *Outbox) limited() time.Time {
	o.limits.Lock()
	defer o.limits.Unlock()
	return o.notUntil
}
