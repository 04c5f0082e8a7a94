package digest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server/digest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

// world is a store, logs, mirrors and a repository on the stand-in of GitHub.
type world struct {
	*testing.T
	ctx     context.Context
	path    string // of the database
	store   *store.Store
	logs    *logs.Store
	mirrors *source.Mirrors
	remote  *githubtest.Repo
	repo    store.Repo
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, path: filepath.Join(t.TempDir(), "slipway.db")}
	w.store = storetest.OpenAt(t, w.path, nil)
	var err error
	w.logs, err = logs.Open(t.TempDir(), logs.Options{})
	w.ok(err)
	w.mirrors, err = source.Open(filepath.Join(t.TempDir(), "mirrors"), slog.New(slog.DiscardHandler))
	w.ok(err)
	gh, err := githubtest.New(githubtest.Options{Token: "t"})
	w.ok(err)
	w.ok(gh.Start("127.0.0.1:0"))
	t.Cleanup(func() { w.ok(gh.Close()) })
	w.remote, err = gh.AddRepo(ctx, "harbour", "ferry", githubtest.RepoOptions{})
	w.ok(err)
	w.repo, err = w.store.UpsertRepo(ctx, store.Repo{RemoteID: w.remote.ID(), Owner: "harbour", Name: "ferry", DefaultBranch: "main",
		CloneURL: w.remote.CloneURL(), HTMLURL: w.remote.HTMLURL()})
	w.ok(err)
	return w
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

// push makes a commit with a file of that name, and brings it into the mirror.
func (w *world) push(branch, file string) string {
	w.Helper()
	sha, err := w.remote.Push(w.ctx, githubtest.Change{Branch: branch, Message: "Add " + file, Files: map[string]string{file: "1\n"},
		Author: githubtest.Person{Name: "Ada Lovelace", Email: "ada@example.com"}})
	w.ok(err)
	w.ok(w.mirrors.Fetch(w.ctx, w.repo.MirrorKey(), source.Remote{URL: w.remote.CloneURL(), Username: "x", Password: "t", AllowHTTP: true},
		"refs/heads/"+branch, sha, source.FetchOptions{}))
	return sha
}

// build runs a build of one step to its end. st says how the step ends.
func (w *world) build(b store.Build, st store.Step, rows ...string) store.Build {
	w.Helper()
	repo, err := w.store.RepoByID(w.ctx, w.repo.ID)
	w.ok(err)
	b.RepoID, b.Number, b.Planned = repo.ID, repo.LastNumber+1, true
	b, err = w.store.CreateBuild(w.ctx, b, []store.NewJob{{Name: "test", Plan: []byte("{}"), OnSuccess: true,
		Steps: []store.NewStep{{Name: "test", Kind: "commands", Image: "golang"}}}})
	w.ok(err)
	j, err := w.store.Claim(w.ctx)
	w.ok(err)
	w.ok(w.store.StartStep(w.ctx, j.ID, 1, time.Now()))
	if len(rows) > 0 {
		l, err := w.logs.Create(store.LogKey(b.ID, j.Number, 1))
		w.ok(err)
		for _, row := range rows {
			line := logs.Line{Stream: logs.Stdout, End: true, Text: []byte(row)}
			if text, ok := strings.CutPrefix(row, "$ "); ok {
				line.Kind, line.Text = logs.Command, []byte(text)
			}
			w.ok(l.Append(line))
		}
		w.ok(l.Close())
	}
	st.JobID, st.Number, st.FinishedAt = j.ID, 1, time.Now()
	w.ok(w.store.FinishStep(w.ctx, st))
	w.ok(w.store.FinishJob(w.ctx, j.ID, st.Status, st.Reason, 1))
	b, err = w.store.BuildByID(w.ctx, b.ID)
	w.ok(err)
	return b
}

func push(branch, sha string) store.Build {
	return store.Build{Event: "push", Ref: "refs/heads/" + branch, Branch: branch, SHA: sha}
}

var (
	passed = store.Step{Status: store.Success, Exited: true}
	failed = store.Step{Status: store.Failure, Exited: true, ExitCode: 1, Reason: "exit code 1"}
)

// start runs a digester until the test ends.
func (w *world) start() (stop func()) {
	d := digest.New(digest.Options{Store: w.store, Logs: w.logs, Mirrors: w.mirrors, RetryAfter: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(w.Output(), nil))})
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	w.Cleanup(stop)
	return stop
}

// digest waits for the digest of a build's only step.
func (w *world) digest(b store.Build) store.Digest {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		all, err := w.store.Digests(w.ctx, b.ID)
		w.ok(err)
		for _, d := range all {
			return d
		}
		_, err = sub.Next(w.ctx)
		w.ok(err)
	}
}

// changes waits for what changed in a build, which comes after the digest.
func (w *world) changes(b store.Build) store.Changes {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		c, err := w.store.BuildChanges(w.ctx, b.ID)
		if err == nil {
			return c
		}
		if !errors.Is(err, store.ErrNotFound) {
			w.Fatal(err)
		}
		_, err = sub.Next(w.ctx)
		w.ok(err)
	}
}

func TestDigestIsWrittenWhenAStepFails(t *testing.T) {
	w := newWorld(t)
	w.start()
	b := w.build(push("main", "a"), failed, "$ go vet ./...", "$ go test ./...", "ok  \terrors\t0.1s",
		"\x1b[31m--- FAIL: TestFerry (0.00s)\x1b[0m", "    ferry_test.go:41: too early", "FAIL")
	d := w.digest(b)
	w.want(d.Title, "TestFerry: ferry_test.go:41: too early")
	w.want(d.Known, true)
	w.want(d.Command, "go test ./...")
	w.want(d.Line, int64(5))
	w.want(d.Excerpt, []store.DigestLine{{N: 4, Text: "\x1b[31m--- FAIL: TestFerry (0.00s)\x1b[0m"},
		{N: 5, Text: "    ferry_test.go:41: too early"}, {N: 6, Text: "FAIL"}})
	w.want(strings.Contains(d.Text, "--- FAIL: TestFerry (0.00s)\n    ferry"), true)
	w.want(w.changes(b), store.Changes{Unknown: "no earlier build has passed"})
	found, err := w.store.SearchFailures(w.ctx, store.FailureQuery{Text: "TestFerry early"})
	w.ok(err)
	w.want(len(found), 1)
}

func TestTitleSaysHowTheStepEnded(t *testing.T) {
	w := newWorld(t)
	w.start()
	for _, c := range []struct {
		name string
		step store.Step
		rows []string
		want string // with a "!" before it if a rule knows it
	}{
		{"an exit code alone", failed, []string{"$ ./depart", "the tide is low"}, "the tide is low"},
		{"a silent command", failed, []string{"$ test -f ferry"}, "test -f ferry"},
		{"a signal", store.Step{Status: store.Failure, Exited: true, ExitCode: 139, Reason: "exit code 139 (segmentation fault)"},
			[]string{"$ ./depart", "off we go"}, "exit code 139 (segmentation fault)"},
		{"a signal of which the log tells more", store.Step{Status: store.Failure, Exited: true, ExitCode: 127, Reason: "exit code 127 (command not found)"},
			[]string{"$ tide", "/bin/sh: tide: not found"}, "!/bin/sh: tide: not found"},
		{"no memory", store.Step{Status: store.Failure, Exited: true, ExitCode: 137, Reason: "exit code 137 (killed); out of memory (limit 512 MiB)"},
			[]string{"$ npm test", "error: survived"}, "exit code 137 (killed); out of memory (limit 512 MiB)"},
		{"no time", store.Step{Status: store.Failure, Reason: "timed out after 10m"}, []string{"$ npm test", "error: survived"}, "timed out after 10m"},
		{"no time, and it ended when told to", store.Step{Status: store.Failure, Exited: true, ExitCode: 1, Reason: "timed out after 10m"},
			[]string{"$ npm test", "error: interrupted"}, "timed out after 10m"},
		{"no processes", store.Step{Status: store.Failure, Exited: true, ExitCode: 1, Reason: "exit code 1; pids limit 4096 reached"},
			[]string{"$ npm test", "sh: line 1: fork: Cannot allocate"}, "exit code 1; pids limit 4096 reached"},
		{"no log", store.Step{Status: store.Error, Reason: "cannot pull image golang:9"}, nil, "cannot pull image golang:9"},
	} {
		want, known := strings.CutPrefix(c.want, "!")
		if got := w.digest(w.build(push("main", "a"), c.step, c.rows...)); got.Title != want || got.Known != known {
			t.Errorf("%s: %q, known %v, want %q", c.name, got.Title, got.Known, c.want)
		}
	}
}

func TestDigestsAreCaughtUpWith(t *testing.T) {
	w := newWorld(t)
	var builds []store.Build
	for i := range 45 { // more than are read at once
		builds = append(builds, w.build(push("main", "a"), failed, fmt.Sprintf("error: number %d", i)))
	}
	mend := storetest.Break(t, w.path, "INSERT", "digests")
	stop := w.start()
	stop()
	all, err := w.store.Digests(w.ctx, builds[0].ID)
	w.ok(err)
	w.want(len(all), 0)
	w.start()
	mend()
	for i, b := range builds {
		w.want(w.digest(b).Title, fmt.Sprintf("error: number %d", i))
	}
}

// The title does not wait for what changed; what is cut off between the two is
// done by the next digester.
func TestChangesAreCaughtUpWith(t *testing.T) {
	w := newWorld(t)
	mend := storetest.Break(t, w.path, "INSERT", "build_changes")
	b := w.build(push("main", "a"), failed, "error: the tide is low")
	stop := w.start()
	w.want(w.digest(b).Title, "error: the tide is low")
	stop()
	_, err := w.store.BuildChanges(w.ctx, b.ID)
	w.want(errors.Is(err, store.ErrNotFound), true)
	mend()
	w.start()
	w.want(w.changes(b).Unknown, "no earlier build has passed")
	left, err := w.store.UndigestedSteps(w.ctx, 1)
	w.ok(err)
	w.want(len(left), 0)
}

func TestChangesSinceTheLastBuildThatPassed(t *testing.T) {
	w := newWorld(t)
	w.start()
	one, two := w.push("main", "one"), w.push("main", "two")
	three := w.push("main", "three")
	w.build(push("main", one), passed)
	w.build(push("main", two), failed)
	b := w.build(push("main", three), failed)
	w.want(w.changes(b), store.Changes{Number: 1, SHA: one, Files: []string{"three", "two"}, Commits: []store.ChangedCommit{
		{SHA: three, Author: "Ada Lovelace", Subject: "Add three"}, {SHA: two, Author: "Ada Lovelace", Subject: "Add two"}}})

	w.build(push("main", three), passed)
	again := w.build(push("main", three), failed)
	w.want(w.changes(again), store.Changes{Number: 4, SHA: three})
}

func TestChangesOfABranchAreThoseSinceItsTarget(t *testing.T) {
	w := newWorld(t)
	w.start()
	base := w.push("main", "base")
	_, err := w.remote.Commit(w.ctx, githubtest.Change{Branch: "side", From: "main", Message: "Begin", Files: map[string]string{"begin": "1\n"}})
	w.ok(err)
	side := w.push("side", "side")
	green := w.push("main", "unrelated")
	w.build(push("main", base), passed)
	w.build(push("main", green), passed)
	pull := store.Build{Event: "pull_request", Ref: "refs/pull/7/head", Branch: "main", SHA: side,
		Pull: &store.Pull{Number: 7, HeadBranch: "side", BaseBranch: "main"}}
	c := w.changes(w.build(pull, failed))
	w.want([]any{c.Number, c.SHA, c.Branch, c.Files, len(c.Commits)}, []any{int64(2), green, "main", []string{"begin", "side"}, 2})
	w.want(w.changes(w.build(push("side", side), failed)).Branch, "main")
}

func TestChangesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.start()
	one := w.push("main", "one")
	files := map[string]string{}
	for i := range 250 {
		files[fmt.Sprintf("plank/%03d", i)] = "1\n"
	}
	_, err := w.remote.Commit(w.ctx, githubtest.Change{Branch: "main", Message: "Planks", Files: files})
	w.ok(err)
	for i := range 50 {
		_, err := w.remote.Commit(w.ctx, githubtest.Change{Branch: "main", Message: fmt.Sprint(i), Files: map[string]string{"count": fmt.Sprint(i)}})
		w.ok(err)
	}
	last := w.push("main", "last")
	w.build(push("main", one), passed)
	c := w.changes(w.build(push("main", last), failed))
	w.want([]int{len(c.Commits), c.MoreCommits, len(c.Files), c.MoreFiles}, []int{50, 2, 200, 52})
}

func TestChangesSinceACommitThatIsGone(t *testing.T) {
	w := newWorld(t)
	w.start()
	gone := strings.Repeat("5", 40)
	w.build(push("main", gone), passed)
	c := w.changes(w.build(push("main", w.push("main", "one")), failed))
	w.want(c, store.Changes{Number: 1, SHA: gone, Unknown: "commit 5555555 of build #1 is not in the repository any more"})
	c = w.changes(w.build(push("main", "not a commit"), failed))
	w.want(c.Unknown, "the repository's mirror could not be read")
}
