package store_test

import (
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

func TestUsageNeverSinks(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{}, job("test"))
	j := w.claim()
	used := func() []any {
		t.Helper()
		steps, err := w.Steps(t.Context(), j.ID)
		w.ok(err)
		return []any{steps[0].CPU, steps[0].PeakMemory}
	}
	w.want(used(), []any{time.Duration(0), int64(0)})
	w.ok(w.StartStep(t.Context(), j.ID, 1, w.now))
	w.ok(w.StepUsed(t.Context(), j.ID, 1, 1500*time.Millisecond, 200))
	w.ok(w.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 1, Status: store.Success, CPU: 2 * time.Second, PeakMemory: 100}))
	w.want(used(), []any{2 * time.Second, int64(200)})
	w.want(w.status(b), "running")
}

// TestUsageIsCarriedOver: a step that a restart does not run again still shows
// what it used.
func TestUsageIsCarriedOver(t *testing.T) {
	w := newWorld(t)
	first := w.build(w.repo("app"), store.Build{}, job("lint"), job("test"))
	lint := w.claim()
	w.ok(w.StartStep(t.Context(), lint.ID, 1, w.now))
	w.ok(w.FinishStep(t.Context(), store.Step{JobID: lint.ID, Number: 1, Status: store.Success, CPU: 2 * time.Second, PeakMemory: 100}))
	w.finish(lint, store.Success)
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Failure, "exit code 1", 1))

	second, err := w.Restart(t.Context(), first.ID, "admin", store.Rerun{FailedOnly: true})
	w.ok(err)
	w.plan(second, w.carrying(first, "lint"), job("test"))
	jobs, err := w.Jobs(t.Context(), second.ID)
	w.ok(err)
	steps, err := w.Steps(t.Context(), jobs[0].ID)
	w.ok(err)
	w.want([]any{jobs[0].Name, steps[0].CPU, steps[0].PeakMemory}, []any{"lint", 2 * time.Second, int64(100)})
}
