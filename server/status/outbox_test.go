package status_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

func TestStatesArriveInOrder(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	w.build(sha, "main")
	w.waitPosted(sha, "pending")
	w.until(sha, "it is delivered", delivered)
	j, err := w.store.Claim(w.ctx)
	w.ok(err)
	_, err = w.repo.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.Description == "running" })
	w.ok(err)
	w.ok(w.store.FinishJob(w.ctx, j.ID, store.Failure, "step test failed: exit code 2", 1))
	s := w.waitPosted(sha, "failure")
	w.want(s.TargetURL, "https://ci.example/repos/acme/app/builds/1/jobs/1/steps/1")
	w.want(w.posted(sha), []string{"slipway pending: queued", "slipway pending: running", "slipway failure: step test failed: exit code 2"})
	w.until(sha, "it is delivered", delivered)
}

// While a request hangs the state changes several times: GitHub hears of the
// newest one only, after what was under way.
func TestStatesThatWereOvertakenAreNotSent(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	hang := w.github.Hang(githubtest.ScopeStatuses, 1)
	b := w.build(sha, "main")
	w.ok(hang.Wait(w.ctx, 1))
	w.run(store.Failure, "flaky")
	again, err := w.store.Restart(w.ctx, b.ID, "admin", store.Rerun{})
	w.ok(err)
	again.Planned = true
	w.ok(w.store.PlanBuild(w.ctx, again, []store.NewJob{{Name: "main", Plan: []byte("{}"), OnSuccess: true}}))
	w.run(store.Success, "")
	// The final state is worked out while the first request hangs.
	w.until(sha, "the verdict is known", func(s store.CommitStatus) bool { return s.State == "success" })
	w.want(len(w.posted(sha)), 0)
	hang.Release()
	w.waitPosted(sha, "success")
	w.want(w.posted(sha), []string{"slipway pending: queued", "slipway success: passed in 0s"})
}

func TestWorkflowsHaveContextsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	w.build(sha, "lint", "test")
	w.run(store.Success, "")
	w.run(store.Failure, "step x failed: exit code 1")
	for context, state := range map[string]string{"slipway": "failure", "slipway/lint": "success", "slipway/test": "failure"} {
		_, err := w.repo.WaitStatus(w.ctx, sha, context, func(s githubtest.Status) bool { return s.State == state })
		w.ok(err)
	}
}

func TestFaultsThatPass(t *testing.T) {
	tests := []struct {
		name  string
		fault func(*world)
		posts int // how often it may arrive
	}{
		{"502", func(w *world) { w.github.FailNext(githubtest.ScopeStatuses, 3, http.StatusBadGateway, nil) }, 1},
		{"500, then 503", func(w *world) {
			w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusInternalServerError, nil)
			w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusServiceUnavailable, nil)
		}, 1},
		{"dropped connections", func(w *world) { w.github.Drop(githubtest.ScopeStatuses, 3) }, 1},
		// GitHub has it, and we cannot know: it is sent again, which harms nobody.
		{"a lost answer", func(w *world) { w.github.DropAnswer(githubtest.ScopeStatuses, 1) }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.fault(w)
			sha := w.commit()
			w.build(sha)
			row := w.until(sha, "it is delivered", delivered)
			w.want([]any{row.Attempts, row.Error, row.Refused}, []any{0, "", 0})
			w.want(w.github.FaultsLeft(), 0)
			w.want(len(w.posted(sha)), tt.posts)
		})
	}
}

func TestRequestThatTakesTooLong(t *testing.T) {
	w := newWorld(t)
	w.stop()
	// Enough for the other request on a slow machine: after a few that are too slow as
	// well the next one is minutes away.
	w.client = w.newClient(250 * time.Millisecond)
	hang := w.github.Hang(githubtest.ScopeStatuses, 1)
	sha := w.commit()
	w.build(sha)
	w.start()
	w.ok(hang.Wait(w.ctx, 1))
	w.until(sha, "it is delivered", delivered) // by another request, while the first hangs
	if len(w.posted(sha)) == 0 {               // a slow answer may have come too late as well
		t.Error("it was not posted")
	}
}

// While GitHub says that it is asked too much, nothing of any commit is sent.
func TestRateLimitHoldsForAll(t *testing.T) {
	tests := map[string]func(*world){
		"secondary": func(w *world) { w.github.RateLimit(githubtest.ScopeStatuses, 1, 40*time.Minute) },
		"429": func(w *world) {
			w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusTooManyRequests, http.Header{"Retry-After": {"2400"}})
		},
		"primary": func(w *world) {
			w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusForbidden, http.Header{"X-Ratelimit-Remaining": {"0"},
				"X-Ratelimit-Reset": {fmt.Sprint(time.Now().Add(40 * time.Minute).Unix())}})
		},
	}
	for name, limit := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			limit(w)
			first, second := w.commit(), w.commit()
			w.build(first)
			row := w.until(first, "it was tried", func(s store.CommitStatus) bool { return s.Attempts == 1 })
			if wait := row.NextAt.Sub(w.now()); wait < 35*time.Minute || wait > 40*time.Minute {
				t.Errorf("the next try is in %v", wait)
			}
			w.want(row.Refused, 0)
			w.wantNoneSent()
			w.build(second)
			w.until(second, "it is known", func(store.CommitStatus) bool { return true })
			for _, sha := range []string{first, second} {
				w.want(len(w.posted(sha)), 0)
			}
			w.add(41 * time.Minute)
			w.ok(w.store.RetryStatuses(w.ctx, w.stored.ID, second)) // wakes it up
			w.until(first, "it is delivered", delivered)
			w.until(second, "it is delivered", delivered)
		})
	}
}

// A limit holds from when GitHub tells of it, not from when that is recorded.
func TestRateLimitHoldsWhileItIsRecorded(t *testing.T) {
	w := newWorld(t)
	storetest.Break(t, w.path, "UPDATE", "statuses")
	w.github.RateLimit(githubtest.ScopeStatuses, 1, 40*time.Minute)
	w.build(w.commit())
	w.logged("cannot record what became of a status")
	w.wantNoneSent()
}

// wantNoneSent makes commits that could be sent, and checks that they are not.
// Each is worked out in a round after the one in which those before it could have
// been sent.
func (w *world) wantNoneSent() {
	w.Helper()
	var shas []string
	for range 11 {
		sha := w.commit()
		w.build(sha)
		w.until(sha, "it is known", func(store.CommitStatus) bool { return true })
		shas = append(shas, sha)
	}
	for _, sha := range shas {
		w.want(len(w.posted(sha)), 0)
	}
}

// What GitHub refuses is kept with its words, tried again hourly or when
// somebody asks for it, and holds up no other commit.
func TestRefusedStatus(t *testing.T) {
	w := newWorld(t)
	w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusNotFound, nil)
	first := w.commit()
	w.build(first)
	row := w.until(first, "it was refused", func(s store.CommitStatus) bool { return s.Refused != 0 })
	w.want([]any{row.Refused, row.Error, row.Attempts}, []any{http.StatusNotFound, "Not Found", 1})
	if wait := row.NextAt.Sub(w.now()); wait < 59*time.Minute || wait > time.Hour {
		t.Errorf("the next try is in %v", wait)
	}
	second := w.commit()
	w.build(second)
	w.until(second, "it is delivered", delivered)
	w.want(len(w.posted(first)), 0)

	// Refused again, then an hour goes by.
	w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusUnprocessableEntity, nil)
	w.ok(w.store.RetryStatuses(w.ctx, w.stored.ID, first))
	w.until(first, "it was refused again", func(s store.CommitStatus) bool { return s.Refused == http.StatusUnprocessableEntity })
	w.want(len(w.posted(first)), 0)
	w.add(61 * time.Minute)
	third := w.commit()
	w.build(third) // wakes it up
	row = w.until(first, "it is delivered", delivered)
	w.want([]any{row.Refused, row.Error}, []any{0, ""})
}

// A commit that GitHub does not have, among many that it has.
func TestManyCommitsAndOneThatIsRefused(t *testing.T) {
	w := newWorld(t)
	const unknown = "1234567890123456789012345678901234567890"
	w.build(unknown)
	var shas []string
	for range 20 {
		shas = append(shas, w.commit())
		w.build(shas[len(shas)-1])
	}
	for _, sha := range shas {
		w.until(sha, "it is delivered", delivered)
		w.want(len(w.posted(sha)), 1)
	}
	row := w.until(unknown, "it was refused", func(s store.CommitStatus) bool { return s.Refused != 0 })
	w.want(row.Error, "No commit found for SHA: "+unknown)
}

// A status whose request was cut off by a stop is sent by the next process.
func TestStopInMidRequest(t *testing.T) {
	w := newWorld(t)
	hang := w.github.Hang(githubtest.ScopeStatuses, 1)
	sha := w.commit()
	w.build(sha)
	w.ok(hang.Wait(w.ctx, 1))
	w.stop()
	row := w.until(sha, "it is there", func(store.CommitStatus) bool { return true })
	w.want([]any{row.Delivered(), row.Attempts, row.Error}, []any{false, 0, ""})
	w.start()
	w.until(sha, "it is delivered", delivered)
	w.want(len(w.posted(sha)), 1)
}

// What changed while no outbox ran is worked out by the next one.
func TestChangesWhileStopped(t *testing.T) {
	w := newWorld(t)
	w.stop()
	sha := w.commit()
	w.build(sha, "main")
	w.run(store.Success, "")
	w.start()
	w.until(sha, "it is delivered", delivered)
	w.want(w.posted(sha), []string{"slipway success: passed in 0s"})
}

func TestRestartReopensTheVerdict(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	b := w.build(sha, "main")
	w.run(store.Success, "")
	w.until(sha, "the verdict is delivered", func(s store.CommitStatus) bool { return s.State == "success" && s.Delivered() })
	again, err := w.store.Restart(w.ctx, b.ID, "admin", store.Rerun{})
	w.ok(err)
	w.until(sha, "it is pending again", func(s store.CommitStatus) bool { return s.State == "pending" && s.Delivered() })
	w.ok(w.store.RequestCancel(w.ctx, again.ID, "admin"))
	row := w.until(sha, "it is canceled", func(s store.CommitStatus) bool { return s.State == "error" && s.Delivered() })
	w.want([]any{row.Description, row.TargetURL}, []any{"canceled by admin", "https://ci.example/repos/acme/app/builds/2"})
}

// A status is not lost by a database that cannot be written for a while, and
// GitHub does not hear of it again and again.
func TestFailingDatabase(t *testing.T) {
	t.Run("when it is worked out", func(t *testing.T) {
		w := newWorld(t)
		w.stop()
		sha := w.commit()
		w.build(sha)
		mend := storetest.Break(t, w.path, "UPDATE", "commits")
		w.start()
		w.logged("cannot work out statuses")
		mend()
		w.until(sha, "it is delivered", delivered)
	})
	for name, fault := range map[string]func(*world){
		"when it was sent":    func(*world) {},
		"when it failed":      func(w *world) { w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusBadGateway, nil) },
		"when it was refused": func(w *world) { w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusNotFound, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			mend := storetest.Break(t, w.path, "UPDATE", "statuses")
			fault(w)
			sha := w.commit()
			w.build(sha)
			w.logged("cannot record what became of a status")
			w.logged("cannot record what became of a status") // and again
			mend()
			if name == "when it was refused" {
				w.until(sha, "it was refused", func(s store.CommitStatus) bool { return s.Refused == http.StatusNotFound })
				w.ok(w.store.RetryStatuses(w.ctx, w.stored.ID, sha))
			}
			w.until(sha, "it is delivered", delivered)
			w.want(len(w.posted(sha)), 1)
		})
	}
}

// However often a try failed, the next one is minutes away and no more, and a
// stop does not wait for it.
func TestBackoffIsBounded(t *testing.T) {
	w := newWorld(t, time.Hour)
	w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusBadGateway, nil)
	sha := w.commit()
	w.build(sha)
	row := w.until(sha, "it was tried", func(s store.CommitStatus) bool { return s.Attempts == 1 })
	if wait := row.NextAt.Sub(w.now()); wait < 4*time.Minute || wait > 5*time.Minute {
		t.Errorf("the next try is in %v", wait)
	}
	w.stop()
	w.ok(w.ctx.Err())
}
