package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server/queue"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

const (
	serverID = "myserver"
	patience = time.Minute // bounds every wait
)

// world is a queue on a real store and log store, and an engine in memory, with
// the words that the tests are written in.
type world struct {
	*testing.T
	ctx     context.Context
	path    string // of the database
	store   *store.Store
	logs    *logs.Store
	engine  *runnertest.Engine
	options queue.Options

	mu     sync.Mutex // guards logged and react
	logged strings.Builder
	react  func(line string) // nil for nothing
	lines  chan struct{}     // has a value when something was logged
}

// newWorld makes all but a running queue.
func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, path: filepath.Join(t.TempDir(), "slipway.db"), engine: runnertest.NewEngine(t),
		lines: make(chan struct{}, 1)}
	w.store = storetest.OpenAt(t, w.path, nil)
	var err error
	w.logs, err = logs.Open(t.TempDir(), logs.Options{})
	w.ok(err)
	mirrors, err := source.Open(filepath.Join(t.TempDir(), "mirrors"), slog.New(slog.DiscardHandler))
	w.ok(err)
	w.options = queue.Options{
		Store: w.store, Logs: w.logs, Engine: w.engine, Mirrors: mirrors, Logger: slog.New(slog.NewTextHandler(w, nil)),
		Remote: func(context.Context, store.Repo) (source.Remote, error) {
			return source.Remote{}, fmt.Errorf("no test of this kind fetches anything")
		},
		ServerID: serverID, MaxJobs: 4, MaxSteps: 4, Grace: time.Hour, RetryAfter: time.Millisecond,
	}
	return w
}

// Write takes a line of the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.logged.Write(p)
	react := w.react
	w.mu.Unlock()
	if react != nil {
		react(string(p))
	}
	select {
	case w.lines <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.String()
}

// whenLogged does something before whoever logs a text goes on.
func (w *world) whenLogged(text string, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.react = func(line string) {
		if strings.Contains(line, text) {
			do()
		}
	}
}

// waitLogged waits for a text in the log.
func (w *world) waitLogged(text string) {
	w.Helper()
	for !strings.Contains(w.log(), text) {
		select {
		case <-w.lines:
		case <-w.ctx.Done():
			w.Fatalf("%q was not logged", text)
		}
	}
}

// running is a queue that runs.
type running struct {
	claim, work context.CancelCauseFunc
	done        chan error
}

func (w *world) start() *running {
	w.Helper()
	q := queue.New(w.options)
	work, endWork := context.WithCancelCause(w.ctx)
	claim, endClaim := context.WithCancelCause(work)
	r := &running{claim: endClaim, work: endWork, done: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- q.Run(claim, work)
	}()
	w.Cleanup(func() {
		endWork(runner.ErrDetach)
		<-ended
	})
	return r
}

// detach ends the queue as a process that goes down does.
func (w *world) detach(r *running) {
	w.Helper()
	r.work(runner.ErrDetach)
	w.ok(<-r.done)
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

// workflow is a plan of steps in a row, without a source.
func workflow(steps ...string) pipeline.Workflow {
	wf := pipeline.Workflow{Name: "main", OnSuccess: true, Clone: pipeline.Clone{Skip: true},
		Workspace: pipeline.Workspace{Base: "/work", Path: "src"}}
	for i, name := range steps {
		s := pipeline.Step{Name: name, Kind: pipeline.KindCommands, Image: "busybox", Pull: pipeline.PullIfNotPresent,
			Commands: []string{"true"}, Failure: pipeline.FailureFail, OnSuccess: true}
		if i > 0 {
			s.DependsOn = []string{steps[i-1]}
		}
		wf.Steps = append(wf.Steps, s)
	}
	return wf
}

// build makes a pending build of one job in the repository acme/<name>.
func (w *world) build(name string, wf pipeline.Workflow) store.Build {
	w.Helper()
	plan, err := json.Marshal(wf)
	w.ok(err)
	return w.buildRaw(name, plan, wf)
}

func (w *world) buildRaw(name string, plan []byte, wf pipeline.Workflow) store.Build {
	w.Helper()
	var id int64
	for _, c := range name {
		id = id*31 + int64(c)
	}
	r, err := w.store.UpsertRepo(w.ctx, store.Repo{RemoteID: id, Owner: "acme", Name: name})
	w.ok(err)
	job := store.NewJob{Name: "main", Plan: plan, OnSuccess: true}
	for _, s := range wf.Steps {
		job.Steps = append(job.Steps, store.NewStep{Name: s.Name, Kind: string(s.Kind), Image: s.Image})
	}
	b, err := w.store.CreateBuild(w.ctx, store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "push",
		Ref: "refs/heads/main", Branch: "main", SHA: fmt.Sprintf("%039x1", r.LastNumber+1)}, []store.NewJob{job})
	w.ok(err)
	return b
}

// verdict waits for the end of a build: "failure: step x failed: exit code 2".
func (w *world) verdict(b store.Build) string {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		got, err := w.store.BuildByID(w.ctx, b.ID)
		w.ok(err)
		if got.Status.Final() {
			return strings.TrimSuffix(fmt.Sprintf("%s: %s", got.Status, got.Reason), ": ")
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("build %d does not end: it is %s; the log:\n%s", b.ID, got.Status, w.log())
		}
	}
}

// job returns a build's only job and its steps.
func (w *world) job(b store.Build) (store.Job, []store.Step) {
	w.Helper()
	jobs, err := w.store.Jobs(w.ctx, b.ID)
	w.ok(err)
	steps, err := w.store.Steps(w.ctx, jobs[0].ID)
	w.ok(err)
	return jobs[0], steps
}

// text is a step's whole log without the engine's words on the image.
func (w *world) text(b store.Build, step int) string {
	w.Helper()
	var out []byte
	for batch, err := range w.logs.Read(w.ctx, store.LogKey(b.ID, 1, step), 1, -1) {
		w.ok(err)
		for i := range batch {
			out = batch[i].AppendText(out)
		}
	}
	return strings.TrimPrefix(string(out), "pulled busybox\n")
}

// left is what is in the engine, "container NAME", of a server.
func (w *world) left(server string) (names []string) {
	w.Helper()
	found, err := w.engine.List(w.ctx, map[string]string{runner.LabelServer: server})
	w.ok(err)
	for _, r := range found {
		names = append(names, fmt.Sprintf("%s %s", r.Kind, r.Name))
	}
	return names
}

// gate is a program that tells that it runs and ends when it is let go.
type gate struct {
	reached chan string // the repository whose step is there
	release chan struct{}
}

func newGate() *gate { return &gate{reached: make(chan string, 100), release: make(chan struct{})} }

// program prints a line, waits, prints another and ends with code.
func (g *gate) program(code int) runnertest.Program {
	return runnertest.Then(runnertest.Print("one\n", 0), func(p *runnertest.Process) int {
		g.reached <- p.Spec().Labels[runner.LabelRepo]
		return runnertest.Until(g.release, 0)(p)
	}, runnertest.Print("two\n", code))
}

// wait waits until a step is at the gate, and says of which repository.
func (w *world) wait(g *gate) string {
	w.Helper()
	select {
	case repo := <-g.reached:
		return repo
	case <-w.ctx.Done():
		w.Fatalf("no step got there; the log:\n%s", w.log())
		return ""
	}
}

// hold starts a queue and a build of these steps, and returns when the first of
// them is at the gate.
func (w *world) hold(steps ...string) (g *gate, r *running, b store.Build) {
	w.Helper()
	g = newGate()
	w.engine.Step(1, g.program(0))
	r = w.start()
	b = w.build("app", workflow(steps...))
	w.wait(g)
	return g, r, b
}
