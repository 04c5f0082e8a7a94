package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

// handle works out one pending delivery: it ends as done, ignored or failed, or
// is put off.
func (t *Trigger) handle(ctx context.Context, guid string) {
	log := t.Logger.With("delivery", guid)
	d, err := t.Store.DeliveryByGUID(ctx, guid)
	if err == nil && d.Status == store.DeliveryPending {
		err = t.handleDelivery(ctx, log, d)
	}
	if err == nil || ctx.Err() != nil {
		return // a delivery that was cut off is still pending
	}
	log.Error("cannot work out delivery, trying again", "error", err)
	if err := t.Store.RetryDelivery(ctx, guid, t.backoff(d.Attempts), "internal error, trying again"); err != nil {
		log.Error("cannot put off delivery", "error", err)
	}
}

func (t *Trigger) handleDelivery(ctx context.Context, log *slog.Logger, d store.Delivery) error {
	ev, err := parseDelivery(d)
	if err != nil {
		log.Warn("delivery cannot be read", "event", d.Event, "error", err)
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryFailed, err.Error(), 0)
	}
	switch ev.Kind {
	case github.KindPing:
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryDone, "the webhook is connected", 0)
	case github.KindPush, github.KindPullRequest, github.KindRelease, github.KindDeployment:
	default:
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryIgnored, ev.Reason, 0)
	}
	repo, err := t.Store.UpsertRepo(ctx, store.Repo{
		RemoteID: ev.Repo.ID, Owner: ev.Repo.Owner, Name: ev.Repo.Name, Private: ev.Repo.Private,
		DefaultBranch: ev.Repo.DefaultBranch, HTMLURL: ev.Repo.HTMLURL,
		// Not the payload's: the token goes to this address.
		CloneURL: t.GitHubURL + "/" + ev.Repo.FullName() + ".git",
	})
	if err != nil {
		return err
	}
	b := newBuild(repo, ev)
	b.Delivery = d.GUID
	for {
		err := t.build(ctx, log.With("repo", repo.FullName()), repo, b, d)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		// A restart took the number meanwhile; or this delivery was finished.
		if d, err = t.Store.DeliveryByGUID(ctx, d.GUID); err != nil || d.Status != store.DeliveryPending {
			return err
		}
		if repo, err = t.Store.RepoByID(ctx, repo.ID); err != nil {
			return err
		}
	}
}

// build plans a delivery's build and stores it, or finishes the delivery
// without one.
func (t *Trigger) build(ctx context.Context, log *slog.Logger, repo store.Repo, b store.Build, d store.Delivery) error {
	b.Number = repo.LastNumber + 1
	p, err := t.plan(ctx, repo, &b)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		var again bool
		if p, again = t.lastTry(log, d.Attempts, err); again {
			return t.Store.RetryDelivery(ctx, d.GUID, t.backoff(d.Attempts), p.reason)
		}
	}
	if reason, err := t.nothing(ctx, repo, &b, p); reason != "" || err != nil {
		if err != nil {
			return err
		}
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryIgnored, reason, 0)
	}
	if p.none != "" {
		p = failedPlan(p.none)
	}
	if b.Event == string(pipeline.EventPullRequest) && !b.Pull.Fork && !p.status.Final() {
		covering, err := t.Store.CoveringBuild(ctx, repo.ID, b.SHA, p.fingerprint)
		if err == nil {
			return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryDone,
				fmt.Sprintf("build #%d of the push has the same plan", covering.Number), covering.ID)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	p.apply(&b)
	if b.NeedsApproval && b.Reason == "" {
		b.Reason = "waits for approval: a pull request from a fork"
	}
	created, err := t.Store.CreateBuild(ctx, b, p.jobs)
	if err != nil {
		return err
	}
	log.Info("build created", "build", created.Number, "event", b.Event, "sha", b.SHA, "status", created.Status,
		"reason", created.Reason)
	return nil
}

// nothing returns why a delivery makes no build, or "".
func (t *Trigger) nothing(ctx context.Context, repo store.Repo, b *store.Build, p planned) (reason string, err error) {
	switch {
	case p.none != "" && (!repo.HadPipeline || quiet(b.Event)):
		return p.none, nil
	case b.SHA == "": // a release whose tag could not be asked for
		return p.reason, nil
	case !quiet(b.Event):
		return "", nil
	case p.status == "" && !p.runs:
		return "no workflow is for the event " + b.Event, nil
	case !b.NeedsApproval:
		return "", nil
	}
	// Nobody approves what is closed. Who approved this very commit while it was
	// open has approved what it does at its end.
	by, err := t.Store.ApprovedPull(ctx, repo.ID, b.Pull.Number, b.SHA)
	if err != nil || by == "" {
		return "the pull request comes from a fork, and nobody approved its commit", err
	}
	b.NeedsApproval = false
	return "", nil
}

// lastTry says what becomes of a build that could not be planned for the
// attempts+1st time: it is put off, or ends with a reason. Whatever the cause,
// it ends some time, since the repository's later deliveries wait for it.
func (t *Trigger) lastTry(log *slog.Logger, attempts int, err error) (p planned, again bool) {
	reason := "internal error: see the server's log"
	var temporary *temporaryError
	if errors.As(err, &temporary) {
		reason = temporary.Error()
	}
	if attempts+1 >= maxTries {
		log.Error("cannot plan build, giving up", "error", err)
		return failedPlan(reason), false
	}
	log.Warn("cannot plan build, trying again", "attempt", attempts+1, "error", err)
	return failedPlan(reason), true
}

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
		b.Reason = ""
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

func parseDelivery(d store.Delivery) (github.Event, error) {
	body, err := github.Payload(d.Headers.Get("Content-Type"), d.Body)
	if err != nil {
		return github.Event{}, err
	}
	return github.Parse(d.Event, body)
}
