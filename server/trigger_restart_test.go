package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// restart asks for a new run of a build.
func (f *forge) restart(name string, number int64) store.Build {
	f.Helper()
	r, err := f.store.Repo(f.ctx, "acme", name)
	f.ok(err)
	b, err := f.store.Build(f.ctx, r.ID, number)
	f.ok(err)
	again, err := f.store.Restart(f.ctx, b.ID, "admin", store.Rerun{})
	f.ok(err)
	return again
}

// endAll ends what is queued.
func (f *forge) endAll() {
	f.Helper()
	for {
		j, err := f.store.Claim(f.ctx)
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		f.ok(err)
		f.ok(f.store.FinishJob(f.ctx, j.ID, store.Success, "", 0))
	}
}

func TestRestartIsPlannedAnew(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	sha := f.push(r, githubtest.Change{})
	f.settled()
	f.endAll()
	b := f.restart("app", 1)
	f.settled()
	f.want(f.builds("app"), []string{fmt.Sprintf("success %.7s", sha), fmt.Sprintf("pending %.7s", sha)})
	jobs, err := f.store.Jobs(f.ctx, b.ID)
	f.ok(err)
	if len(jobs) != 1 || !strings.Contains(string(jobs[0].Plan), `"CI_PIPELINE_NUMBER":"2"`) {
		t.Errorf("jobs: %v", jobs)
	}
}

// newForgeWithoutMirror is a forge with a build that has ended, whose restart needs
// a fetch. No trigger runs.
func newForgeWithoutMirror(t *testing.T) *forge {
	t.Helper()
	f := newForge(t)
	stop := f.start()
	f.push(f.addRepo("app"), githubtest.Change{})
	f.settled()
	f.endAll()
	stop()
	f.ok(f.mirrors.Remove(f.ctx, f.storedRepo("app").MirrorKey()))
	return f
}

// A restart whose commit cannot be fetched says so, is put off, and can be
// canceled meanwhile.
func TestRestartDuringAnOutage(t *testing.T) {
	f := newForgeWithoutMirror(t)
	f.options.RetryBase = time.Hour
	f.github.FailNext(githubtest.ScopeGit, 1000, http.StatusServiceUnavailable, nil)
	f.start()
	b := f.restart("app", 1)
	f.until("a try has failed", func() bool {
		got, err := f.store.BuildByID(f.ctx, b.ID)
		f.ok(err)
		return got.Attempts == 1
	})
	if got := f.builds("app")[1]; !strings.HasPrefix(got, "pending: cannot fetch the commit: ") {
		t.Errorf("the restarted build is %s", got)
	}
	f.ok(f.store.RequestCancel(f.ctx, b.ID, "admin"))
	f.settled()
	f.want(f.builds("app")[1], "canceled: canceled by admin")
}

func TestRestartDuringAnOutageThatLasts(t *testing.T) {
	f := newForgeWithoutMirror(t)
	f.github.FailNext(githubtest.ScopeGit, 1000, http.StatusServiceUnavailable, nil)
	f.restart("app", 1)
	f.start() // planned after a restart of the server too
	f.settled()
	if got := f.builds("app")[1]; !strings.HasPrefix(got, "error: cannot fetch the commit: ") {
		t.Errorf("the restarted build is %s", got)
	}
}

// A restart that is asked for while a delivery is worked out takes its number;
// the delivery's build gets the next one, and its plan says so.
func TestRestartAndDeliveryWantTheSameNumber(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	first := f.push(r, githubtest.Change{})
	f.settled()
	f.endAll()
	hang := f.github.Hang(githubtest.ScopeGit, 1)
	second := f.push(r, githubtest.Change{})
	f.ok(hang.Wait(f.ctx, 1)) // number 2 is what it will ask for
	f.restart("app", 1)
	hang.Release()
	f.settled()
	f.want(f.builds("app"), []string{fmt.Sprintf("success %.7s", first), fmt.Sprintf("pending %.7s", first), fmt.Sprintf("pending %.7s", second)})
	repo, err := f.store.Repo(f.ctx, "acme", "app")
	f.ok(err)
	b, err := f.store.Build(f.ctx, repo.ID, 3)
	f.ok(err)
	jobs, err := f.store.Jobs(f.ctx, b.ID)
	f.ok(err)
	if !strings.Contains(string(jobs[0].Plan), `"CI_PIPELINE_NUMBER":"3"`) {
		t.Errorf("the plan was made for another number")
	}
}

// A trigger that is stopped in the middle leaves the delivery pending, counts
// no failed try, and the next one takes it up.
func TestDeliveryIsTakenUpAfterARestart(t *testing.T) {
	f := newForge(t)
	hang := f.github.Hang(githubtest.ScopeGit, 1)
	stop := f.start()
	sha := f.push(f.addRepo("app"), githubtest.Change{})
	f.ok(hang.Wait(f.ctx, 1))
	stop()
	for _, d := range f.deliveries() {
		if d.Event == "push" {
			f.want([]any{d.Status, d.Attempts}, []any{store.DeliveryPending, 0})
		}
	}
	f.start()
	f.settled()
	f.want(f.builds("app"), []string{fmt.Sprintf("pending %.7s", sha)})
}
