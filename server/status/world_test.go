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
	w.client = w.newClient(patience) // a request that hangs is given up by a test only
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

// run claims a job and ends it. It takes no time by the clock, which stands still
// from now on: how long a job took is told in its status.
func (w *world) run(s store.Status, reason string) {
	w.Helper()
	w.stand()
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
