package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

const main, side = "refs/heads/main", "refs/heads/side"

func (w *world) history(b store.Build) store.StepHistory {
	w.Helper()
	h, err := w.StepHistory(w.Context(), b, store.StepKey{RepoID: b.RepoID, Workflow: "test", Step: "test"}, "main")
	w.ok(err)
	return h
}

func TestStepFailsSince(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Failure)
	w.run(r, main, "b", store.Success)
	w.run(r, main, "c", store.Failure)
	w.run(r, main, "c", store.Canceled) // says nothing
	w.run(r, side, "d", store.Success)
	b := w.run(r, main, "e", store.Error)
	w.run(r, main, "f", store.Success) // comes later

	h := w.history(b)
	w.want(h.Since.BuildNumber, int64(3))
	w.want(h.Longer, false)
	w.want(h.OnDefault == nil && h.Flaky == nil, true)
	var numbers []int64
	for _, run := range h.Runs {
		numbers = append(numbers, run.BuildNumber)
	}
	w.want(numbers, []int64{6, 3, 2, 1})
	w.want(h.Runs[0].Duration(), time.Second)
}

func TestStepFailsForLongerThanIsRemembered(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	var b store.Build
	for i := range 52 {
		b = w.run(r, main, fmt.Sprint(i), store.Failure)
	}
	h := w.history(b)
	w.want(len(h.Runs), 50)
	w.want(h.Since.BuildNumber, int64(3))
	w.want(h.Longer, true)
}

func TestStepFailsOnDefaultBranchToo(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Failure)
	b := w.run(r, side, "b", store.Failure)
	w.want(w.history(b).OnDefault.BuildNumber, int64(1))
	w.run(r, main, "c", store.Success)
	w.want(w.history(b).OnDefault == nil, true)
}

func TestFlakyStep(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	failed := w.run(r, main, "a", store.Failure)
	passed := w.run(r, side, "a", store.Success)
	w.want(w.history(failed).Flaky.BuildNumber, passed.Number)
	h := w.history(passed)
	w.want(h.Flaky == nil && h.Since == nil, true)
	w.want(len(h.Runs), 1)
}

// BenchmarkStepHistory asks for the history of a step in a repository of 100,000
// builds: of the default branch, where all are, and of a branch of one.
func BenchmarkStepHistory(b *testing.B) {
	const builds, commits = 100_000, 50_000
	s := storetest.Open(b, nil)
	ctx := b.Context()
	r, err := s.UpsertRepo(ctx, store.Repo{RemoteID: 1, Owner: "acme", Name: "ferry", DefaultBranch: "main"})
	if err != nil {
		b.Fatal(err)
	}
	jobs := []store.NewJob{job("lint"), job("test")}
	var last store.Build
	for n := int64(1); n <= builds; n++ {
		ref := main
		if n == builds {
			ref = side
		}
		if last, err = s.CreateBuild(ctx, store.Build{RepoID: r.ID, Number: n, Planned: true, Event: "push", Ref: ref,
			SHA: fmt.Sprint(n % commits)}, jobs); err != nil {
			b.Fatal(err)
		}
		for range jobs {
			j, err := s.Claim(ctx)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.FinishStep(ctx, store.Step{JobID: j.ID, Number: 1, Status: store.Failure}); err != nil {
				b.Fatal(err)
			}
		}
	}
	key := store.StepKey{RepoID: r.ID, Workflow: "test", Step: "test"}
	onMain := last
	onMain.Ref, onMain.Number = main, builds-1
	for name, build := range map[string]store.Build{"main": onMain, "branch": last} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.StepHistory(ctx, build, key, "main"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
