package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// restarted is an unplanned restart of a build that has ended.
func (w *world) restarted(approval bool) store.Build {
	w.Helper()
	b := w.build(w.repo("app"), store.Build{SHA: "aaaa", Status: store.Error, Reason: "broken", NeedsApproval: approval})
	again, err := w.Restart(w.Context(), b.ID, "admin", store.Rerun{})
	w.ok(err)
	return again
}

func TestPlanOfARestartIsPutOff(t *testing.T) {
	w := newWorld(t)
	b := w.restarted(false)
	b.NextAt, b.Reason = w.now.Add(time.Minute), "GitHub is down"
	w.ok(w.RetryPlan(t.Context(), b))
	unplanned, err := w.UnplannedBuilds(t.Context())
	w.ok(err)
	w.want(len(unplanned), 1)
	w.want([]any{unplanned[0].Attempts, unplanned[0].NextAt.Equal(b.NextAt), unplanned[0].Reason}, []any{1, true, "GitHub is down"})
	dirty, err := w.DirtyCommits(t.Context(), 10)
	w.ok(err)
	w.want(len(dirty), 1) // its status says what it waits for

	b.Reason, b.Planned, b.Files, b.Fingerprint = "", true, []string{".slipway.yml"}, "f"
	w.ok(w.PlanBuild(t.Context(), b, []store.NewJob{job("main")}))
	// A try that was under way meanwhile changes nothing any more.
	if err := w.PlanBuild(t.Context(), b, []store.NewJob{job("main")}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second plan: %v", err)
	}
	b.Reason = "GitHub is down"
	w.ok(w.RetryPlan(t.Context(), b))
	got, err := w.BuildByID(t.Context(), b.ID)
	w.ok(err)
	w.want([]any{got.Attempts, got.Planned, got.Files, got.Fingerprint}, []any{1, true, []string{".slipway.yml"}, "f"})
	w.want(w.jobStates(b), map[string]string{"main": "pending"})
}

func TestRestartThatIsCanceledBeforeItIsPlanned(t *testing.T) {
	w := newWorld(t)
	b := w.restarted(false)
	w.ok(w.RequestCancel(t.Context(), b.ID, "admin"))
	w.want(w.status(b), "canceled: canceled by admin")
	b.Planned = true
	if err := w.PlanBuild(t.Context(), b, []store.NewJob{job("main")}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("plan of a canceled build: %v", err)
	}
	unplanned, err := w.UnplannedBuilds(t.Context())
	w.ok(err)
	w.want(len(unplanned), 0)
}

func TestPlanThatEndsTheBuild(t *testing.T) {
	w := newWorld(t)
	b := w.restarted(false)
	b.Planned, b.Status, b.Reason, b.Problems = true, store.Error, "bad file", json.RawMessage(`[]`)
	w.ok(w.PlanBuild(t.Context(), b, nil))
	w.want(w.status(b), "error: bad file")
	got, err := w.BuildByID(t.Context(), b.ID)
	w.ok(err)
	w.want(string(got.Problems), `[]`)
}

func TestRestartOfWhatWasNeverApprovedWaits(t *testing.T) {
	w := newWorld(t)
	b := w.restarted(true)
	b.Planned = true
	w.ok(w.PlanBuild(t.Context(), b, []store.NewJob{job("main")}))
	w.want(w.status(b), "blocked")
	w.ok(w.Approve(t.Context(), b.ID, "aaaa", "admin"))
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Success, "", 0))
	// What was approved for this commit stays so.
	again, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{})
	w.ok(err)
	w.want(again.NeedsApproval, false)
}

func TestBuildNumberIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	b := w.restarted(false) // has number 2
	_, err := w.CreateBuild(t.Context(), store.Build{RepoID: b.RepoID, Number: 2, Planned: true, Event: "push", SHA: "bbbb"}, nil)
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second build 2: %v", err)
	}
}

func TestDeliveryThatIsPutOffHoldsThoseOfItsRepository(t *testing.T) {
	w := newWorld(t)
	add := func(guid, repo string) {
		t.Helper()
		_, err := w.AddDelivery(t.Context(), store.Delivery{GUID: guid, Repo: repo, Event: "push", Body: []byte("{}")})
		w.ok(err)
	}
	add("1", "acme/app")
	add("2", "Acme/App") // the same one
	add("3", "acme/other")
	add("4", "")
	next := func() (guids []string) {
		t.Helper()
		ds, err := w.NextDeliveries(t.Context())
		w.ok(err)
		for _, d := range ds {
			guids = append(guids, d.GUID)
		}
		return guids
	}
	w.want(next(), []string{"1", "3", "4"})
	later := w.now.Add(time.Minute)
	w.ok(w.RetryDelivery(t.Context(), "1", later, "GitHub is down"))
	w.want(next(), []string{"1", "3", "4"})
	d, err := w.DeliveryByGUID(t.Context(), "1")
	w.ok(err)
	w.want([]any{d.Attempts, d.NextAt.Equal(later), d.Outcome}, []any{1, true, "GitHub is down"})

	w.ok(w.FinishDelivery(t.Context(), "1", store.DeliveryIgnored, "no", 0))
	w.want(next(), []string{"2", "3", "4"})
	if err := w.FinishDelivery(t.Context(), "1", store.DeliveryDone, "", 0); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second outcome: %v", err)
	}
	w.ok(w.RetryDelivery(t.Context(), "1", later, "late")) // changes nothing
	d, err = w.DeliveryByGUID(t.Context(), "1")
	w.ok(err)
	w.want([]any{d.Status, d.Outcome}, []any{store.DeliveryIgnored, "no"})
}
