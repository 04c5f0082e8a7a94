package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

func TestJobRunsToItsEnd(t *testing.T) {
	w := newWorld(t)
	w.engine.Step(1, func(p *runnertest.Process) int {
		fmt.Fprintln(p.Stdout(), "out")
		fmt.Fprintln(p.Stderr(), "err")
		return 0
	})
	w.engine.Step(2, runnertest.Print("secret hunter22\n", 3))
	w.options.Secrets = []string{"hunter22"}
	w.start()
	b := w.build("app", workflow("build", "test", "deploy"))
	w.want(w.verdict(b), "failure: step test failed: exit code 3")
	job, steps := w.job(b)
	w.want([]any{job.Status, job.FailedStep}, []any{store.Failure, 2})
	var got []string
	for _, s := range steps {
		got = append(got, fmt.Sprintf("%s %s exited=%t code=%d started=%t finished=%t",
			s.Name, s.Status, s.Exited, s.ExitCode, !s.StartedAt.IsZero(), !s.FinishedAt.IsZero()))
	}
	w.want(got, []string{"build success exited=true code=0 started=true finished=true",
		"test failure exited=true code=3 started=true finished=true", "deploy skipped exited=false code=0 started=false finished=true"})
	if job.SourcedAt.IsZero() || steps[0].ImagedAt.Before(steps[0].StartedAt) || steps[0].RanAt.Before(steps[0].ImagedAt) ||
		steps[0].FinishedAt.Before(steps[0].RanAt) || !steps[2].RanAt.IsZero() {
		t.Errorf("where the time went: source %v, steps %+v", job.SourcedAt, steps)
	}
	if text := w.text(b, 2); strings.Contains(text, "hunter22") || !strings.Contains(text, "secret ") {
		t.Errorf("the log is %q", text)
	}
	streams := map[string]logs.Stream{}
	for batch, err := range w.logs.Read(w.ctx, store.LogKey(b.ID, 1, 1), 1, -1) {
		w.ok(err)
		for _, l := range batch {
			streams[string(l.Text)] = l.Stream
		}
	}
	w.want([]any{streams["out"], streams["err"]}, []any{logs.Stdout, logs.Stderr})
	w.waitUntilLeft(serverID, nil)
	ops, err := w.store.Ops(w.ctx, job.ID)
	w.ok(err)
	w.want(len(ops), 0)
}

// The log store's words are the runner's.
func TestLogWordsAreTheRunners(t *testing.T) {
	w := newWorld(t)
	w.want([]int{int(logs.Slipway), int(logs.Stdout), int(logs.Stderr), int(logs.Output), int(logs.Command), int(logs.More), int(logs.Notice)},
		[]int{int(runner.StreamSlipway), int(runner.StreamStdout), int(runner.StreamStderr),
			int(runner.LineOutput), int(runner.LineCommand), int(runner.LineMore), int(runner.LineNotice)})
	if runner.MaxLine > logs.MaxText {
		t.Errorf("the runner's lines of %d bytes are too long for the log store's %d", runner.MaxLine, logs.MaxText)
	}
}

func TestNoMoreJobsAtOnceThanAllowed(t *testing.T) {
	w := newWorld(t)
	w.options.MaxJobs = 2
	g := newGate()
	var mu sync.Mutex // guards now and most
	now, most := 0, 0
	w.engine.Default(func(s runner.ContainerSpec) runnertest.Program {
		if s.Labels[runner.LabelStep] != "1" {
			return nil
		}
		return func(p *runnertest.Process) int {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			code := g.program(0)(p)
			mu.Lock()
			defer mu.Unlock()
			now--
			return code
		}
	})
	var builds []store.Build
	for range 6 {
		builds = append(builds, w.build("app", workflow("test")))
	}
	w.start()
	w.wait(g)
	w.wait(g)
	pending, running, err := w.store.QueueLength(w.ctx)
	w.ok(err)
	w.want([]int{pending, running}, []int{4, 2})
	close(g.release)
	for _, b := range builds {
		w.want(w.verdict(b), "success")
	}
	w.want(most, 2)
}

func TestRepositoriesTakeTurns(t *testing.T) {
	w := newWorld(t)
	w.options.MaxJobs = 1
	g := newGate()
	close(g.release)
	w.engine.Step(1, g.program(0))
	var last store.Build
	for _, name := range []string{"a", "a", "a", "b", "c"} {
		b := w.build(name, workflow("test"))
		if name == "a" {
			last = b
		}
	}
	w.start()
	w.want(w.verdict(last), "success")
	var order []string
	for range 5 {
		order = append(order, w.wait(g))
	}
	w.want(order, []string{"acme/a", "acme/b", "acme/c", "acme/a", "acme/a"})
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	_, _, b := w.hold("test", "never")
	w.ok(w.store.RequestCancel(w.ctx, b.ID, "mona"))
	w.want(w.verdict(b), "canceled: canceled by mona")
	w.waitUntilLeft(serverID, nil)
}

func TestSecondCancelEndsTheGracePeriod(t *testing.T) {
	w := newWorld(t) // whose grace period is an hour
	g := newGate()
	w.engine.Step(1, func(p *runnertest.Process) int {
		g.reached <- ""
		<-p.Terminated()
		g.reached <- ""
		return runnertest.Stubborn()(p)
	})
	w.start()
	b := w.build("app", workflow("test"))
	w.wait(g)
	w.ok(w.store.RequestCancel(w.ctx, b.ID, "mona"))
	w.wait(g) // it was told to end, and does not
	w.ok(w.store.RequestCancel(w.ctx, b.ID, "mona"))
	w.want(w.verdict(b), "canceled: canceled by mona")
}

func TestJobIsLeftRunningAndAdopted(t *testing.T) {
	w := newWorld(t)
	g, r, b := w.hold("test", "after")
	w.detach(r)
	job, _ := w.job(b)
	w.want(job.Status, store.Running)
	before := w.engine.Count("Start")
	if len(w.left(serverID)) == 0 {
		t.Fatal("nothing runs any more")
	}
	w.start()
	close(g.release)
	w.want(w.verdict(b), "success")
	w.want(w.text(b, 1), "one\ntwo\n")
	if starts := w.engine.Count("Start") - before; starts > 1 {
		t.Errorf("%d containers were started after the restart, want one at most", starts)
	}
	w.waitUntilLeft(serverID, nil)
}

// A cancel that was asked for while no process ran stops what it left, and is
// no internal error.
func TestJobThatWasCanceledWhileNobodyRan(t *testing.T) {
	w := newWorld(t)
	_, r, b := w.hold("test")
	w.detach(r)
	w.ok(w.store.RequestCancel(w.ctx, b.ID, "mona"))
	w.start()
	w.want(w.verdict(b), "canceled: canceled by mona")
	w.waitUntilLeft(serverID, nil)
}

// When nothing is to be claimed any more, what runs goes on to its end.
func TestClaimingEndsBeforeWorking(t *testing.T) {
	w := newWorld(t)
	w.options.MaxJobs = 1
	g, r, first := w.hold("test")
	second := w.build("app", workflow("test"))
	r.claim(nil)
	close(g.release)
	w.want(w.verdict(first), "success")
	w.ok(<-r.done)
	job, _ := w.job(second)
	w.want(job.Status, store.Pending)
}

// A database that fails for a while costs time: the job is taken up again where
// it was, and loses no line.
func TestDatabaseThatFailsForAWhile(t *testing.T) {
	for _, tt := range []struct{ kind, table string }{{"UPDATE", "steps"}, {"INSERT", "ops"}} {
		t.Run(tt.kind+" "+tt.table, func(t *testing.T) {
			w := newWorld(t)
			g, _, b := w.hold("test", "after")
			w.whenLogged("job was cut off, taking it up again", storetest.Break(t, w.path, tt.kind, tt.table))
			close(g.release)
			w.want(w.verdict(b), "success")
			w.want(w.text(b, 1), "one\ntwo\n")
			w.waitUntilLeft(serverID, nil)
		})
	}
}

// One that fails for good ends the job, and nothing of it is left.
func TestDatabaseThatFailsForGood(t *testing.T) {
	w := newWorld(t)
	g, _, b := w.hold("test", "after")
	storetest.Break(t, w.path, "INSERT", "ops")
	storetest.Break(t, w.path, "UPDATE", "ops")
	close(g.release)
	w.want(w.verdict(b), "error: internal error: see the server's log")
	if !strings.Contains(w.log(), storetest.Broken) {
		t.Error("the log does not tell the cause")
	}
	w.waitUntilLeft(serverID, nil)
}

// The end of a job is recorded as soon as it can be.
func TestEndThatCannotBeRecorded(t *testing.T) {
	w := newWorld(t)
	g, _, b := w.hold("test")
	mend := storetest.Break(t, w.path, "UPDATE", "jobs")
	close(g.release)
	w.waitLogged("cannot record the end of a job, trying again")
	mend()
	w.want(w.verdict(b), "success")
}

func TestClaimThatFails(t *testing.T) {
	w := newWorld(t)
	b := w.build("app", workflow("test"))
	mend := storetest.Break(t, w.path, "UPDATE", "jobs")
	w.start()
	w.waitLogged("cannot claim a job, trying again")
	mend()
	w.want(w.verdict(b), "success")
}

func TestPlanThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.start()
	b := w.buildRaw("app", []byte(`{"steps": 7}`), workflow("test"))
	w.want(w.verdict(b), "error: internal error: see the server's log")
	_, steps := w.job(b)
	w.want(steps[0].Status, store.Skipped)
}

func TestOrphansAreRemoved(t *testing.T) {
	w := newWorld(t)
	g, r, b := w.hold("test")
	w.detach(r)
	kept := w.left(serverID)

	ended := w.build("other", workflow("test"))
	w.ok(w.store.RequestCancel(w.ctx, ended.ID, "mona"))
	endedJob, _ := w.job(ended)
	add := func(server, job string) {
		t.Helper()
		labels := map[string]string{runner.LabelServer: server}
		if job != "" {
			labels[runner.LabelJob] = job
		}
		name := fmt.Sprintf("orphan-%s-%s", server, job)
		network, err := w.engine.CreateNetwork(w.ctx, runner.NetworkSpec{Name: name, Labels: labels})
		w.ok(err)
		volume, err := w.engine.CreateVolume(w.ctx, runner.VolumeSpec{Name: name, Labels: labels})
		w.ok(err)
		id, err := w.engine.CreateContainer(w.ctx, runner.ContainerSpec{Name: name, Labels: labels, Image: "busybox",
			NetworkID: network, VolumeID: volume})
		w.ok(err)
		w.ok(w.engine.Start(w.ctx, id))
	}
	w.engine.Default(func(runner.ContainerSpec) runnertest.Program { return runnertest.Block() })
	for _, job := range []string{"", "999", "no number", fmt.Sprint(endedJob.ID)} {
		add(serverID, job)
	}
	add("another", "999")
	foreign := w.left("another")

	removed, release := w.engine.Hang("RemoveVolume", 4) // the last of the sweep's removals
	w.start()
	select {
	case <-removed:
	case <-w.ctx.Done():
		t.Fatalf("nothing was removed; the log:\n%s", w.log())
	}
	release()
	w.waitUntilLeft(serverID, kept)
	w.want(w.left("another"), foreign)
	close(g.release)
	w.want(w.verdict(b), "success")
	w.waitUntilLeft(serverID, nil)
}

// waitUntilLeft waits until no more than that is in the engine, which tells
// nobody of its changes.
func (w *world) waitUntilLeft(server string, want []string) {
	w.Helper()
	for fmt.Sprint(w.left(server)) != fmt.Sprint(want) {
		if w.ctx.Err() != nil {
			w.Fatalf("left are %v, want %v", w.left(server), want)
		}
		runtime.Gosched()
	}
}

func TestSourceComesFromTheMirror(t *testing.T) {
	w := newWorld(t)
	gh, err := githubtest.New(githubtest.Options{Token: "ghp_queuetest"})
	w.ok(err)
	t.Cleanup(func() { w.ok(gh.Close()) })
	w.ok(gh.Start("127.0.0.1:0"))
	repo, err := gh.AddRepo(w.ctx, "acme", "app", githubtest.RepoOptions{Private: true})
	w.ok(err)
	sha, err := repo.Commit(w.ctx, githubtest.Change{Files: map[string]string{"hello.txt": "hello\n"}})
	w.ok(err)
	w.options.Remote = func(_ context.Context, r store.Repo) (source.Remote, error) {
		return source.Remote{URL: repo.CloneURL(), Username: "x", Password: "ghp_queuetest", AllowHTTP: true}, nil
	}
	w.engine.Step(1, func(p *runnertest.Process) int {
		text, _ := p.File("/work/src/hello.txt")
		fmt.Fprint(p.Stdout(), text)
		return 0
	})
	wf := workflow("test")
	wf.Clone = pipeline.Clone{}
	w.start()
	b := w.buildOf(sha, wf)
	w.want(w.verdict(b), "success")
	w.want(w.text(b, 1), "hello\n")

	// A commit that is in no mirror and cannot be fetched is an error.
	gh.FailNext(githubtest.ScopeGit, 1000, http.StatusUnauthorized, nil)
	missing := w.buildOf(strings.Repeat("12", 20), wf)
	if got := w.verdict(missing); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, "1212121") || strings.Contains(got, "ghp_") {
		t.Errorf("verdict: %s", got)
	}
	w.waitUntilLeft(serverID, nil)
}

// buildOf is build with a commit that exists.
func (w *world) buildOf(sha string, wf pipeline.Workflow) store.Build {
	w.Helper()
	r, err := w.store.UpsertRepo(w.ctx, store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	w.ok(err)
	plan, err := json.Marshal(wf)
	w.ok(err)
	b, err := w.store.CreateBuild(w.ctx, store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "push",
		Ref: "refs/heads/main", Branch: "main", SHA: sha},
		[]store.NewJob{{Name: "main", Plan: plan, OnSuccess: true, Steps: []store.NewStep{{Name: "test"}}}})
	w.ok(err)
	return b
}

func TestQueueThatCannotStart(t *testing.T) {
	w := newWorld(t)
	w.ok(w.store.Close())
	if err := <-w.start().done; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
