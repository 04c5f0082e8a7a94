package status_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/server/status"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

const (
	token    = "ghp_statustest"
	patience = time.Minute // bounds every wait
)

// clock is the store's: real time, or that of which it stood still, and what a
// test adds to it.
type clock struct {
	mu    sync.Mutex // guards what follows
	added time.Duration
	stood time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stood.IsZero() {
		return c.stood.Add(c.added)
	}
	return time.Now().Add(c.added)
}

// stand makes the clock stand still.
func (c *clock) stand() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stood = time.Now()
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added += d
}

// world is a store, an outbox and a stand-in GitHub, with the words that the
// tests are written in.
type world struct {
	*testing.T
	*clock
	ctx    context.Context
	path   string
	store  *store.Store
	github *githubtest.Server
	repo   *githubtest.Repo
	stored store.Repo
	client *github.Client
	base   time.Duration
	lines  chan string // what the outbox logs, unless nobody reads it
	stop   func()      // stops the outbox and waits for it
	outbox *status.Outbox
}

// Write takes a line of the log.
func (w *world) Write(p []byte) (int, error) {
	select {
	case w.lines <- string(p):
	default:
	}
	return len(p), nil
}

// logged waits for a line with that text.
func (w *world) logged(text string) {
	w.Helper()
	for {
		select {
		case line := <-w.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-w.ctx.Done():
			w.Fatalf("%q was not logged", text)
		}
	}
}

// newWorld starts an outbox; without base it tries again after microseconds.
func newWorld(t *testing.T, base ...time.Duration) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{T: t, clock: &clock{}, ctx: ctx, path: filepath.Join(t.TempDir(), "slipway.db"), base: time.Microsecond,
		lines: make(chan string, 100)}
	for _, b := range base {
		w.base = b
	}
	w.store = storetest.OpenAt(t, w.path, w.now)
	var err error
	w.github, err = githubtest.New(githubtest.Options{Token: token})
	w.ok(err)
	t.Cleanup(func() {
		if err := w.github.Close(); err != nil {
			t.Error(err)
		}
	})
	w.ok(w.github.Start("127.0.0.1:0"))
	w.repo, err = w.github.AddRepo(ctx, "acme", "app", githubtest.RepoOptions{})
	w.ok(err)
	w.stored, err = w.store.UpsertRepo(ctx, store.Repo{RemoteID: w.repo.ID(), Owner: "acme", Name: "app"})
	w.ok(err)
	w.client = w.newClient(github.DefaultTimeout)
	w.start()
	return w
}

func (w *world) newClient(timeout time.Duration) *github.Client {
	w.Helper()
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	c, err := github.New(github.Options{BaseURL: w.github.URL(), Token: token, Transport: transport, Timeout: timeout})
	w.ok(err)
	return c
}

func (w *world) start() {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	o := status.New(status.Options{Store: w.store, GitHub: w.client, URL: "https://ci.example/",
		Logger: slog.New(slog.NewTextHandler(w, nil)), RetryBase: w.base})
	w.outbox = o
	go func() {
		defer close(done)
		o.Run(ctx)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	w.Cleanup(w.stop)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(got, want any) {
	w.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.Errorf("(-want +got)\n%s", d)
	}
}

// commit makes a commit on GitHub.
func (w *world) commit() (sha string) {
	w.Helper()
	sha, err := w.repo.Commit(w.ctx, githubtest.Change{Files: map[string]string{"n": fmt.Sprint(time.Now().UnixNano())}})
	w.ok(err)
	return sha
}

// build makes a build of a commit with jobs of those names.
func (w *world) build(sha string, jobs ...string) store.Build {
	w.Helper()
	r, err := w.store.RepoByID(w.ctx, w.stored.ID)
	w.ok(err)
	var plan []store.NewJob
	for _, name := range jobs {
		plan = append(plan, store.NewJob{Name: name, Plan: []byte("{}"), OnSuccess: true, Steps: []store.NewStep{{Name: "test"}}})
	}
	b, err := w.store.CreateBuild(w.ctx, store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "push",
		Ref: "refs/heads/main", SHA: sha}, plan)
	w.ok(err)
	return b
}

// run claims a job and ends it.
func (w *world) run(s store.Status, reason string) {
	w.Helper()
	j, err := w.store.Claim(w.ctx)
	w.ok(err)
	w.ok(w.store.FinishJob(w.ctx, j.ID, s, reason, 0))
}

// posted are a commit's statuses on GitHub, oldest first: "slipway pending: queued".
func (w *world) posted(sha string) (out []string) {
	for _, s := range w.repo.Statuses(sha) {
		out = append(out, fmt.Sprintf("%s %s: %s", s.Context, s.State, s.Description))
	}
	return out
}

// waitPosted waits for a status in the context "slipway".
func (w *world) waitPosted(sha, state string) githubtest.Status {
	w.Helper()
	s, err := w.repo.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.State == state })
	w.ok(err)
	return s
}

// until waits until the row of a commit's context "slipway" is as wanted.
func (w *world) until(sha, what string, cond func(store.CommitStatus) bool) store.CommitStatus {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		rows, err := w.store.CommitStatuses(w.ctx, w.stored.ID, sha)
		w.ok(err)
		if len(rows) > 0 && cond(rows[0]) {
			return rows[0]
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("wait until %s: %v; rows: %+v", what, err, rows)
		}
	}
}

func delivered(s store.CommitStatus) bool { return s.Delivered() }

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
	w.client = w.newClient(20 * time.Millisecond)
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
			// Other commits wait as well. Each is worked out in a round after the
			// one in which those before it could have been sent.
			others := []string{second}
			for range 10 {
				sha := w.commit()
				w.build(sha)
				w.until(sha, "it is known", func(store.CommitStatus) bool { return true })
				others = append(others, sha)
			}
			w.build(second)
			w.until(second, "it is known", func(store.CommitStatus) bool { return true })
			for _, sha := range append(others, first) {
				w.want(len(w.posted(sha)), 0)
			}
			w.add(41 * time.Minute)
			w.ok(w.store.RetryStatuses(w.ctx, w.stored.ID, second)) // wakes it up
			w.until(first, "it is delivered", delivered)
			w.until(second, "it is delivered", delivered)
		})
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
