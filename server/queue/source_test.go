package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// sourced is a world with a repository whose steps print the file that they are
// named after.
func sourced(t *testing.T) (*world, *githubtest.Repo) {
	w := newWorld(t)
	gh, err := githubtest.New(githubtest.Options{Token: "ghp_queuetest"})
	w.ok(err)
	t.Cleanup(func() { w.ok(gh.Close()) })
	w.ok(gh.Start("127.0.0.1:0"))
	repo, err := gh.AddRepo(w.ctx, "acme", "app", githubtest.RepoOptions{Private: true})
	w.ok(err)
	w.options.Remote = func(context.Context, store.Repo) (source.Remote, error) {
		return source.Remote{URL: repo.CloneURL(), Username: "x", Password: "ghp_queuetest", AllowHTTP: true}, nil
	}
	w.engine.Step(1, func(p *runnertest.Process) int {
		for _, file := range []string{"base", "topic"} {
			text, _ := p.File("/work/src/" + file)
			fmt.Fprint(p.Stdout(), text)
		}
		return 0
	})
	return w, repo
}

func (w *world) commitTo(r *githubtest.Repo, branch string, files map[string]string) string {
	w.Helper()
	sha, err := r.Commit(w.ctx, githubtest.Change{Branch: branch, Files: files})
	w.ok(err)
	return sha
}

// buildPull makes a build of a pull request's head.
func (w *world) buildPull(number int, sha string, fork bool, clone pipeline.Clone) store.Build {
	w.Helper()
	wf := workflow("test")
	wf.Clone = clone
	plan, err := json.Marshal(wf)
	w.ok(err)
	r, err := w.store.UpsertRepo(w.ctx, store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	w.ok(err)
	b, err := w.store.CreateBuild(w.ctx, store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "pull_request",
		Ref: fmt.Sprintf("refs/pull/%d/head", number), Branch: "main", SHA: sha,
		Pull: &store.Pull{Number: number, BaseBranch: "main", HeadBranch: "topic", Fork: fork}},
		[]store.NewJob{{Name: "main", Plan: plan, OnSuccess: true, Steps: []store.NewStep{{Name: "test"}}}})
	w.ok(err)
	return b
}

func TestPullRequestIsMergedForATrial(t *testing.T) {
	w, repo := sourced(t)
	w.commitTo(repo, "main", map[string]string{"base": "old\n"})
	head := w.commitTo(repo, "topic", map[string]string{"topic": "topic\n"})
	w.commitTo(repo, "main", map[string]string{"base": "new\n"})
	n, err := repo.OpenPullRequest(w.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic"})
	w.ok(err)
	w.start()
	b := w.buildPull(n, head, false, pipeline.Clone{})
	w.want(w.verdict(b), "success")
	w.want(w.text(b, 1), "old\ntopic\n")
	b = w.buildPull(n, head, false, pipeline.Clone{Ref: pipeline.CloneMerge, Depth: pipeline.CloneAll})
	w.want(w.verdict(b), "success")
	w.want(w.text(b, 1), "new\ntopic\n")

	_, err = repo.Push(w.ctx, githubtest.Change{Branch: "topic", Files: map[string]string{"base": "conflict\n"}})
	w.ok(err)
	b = w.buildPull(n, head, false, pipeline.Clone{Ref: pipeline.CloneMerge})
	if got := w.verdict(b); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, "are there conflicts?") {
		t.Errorf("verdict: %s", got)
	}
}

func TestSupersededJobIsStopped(t *testing.T) {
	w := newWorld(t)
	g := newGate()
	w.engine.Step(1, g.program(0))
	w.start()
	build := func() store.Build {
		r, err := w.store.UpsertRepo(w.ctx, store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
		w.ok(err)
		plan, err := json.Marshal(workflow("test"))
		w.ok(err)
		b, err := w.store.CreateBuild(w.ctx, store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "push",
			SHA: fmt.Sprintf("%039x1", r.LastNumber+1)}, []store.NewJob{{Name: "main", Plan: plan, OnSuccess: true,
			Steps: []store.NewStep{{Name: "test"}}, Group: store.Group{Name: "g", Limit: 1, Cancel: true}}})
		w.ok(err)
		return b
	}
	old := build()
	w.wait(g)
	next := build()
	w.want(w.verdict(old), "canceled: superseded by build #2")
	w.wait(g)
	close(g.release)
	w.want(w.verdict(next), "success")
	_, steps := w.job(old)
	w.want(steps[0].Reason, "superseded by build #2")
}
