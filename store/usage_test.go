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
