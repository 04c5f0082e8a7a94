package webui

import (
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

func TestHistoryDrawsTheNewestLast(t *testing.T) {
	run := func(n int64, took time.Duration, s store.Status) store.StepRun {
		at := time.Unix(1000, 0)
		return store.StepRun{BuildNumber: n, Status: s, StartedAt: at, FinishedAt: at.Add(took)}
	}
	v := newHistory([]store.StepRun{run(4, 10*time.Second, store.Failure), run(3, 20*time.Second, store.Success),
		run(2, 0, store.Success), run(1, 40*time.Second, store.Success)})
	if v.Summary != "3 of the last 4 passed, usually in 20s" {
		t.Error(v.Summary)
	}
	if first, last := v.Bars[0], v.Bars[3]; first.Title != "#1 Passed 40s" || first.X != 0 || first.H != historyHeight || first.Y != 0 ||
		last.Title != "#4 Failed 10s" || !last.Failed || last.X != 3*historyStep || last.H != historyHeight/4 {
		t.Errorf("%+v", v.Bars)
	}
	if v.Bars[1].H != historyLeast {
		t.Errorf("a run that took no time cannot be seen: %+v", v.Bars[1])
	}
}
