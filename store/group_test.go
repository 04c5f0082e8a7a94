package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// grouped is a job of the group "g".
func grouped(name string, limit int, cancel bool, deps ...string) store.NewJob {
	j := job(name, deps...)
	j.Group = store.Group{Name: "g", Limit: limit, Cancel: cancel}
	return j
}

func (w *world) noneToClaim() {
	w.Helper()
	if j, err := w.Claim(w.Context()); !errors.Is(err, store.ErrNotFound) {
		w.Fatalf("claimed job %d of build %d (%v), want none", j.Number, j.BuildID, err)
	}
}

func (w *world) finish(j store.Job, to store.Status) {
	w.Helper()
	w.ok(w.FinishJob(w.Context(), j.ID, to, "", 0))
}

// jobReasons are the jobs of a build as "status: reason".
func (w *world) jobReasons(b store.Build) (out []string) {
	w.Helper()
	jobs, err := w.Jobs(w.Context(), b.ID)
	w.ok(err)
	for _, j := range jobs {
		s := string(j.Status)
		if j.Reason != "" {
			s += ": " + j.Reason
		}
		out = append(out, s)
	}
	return out
}

func TestGroupRunsAtMostItsLimit(t *testing.T) {
	w := newWorld(t)
	app, other := w.repo("app"), w.repo("other")
	one := w.build(app, store.Build{}, grouped("main", 2, false))
	two := w.build(app, store.Build{}, grouped("main", 2, false))
	three := w.build(app, store.Build{}, grouped("main", 2, false), job("free"))
	four := w.build(app, store.Build{}, grouped("main", 2, false))
	elsewhere := w.build(other, store.Build{}, grouped("main", 1, false))
	w.want(w.jobReasons(three), []string{"pending: waits for its turn in the group g", "pending"})

	got := map[int64]store.Job{}
	var order []string
	for range 4 {
		j := w.claim()
		got[j.BuildID] = j
		order = append(order, fmt.Sprintf("%d/%s", j.BuildID, j.Name))
	}
	w.want(order, []string{fmt.Sprint(one.ID, "/main"), fmt.Sprint(elsewhere.ID, "/main"), fmt.Sprint(two.ID, "/main"), fmt.Sprint(three.ID, "/free")})
	w.noneToClaim()

	w.finish(got[two.ID], store.Failure)
	w.want(w.jobReasons(three), []string{"pending", "running"})
	w.want(w.claim().BuildID, three.ID)
	w.noneToClaim()
	w.finish(got[one.ID], store.Success)
	w.want(w.claim().BuildID, four.ID)
}

func TestWaitingInAGroupEndsWithACancel(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	w.build(app, store.Build{}, grouped("main", 1, false))
	two := w.build(app, store.Build{}, grouped("main", 1, false))
	three := w.build(app, store.Build{}, grouped("main", 1, false))
	first := w.claim()
	w.ok(w.RequestCancel(t.Context(), two.ID, "alice"))
	w.noneToClaim()
	w.finish(first, store.Success)
	w.want(w.claim().BuildID, three.ID)
}

func TestCanceledBuildsLeaveTheirGroup(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	one := w.build(app, store.Build{}, grouped("main", 1, false)) // admitted, and never claimed
	two := w.build(app, store.Build{}, grouped("main", 1, false))
	w.ok(w.RequestCancel(t.Context(), one.ID, "alice"))
	w.want(w.claim().BuildID, two.ID)
}

func TestNewerBuildSupersedesTheOldestOfItsGroup(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	one := w.build(app, store.Build{}, grouped("main", 2, true), job("after", "main"))
	running := w.claim()
	two := w.build(app, store.Build{}, grouped("main", 2, true))
	w.want(w.jobReasons(two), []string{"pending"})
	three := w.build(app, store.Build{}, grouped("main", 2, true))

	w.want(w.jobReasons(three), []string{"pending: waits for its turn in the group g"})
	stop, err := w.StopRequest(t.Context(), running.ID)
	w.ok(err)
	w.want(stop, store.StopRequest{Superseded: "superseded by build #3"})

	// The one that is told to stop counts no more: four stops two, which waits.
	four := w.build(app, store.Build{}, grouped("main", 2, true))
	w.want(w.status(two), "canceled: superseded by build #4")
	w.ok(w.FinishJob(t.Context(), running.ID, store.Canceled, stop.Superseded, 0))
	w.want(w.status(one), "canceled: workflow main: superseded by build #3")
	w.want(w.jobStates(one), map[string]string{"main": "canceled", "after": "skipped"})
	w.want(w.claim().BuildID, three.ID)
	w.want(w.claim().BuildID, four.ID)
}

func TestMatrixDoesNotSupersedeItself(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	old := w.build(app, store.Build{}, grouped("a", 1, true), grouped("b", 1, true))
	b := w.build(app, store.Build{}, grouped("a", 1, true), grouped("b", 1, true))
	w.want(w.jobReasons(old), []string{"canceled: superseded by build #2", "canceled: superseded by build #2"})
	w.want(w.status(old), "canceled: workflow a: superseded by build #2")
	first := w.claim()
	w.noneToClaim()
	w.finish(first, store.Success)
	w.finish(w.claim(), store.Success)
	w.want(w.status(b), "success")
}

func TestLateJobOfAnOldBuildYieldsToTheNewer(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	old := w.build(app, store.Build{}, job("test"), grouped("deploy", 1, true, "test"))
	test := w.claim()
	w.build(app, store.Build{}, grouped("deploy", 1, true))
	deploy := w.claim()
	w.finish(test, store.Success)
	w.want(w.status(old), "canceled: workflow deploy: superseded by build #2")
	stop, err := w.StopRequest(t.Context(), deploy.ID)
	w.ok(err)
	w.want(stop, store.StopRequest{})
}

func TestJobsKeepTheirMatrix(t *testing.T) {
	w := newWorld(t)
	j := grouped("test (1.26)", 3, true)
	j.Base, j.Matrix = "test", map[string]string{"GO": "1.26"}
	b := w.build(w.repo("app"), store.Build{}, j)
	jobs, err := w.Jobs(t.Context(), b.ID)
	w.ok(err)
	w.want(jobs[0].Base, "test")
	w.want(jobs[0].Matrix, j.Matrix)
	w.want(jobs[0].Group, j.Group)
}

// BenchmarkClaimHeld claims while 100,000 jobs are held back by full groups.
func BenchmarkClaimHeld(b *testing.B) {
	const repos, queued, groups = 50, 100_000, 10
	s := storetest.Open(b, nil)
	fillQueue(b, s, repos, queued, func(i int) store.Group {
		return store.Group{Name: fmt.Sprint("group", i%groups), Limit: 1}
	})
	for b.Loop() {
		j, err := s.Claim(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := s.FinishJob(b.Context(), j.ID, store.Success, "", 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}
