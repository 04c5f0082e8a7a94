package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// outage lets the next try to fetch fail, and holds the one after it.
func (f *forge) outage() *githubtest.Hang {
	f.github.FailNext(githubtest.ScopeGit, 1, http.StatusServiceUnavailable, nil)
	return f.github.Hang(githubtest.ScopeGit, 1)
}

// used makes a repository of which slipway knows that it uses it.
func (f *forge) used() (*githubtest.Repo, string) {
	f.Helper()
	r := f.addRepo("app")
	sha := f.push(r, githubtest.Change{})
	f.settled()
	return r, fmt.Sprintf("pending %.7s", sha)
}

// A commit that cannot be fetched has a build at once, which says what it waits
// for and is the one that runs. Those after it wait their turn.
func TestCommitIsPendingDuringAnOutage(t *testing.T) {
	f := newForge(t)
	f.start()
	r, first := f.used()
	hang := f.outage()
	second := f.push(r, githubtest.Change{})
	f.ok(hang.Wait(f.ctx, 1))
	third := f.push(r, githubtest.Change{})
	got := f.builds("app")
	if len(got) != 2 || !strings.HasPrefix(got[1], "pending: cannot fetch the commit: ") {
		t.Fatalf("builds: %q", got)
	}
	b := f.storedBuild("app", 2)
	f.want([]any{b.Planned, b.SHA, b.Attempts}, []any{false, second, 1})
	dirty, err := f.store.DirtyCommits(f.ctx, 10)
	f.ok(err)
	f.want(dirty[len(dirty)-1].SHA, second) // GitHub is told
	d, err := f.store.DeliveryByGUID(f.ctx, b.Delivery)
	f.ok(err)
	f.want([]any{d.Status, d.BuildID, d.Attempts}, []any{store.DeliveryPending, b.ID, 1})
	hang.Release()
	f.settled()
	f.want(f.builds("app"), []string{first, fmt.Sprintf("pending %.7s", second), fmt.Sprintf("pending %.7s", third)})
	f.want(f.outcomes("push"), []string{"done: build #1", "done: build #2", "done: build #3"})
	f.want(len(f.workflow(f.storedBuild("app", 2)).Steps), 1)
}

func TestBuildThatIsCanceledDuringAnOutage(t *testing.T) {
	f := newForge(t)
	f.start()
	r, first := f.used()
	hang := f.outage()
	f.push(r, githubtest.Change{})
	f.ok(hang.Wait(f.ctx, 1))
	f.ok(f.store.RequestCancel(f.ctx, f.storedBuild("app", 2).ID, "admin"))
	hang.Release()
	f.settled()
	f.want(f.builds("app"), []string{first, "canceled: canceled by admin"})
	f.want(f.outcomes("push"), []string{"done: build #1", "done: build #2"})
	// Sent again, it is built.
	f.ok(f.store.Redeliver(f.ctx, f.storedBuild("app", 2).Delivery))
	f.settled()
	f.want(strings.Fields(f.builds("app")[2])[0], "pending")
}

// An outage that lasts ends as an error also where the build was there before.
func TestOutageThatLastsEndsTheBuild(t *testing.T) {
	f := newForge(t)
	f.start()
	r, first := f.used()
	f.github.FailNext(githubtest.ScopeGit, 1000, http.StatusServiceUnavailable, nil)
	f.push(r, githubtest.Change{})
	f.settled()
	got := f.builds("app")
	if len(got) != 2 || got[0] != first || !strings.HasPrefix(got[1], "error: cannot fetch the commit: ") {
		t.Errorf("builds: %q", got)
	}
}

// Nobody can approve a fork's commit before it is known what it would run.
func TestForkDuringAnOutage(t *testing.T) {
	f := newForge(t)
	f.start()
	r, _ := f.used()
	fork, err := r.Fork(f.ctx, "mallory")
	f.ok(err)
	head := f.commit(fork, githubtest.Change{Branch: "fix", Files: map[string]string{"n": "1"}})
	hang := f.outage()
	_, err = r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Fix", Head: "fix", From: fork})
	f.ok(err)
	f.ok(hang.Wait(f.ctx, 1))
	if err := f.store.Approve(f.ctx, f.storedBuild("app", 2).ID, head, "admin"); err == nil {
		t.Error("a build that is not planned was approved")
	}
	hang.Release()
	f.settled()
	f.want(f.builds("app")[1], "blocked: waits for approval: a pull request from a fork")
	f.ok(f.store.RequestCancel(f.ctx, f.storedBuild("app", 2).ID, "admin"))
	f.restart("app", 2)
	f.settled()
	f.want(f.builds("app")[2], "blocked: waits for approval: a pull request from a fork")
}
