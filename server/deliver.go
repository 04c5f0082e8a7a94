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
	for {
		err := t.build(ctx, log.With("repo", repo.FullName()), repo, ev, d)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		// A restart took the number meanwhile; or the build was canceled, or this
		// delivery finished.
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
func (t *Trigger) build(ctx context.Context, log *slog.Logger, repo store.Repo, ev github.Event, d store.Delivery) error {
	b, err := t.begun(ctx, repo, ev, d)
	if err != nil {
		return err
	}
	if b.Planned { // it ended meanwhile
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryDone, fmt.Sprintf("build #%d", b.Number), b.ID)
	}
	p, err := t.plan(ctx, repo, &b)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		var again bool
		if p, again = t.lastTry(log, d.Attempts, err); again {
			b.NextAt, b.Reason = t.backoff(d.Attempts), p.reason
			return t.putOff(ctx, repo, b)
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
	p.apply(&b)
	covering, reason, err := t.covering(ctx, repo, b)
	switch {
	case err != nil:
		return err
	case reason != "" && b.ID == 0:
		return t.Store.FinishDelivery(ctx, d.GUID, store.DeliveryDone, reason, covering.ID)
	case reason != "":
		p = planned{status: store.Skipped, reason: reason}
		p.apply(&b)
	}
	if b, err = t.save(ctx, b, p.jobs); err != nil {
		return err
	}
	log.Info("build created", "build", b.Number, "event", b.Event, "sha", b.SHA, "status", b.Status, "reason", b.Reason)
	return nil
}

// begun returns the build that a delivery is about: one that is not Planned,
// unless an earlier try has stored it and it ended since.
func (t *Trigger) begun(ctx context.Context, repo store.Repo, ev github.Event, d store.Delivery) (store.Build, error) {
	if d.BuildID != 0 {
		return t.Store.BuildByID(ctx, d.BuildID)
	}
	b := newBuild(repo, ev)
	b.Delivery, b.Number = d.GUID, repo.LastNumber+1
	return b, nil
}

// putOff has a delivery tried again. A commit that slipway is sure to have a
// verdict on has a build at once, which is pending and says why; whether one of a
// repository that has never had a pipeline file needs one, the commit itself tells.
func (t *Trigger) putOff(ctx context.Context, repo store.Repo, b store.Build) error {
	switch {
	case b.ID != 0:
		return t.Store.RetryPlan(ctx, b)
	case !repo.HadPipeline || quiet(b.Event):
		return t.Store.RetryDelivery(ctx, b.Delivery, b.NextAt, b.Reason)
	default:
		_, err := t.Store.CreateBuild(ctx, b, nil)
		return err
	}
}

// covering returns the build that makes b needless and says so, or "". GitHub
// announces a push to a pull request's branch twice, in any order, and what both
// would do alike is done once. The default branch has builds of its own, since
// they tell how it is.
func (t *Trigger) covering(ctx context.Context, repo store.Repo, b store.Build) (_ store.Build, reason string, err error) {
	what := "push"
	switch {
	case b.Status.Final():
		return b, "", nil
	case b.Event == string(pipeline.EventPullRequest) && !b.Pull.Fork:
	case b.Event == string(pipeline.EventPush) && b.Branch != repo.DefaultBranch:
		what = "pull request"
	default:
		return b, "", nil
	}
	covering, err := t.Store.CoveringBuild(ctx, b)
	if errors.Is(err, store.ErrNotFound) {
		return b, "", nil
	}
	return covering, fmt.Sprintf("build #%d of the %s has the same plan", covering.Number, what), err
}

// save stores a build that is planned.
func (t *Trigger) save(ctx context.Context, b store.Build, jobs []store.NewJob) (store.Build, error) {
	if b.ID == 0 {
		return t.Store.CreateBuild(ctx, b, jobs)
	}
	if err := t.Store.PlanBuild(ctx, b, jobs); err != nil {
		return b, err
	}
	return t.Store.BuildByID(ctx, b.ID)
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

func parseDelivery(d store.Delivery) (github.Event, error) {
	body, err := github.Payload(d.Headers.Get("Content-Type"), d.Body)
	if err != nil {
		return github.Event{}, err
	}
	return github.Parse(d.Event, body)
}
