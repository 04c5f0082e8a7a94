package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// world is a store with the words that its tests are written in. Its methods
// fail the test on an unexpected error.
type world struct {
	*testing.T
	*store.Store
	now time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.UnixMilli(1_700_000_000_000)}
	w.Store = storetest.Open(t, func() time.Time { return w.now })
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) repo(name string) store.Repo {
	w.Helper()
	var id int64
	for _, c := range name {
		id = id*31 + int64(c)
	}
	r, err := w.UpsertRepo(w.Context(), store.Repo{RemoteID: id, Owner: "acme", Name: name,
		DefaultBranch: "main", CloneURL: "https://git.example/acme/" + name, HTMLURL: "https://git.example/acme/" + name})
	w.ok(err)
	return r
}

// job is a job with one step; deps are the names it depends on.
func job(name string, deps ...string) store.NewJob {
	return store.NewJob{Name: name, Plan: []byte(`{}`), DependsOn: deps, OnSuccess: true,
		Steps: []store.NewStep{{Name: "test", Kind: "commands", Image: "busybox"}}}
}

func (w *world) build(r store.Repo, b store.Build, jobs ...store.NewJob) store.Build {
	w.Helper()
	r, err := w.RepoByID(w.Context(), r.ID)
	w.ok(err)
	b.RepoID, b.Number, b.Planned = r.ID, r.LastNumber+1, true
	if b.SHA == "" {
		b.SHA = fmt.Sprintf("%040x", b.Number)
	}
	if b.Event == "" {
		b.Event = "push"
	}
	out, err := w.CreateBuild(w.Context(), b, jobs)
	w.ok(err)
	return out
}

func (w *world) claim() store.Job {
	w.Helper()
	j, err := w.Claim(w.Context())
	w.ok(err)
	return j
}

func (w *world) status(b store.Build) string {
	w.Helper()
	b, err := w.BuildByID(w.Context(), b.ID)
	w.ok(err)
	if b.Reason == "" {
		return string(b.Status)
	}
	return string(b.Status) + ": " + b.Reason
}

func (w *world) jobStates(b store.Build) map[string]string {
	w.Helper()
	jobs, err := w.Jobs(w.Context(), b.ID)
	w.ok(err)
	out := map[string]string{}
	for _, j := range jobs {
		out[j.Name] = string(j.Status)
	}
	return out
}

func (w *world) want(got, want any) {
	w.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.Fatalf("(-want +got)\n%s", d)
	}
}

func TestBuildRunsToItsVerdict(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{}, job("main"))
	w.want(w.status(b), "pending")

	w.now = w.now.Add(time.Second)
	j := w.claim()
	w.want(w.status(b), "running")
	w.ok(w.StartStep(t.Context(), j.ID, 1, w.now))
	w.ok(w.IntendOp(t.Context(), j.ID, "start/1/1"))
	w.ok(w.DoneOp(t.Context(), j.ID, "start/1/1", "c1"))
	ops, err := w.Ops(t.Context(), j.ID)
	w.ok(err)
	w.want(ops, []store.OpRecord{{Key: "start/1/1", Done: true, ID: "c1"}})

	w.ok(w.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 1, Status: store.Failure, Exited: true, ExitCode: 2,
		Reason: "exit code 2", FinishedAt: w.now}))
	w.ok(w.FinishJob(t.Context(), j.ID, store.Failure, "step test failed: exit code 2", 1))
	w.want(w.status(b), "failure: step test failed: exit code 2")
	w.ok(w.IntendOp(t.Context(), j.ID, "remove-job/0/0"))
	w.ok(w.DoneOp(t.Context(), j.ID, "remove-job/0/0", ""))
	if ops, err := w.Ops(t.Context(), j.ID); err != nil || len(ops) > 0 {
		t.Fatalf("recorded of a job that has ended: %v, %v", ops, err)
	}

	if err := w.FinishJob(t.Context(), j.ID, store.Success, "", 0); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("a second end of a job: %v, want ErrConflict", err)
	}
	ops, err = w.Ops(t.Context(), j.ID)
	w.ok(err)
	w.want(len(ops), 0)
}

func TestWorkflowsWaitForEachOther(t *testing.T) {
	w := newWorld(t)
	onFailure := job("notify", "test", "lint")
	onFailure.OnSuccess, onFailure.OnFailure = false, true
	filtered := job("docs")
	filtered.Skip = "branch is x"
	b := w.build(w.repo("app"), store.Build{},
		job("test"), job("lint"), job("deploy", "test", "docs"), job("after", "deploy"), onFailure, filtered)
	w.want(w.jobStates(b), map[string]string{"test": "pending", "lint": "pending", "deploy": "blocked",
		"after": "blocked", "notify": "blocked", "docs": "skipped"})

	first, second := w.claim(), w.claim()
	w.ok(w.FinishJob(t.Context(), first.ID, store.Failure, "step test failed: exit code 1", 1))
	w.want(w.jobStates(b), map[string]string{"test": "failure", "lint": "running", "deploy": "skipped",
		"after": "skipped", "notify": "blocked", "docs": "skipped"})
	w.ok(w.FinishJob(t.Context(), second.ID, store.Success, "", 0))
	w.want(w.jobStates(b)["notify"], "pending")
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Success, "", 0))
	w.want(w.status(b), "failure: workflow test: step test failed: exit code 1")
}

func TestEverythingSkippedIsAVerdictToo(t *testing.T) {
	w := newWorld(t)
	j := job("main")
	j.Skip = "event is push"
	w.want(w.status(w.build(w.repo("app"), store.Build{}, j)), "skipped: skipped: no workflow matches")
	w.want(w.status(w.build(w.repo("app"), store.Build{Status: store.Error, Reason: "bad"})), "error: bad")
}

func TestRepositoriesTakeTurns(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.repo("a"), w.repo("b"), w.repo("c")
	for range 3 {
		w.build(a, store.Build{}, job("main"))
	}
	w.build(b, store.Build{}, job("main"))
	w.build(c, store.Build{}, job("main"))
	names := map[int64]string{a.ID: "a", b.ID: "b", c.ID: "c"}
	var order []string
	for range 5 {
		j := w.claim()
		build, err := w.BuildByID(t.Context(), j.BuildID)
		w.ok(err)
		order = append(order, fmt.Sprintf("%s%d", names[j.RepoID], build.Number))
	}
	w.want(order, []string{"a1", "b1", "c1", "a2", "a3"})
	if _, err := w.Claim(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("claim of an empty queue: %v", err)
	}
}

func TestConcurrentClaimsTakeEachJobOnce(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	const n = 40
	for range n {
		w.build(r, store.Build{}, job("main"))
	}
	var mu sync.Mutex
	taken := map[int64]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				j, err := w.Claim(context.Background())
				if errors.Is(err, store.ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				taken[j.ID]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.want(len(taken), n)
	for id, times := range taken {
		if times != 1 {
			t.Errorf("job %d was claimed %d times", id, times)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Run("what waits ends at once", func(t *testing.T) {
		w := newWorld(t)
		b := w.build(w.repo("app"), store.Build{}, job("main"), job("after", "main"))
		w.ok(w.RequestCancel(t.Context(), b.ID, "admin"))
		w.want(w.status(b), "canceled: canceled by admin")
		w.want(w.jobStates(b), map[string]string{"main": "canceled", "after": "canceled"})
		if err := w.RequestCancel(t.Context(), b.ID, "admin"); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("cancel of an ended build: %v", err)
		}
	})
	t.Run("what runs ends when it has stopped", func(t *testing.T) {
		w := newWorld(t)
		b := w.build(w.repo("app"), store.Build{}, job("main"), job("after", "main"))
		j := w.claim()
		w.ok(w.RequestCancel(t.Context(), b.ID, "admin"))
		w.ok(w.RequestCancel(t.Context(), b.ID, "admin"))
		w.want(w.status(b), "running")
		got, err := w.BuildByID(t.Context(), b.ID)
		w.ok(err)
		w.want(got.Cancels, 2)
		w.ok(w.FinishJob(t.Context(), j.ID, store.Canceled, "canceled by admin", 0))
		w.want(w.status(b), "canceled: workflow main: canceled by admin")
	})
}

func TestApprovalIsBoundToTheCommit(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	pull := &store.Pull{Number: 7, Fork: true}
	old := w.build(r, store.Build{Event: "pull_request", SHA: "aaaa", Pull: pull, NeedsApproval: true,
		Reason: "waits for approval"}, job("main"))
	w.want(w.status(old), "blocked: waits for approval")
	if _, err := w.Claim(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("an unapproved job can be claimed: %v", err)
	}
	if err := w.Approve(t.Context(), old.ID, "bbbb", "admin"); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("approval of another commit: %v", err)
	}
	head := w.build(r, store.Build{Event: "pull_request", SHA: "bbbb", Pull: pull, NeedsApproval: true}, job("main"))
	w.want(w.status(old), "canceled: superseded by bbbb")
	w.ok(w.Approve(t.Context(), head.ID, "bbbb", "admin"))
	j := w.claim()
	w.want(j.BuildID, head.ID)

	// A restart is of the commit that was approved.
	w.ok(w.FinishJob(t.Context(), j.ID, store.Success, "", 0))
	again, err := w.Restart(t.Context(), head.ID, "admin", store.Rerun{})
	w.ok(err)
	w.want([]any{again.NeedsApproval, again.ApprovedBy}, []any{false, "admin"})
}

func TestRestartIsANewRunOfTheSameBuild(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{SHA: "cccc"}, job("main"))
	if _, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("restart of a pending build: %v", err)
	}
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Failure, "x", 1))
	again, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{})
	w.ok(err)
	w.want([]any{again.Number, again.Parent, again.OriginID, again.Planned}, []any{int64(2), int64(1), b.ID, false})

	unplanned, err := w.UnplannedBuilds(t.Context())
	w.ok(err)
	w.want(len(unplanned), 1)
	again.Planned = true
	w.ok(w.PlanBuild(t.Context(), again, []store.NewJob{job("main")}))
	runs, err := w.CommitRuns(t.Context(), b.RepoID, "cccc")
	w.ok(err)
	w.want(len(runs), 1)
	w.want(runs[0].Number, int64(2))
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Success, "", 0))
	w.want(w.status(again), "success")
}

func TestDeliveryIsStoredOnce(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	added := 0
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			ok, err := w.AddDelivery(context.Background(), store.Delivery{GUID: "g", Event: "push", Body: []byte("{}"),
				Headers: map[string][]string{"X-Github-Event": {"push"}}})
			if err != nil {
				t.Error(err)
			}
			if ok {
				mu.Lock()
				added++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.want(added, 1)
	r := w.repo("app")
	w.build(r, store.Build{Delivery: "g"}, job("main"))
	d, err := w.DeliveryByGUID(t.Context(), "g")
	w.ok(err)
	w.want([]any{d.Status, d.Outcome, d.Headers.Get("X-GitHub-Event"), string(d.Body)},
		[]any{store.DeliveryDone, "build #1", "push", "{}"})

	// A delivery that was handled makes no second build, whoever tries.
	_, err = w.CreateBuild(t.Context(), store.Build{RepoID: r.ID, Number: 2, Planned: true, Event: "push", SHA: "x", Delivery: "g"}, nil)
	if !errors.Is(err, store.ErrConflict) {
		t.Fatalf("second build of a delivery: %v", err)
	}
	if r, err = w.RepoByID(t.Context(), r.ID); err != nil || r.LastNumber != 1 {
		t.Fatalf("the failed build took number %d (%v)", r.LastNumber, err)
	}
}

func TestOutboxKeepsOnlyWhatIsNewest(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{SHA: "dddd"}, job("main"))
	dirty, err := w.DirtyCommits(t.Context(), 10)
	w.ok(err)
	w.want(len(dirty), 1)
	set := func(state string) {
		t.Helper()
		w.ok(w.SetStatuses(t.Context(), dirty[0], []store.WantedStatus{{Context: "slipway", State: state}}))
	}
	set("pending")
	set("pending") // equal: nothing new
	unsent, err := w.UnsentStatuses(t.Context(), 10)
	w.ok(err)
	w.want([]any{len(unsent), unsent[0].Version}, []any{1, int64(1)})

	// While the pending one is on its way, the verdict comes.
	set("success")
	w.ok(w.StatusSent(t.Context(), unsent[0]))
	unsent, err = w.UnsentStatuses(t.Context(), 10)
	w.ok(err)
	w.want([]any{len(unsent), unsent[0].State, unsent[0].Sent}, []any{1, "success", int64(1)})
	w.ok(w.StatusFailed(t.Context(), unsent[0], w.now.Add(time.Hour), 422, "No commit found"))
	all, err := w.CommitStatuses(t.Context(), b.RepoID, "dddd")
	w.ok(err)
	w.want([]any{all[0].Refused, all[0].Attempts, all[0].Delivered()}, []any{422, 1, false})
	w.ok(w.StatusSent(t.Context(), unsent[0]))
	all, err = w.CommitStatuses(t.Context(), b.RepoID, "dddd")
	w.ok(err)
	w.want([]any{all[0].Refused, all[0].Error, all[0].Delivered()}, []any{0, "", true})

	dirty, err = w.DirtyCommits(t.Context(), 10)
	w.ok(err)
	w.want(len(dirty), 0)
}

func TestSubscriptionMergesAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	sub := w.Subscribe()
	defer sub.Close()
	b := w.build(w.repo("app"), store.Build{}, job("main"))
	j := w.claim()
	w.ok(w.FinishJob(t.Context(), j.ID, store.Success, "", 0))
	events, err := sub.Next(t.Context())
	w.ok(err)
	w.want(events, []store.Event{{Kind: store.BuildChanged, RepoID: b.RepoID, BuildID: b.ID}})
	w.want(len(sub.Take()), 0)
}

func TestRepositoryTakesOverAName(t *testing.T) {
	w := newWorld(t)
	old := w.repo("app")
	taken, err := w.UpsertRepo(t.Context(), store.Repo{RemoteID: 1, Owner: "Acme", Name: "App"})
	w.ok(err)
	got, err := w.Repo(t.Context(), "acme", "app")
	w.ok(err)
	w.want(got.ID, taken.ID)
	moved, err := w.RepoByID(t.Context(), old.ID)
	w.ok(err)
	w.want(moved.Name, fmt.Sprintf("app~%d", old.RemoteID))
}

func TestEverythingSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with ?strange&name", "slipway.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.ServerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	again, err := s.ServerID(t.Context())
	if err != nil || again != id || len(id) != 10 {
		t.Fatalf("server ID %q, then %q (%v)", id, again, err)
	}
}
