package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// on is a pipeline file whose one step is for these events.
func on(events string) string {
	return "when: {event: [" + events + "]}\n" + pipelineFile
}

func (f *forge) storedRepo(name string) store.Repo {
	f.Helper()
	r, err := f.store.Repo(f.ctx, "acme", name)
	f.ok(err)
	return r
}

func (f *forge) storedBuild(name string, number int64) store.Build {
	f.Helper()
	b, err := f.store.Build(f.ctx, f.storedRepo(name).ID, number)
	f.ok(err)
	return b
}

// workflow is the plan of a build's first job.
func (f *forge) workflow(b store.Build) (w pipeline.Workflow) {
	f.Helper()
	jobs, err := f.store.Jobs(f.ctx, b.ID)
	f.ok(err)
	if len(jobs) == 0 {
		f.Fatalf("build #%d has no job: %s %s", b.Number, b.Status, b.Reason)
	}
	f.ok(json.Unmarshal(jobs[0].Plan, &w))
	return w
}

// variables are some of a build's CI_ variables.
func (f *forge) variables(b store.Build, names ...string) map[string]string {
	f.Helper()
	w := f.workflow(b)
	out := map[string]string{}
	for _, n := range names {
		if v, ok := w.Environment[n]; ok {
			out[n] = v
		}
	}
	return out
}

// release publishes a release, and returns when its webhook was answered.
func (f *forge) release(r *githubtest.Repo, rel githubtest.Release) {
	f.Helper()
	f.ok(r.PublishRelease(rel))
	f.ok(f.github.Settle(f.ctx))
}

func (f *forge) commit(r *githubtest.Repo, c githubtest.Change) string {
	f.Helper()
	sha, err := r.Commit(f.ctx, c)
	f.ok(err)
	return sha
}

func TestReleaseBuildsTheCommitOfItsTag(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	sha := f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("tag, release")}, Message: "One [skip ci]"})
	_, err := r.Tag(f.ctx, githubtest.Tag{Name: "v1", Message: "the first"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.commit(r, githubtest.Change{Files: map[string]string{"later": "x"}})
	f.release(r, githubtest.Release{Tag: "v1", Name: "One", Prerelease: true})
	f.ok(f.github.Settle(f.ctx))
	f.settled()

	f.want(f.outcomes("push"), []string{"done: build #1"})
	f.want(f.outcomes("release"), []string{"done: build #2"})
	b := f.storedBuild("app", 2)
	f.want([]any{b.Event, b.SHA, b.Ref, b.Tag, b.Branch, b.Message, b.Author, b.Status, b.Release, b.URL},
		[]any{"release", sha, "refs/tags/v1", "v1", "", "One [skip ci]", "mona", store.Pending,
			&store.Release{Name: "One", Prerelease: true}, r.HTMLURL() + "/releases/tag/v1"})
	f.want(f.variables(b, "CI_PIPELINE_EVENT", "CI_COMMIT_SHA", "CI_COMMIT_TAG", "CI_COMMIT_PRERELEASE", "CI_COMMIT_BRANCH", "CI_PIPELINE_FILES"),
		map[string]string{"CI_PIPELINE_EVENT": "release", "CI_COMMIT_SHA": sha, "CI_COMMIT_TAG": "v1", "CI_COMMIT_PRERELEASE": "true"})

	// A restart finds the same commit.
	f.endAll()
	again := f.restart("app", 2)
	f.settled()
	f.want(f.variables(again, "CI_COMMIT_SHA", "CI_PIPELINE_PARENT"), map[string]string{"CI_COMMIT_SHA": sha, "CI_PIPELINE_PARENT": "2"})
}

func TestReleaseThatMakesNoBuild(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.push(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("push")}})
	f.release(r, githubtest.Release{Tag: "none"})
	_, err := r.Tag(f.ctx, githubtest.Tag{Name: "v1"})
	f.ok(err)
	f.release(r, githubtest.Release{Tag: "v1"})
	f.commit(r, githubtest.Change{Branch: "bare", Remove: []string{".slipway.yml"}})
	_, err = r.Tag(f.ctx, githubtest.Tag{Name: "v2", Target: "refs/heads/bare"})
	f.ok(err)
	f.release(r, githubtest.Release{Tag: "v2"})
	f.release(r, githubtest.Release{Tag: "a..b"})
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	got := f.outcomes("release")
	f.want(got[:2], []string{"ignored: tag none is not on GitHub any more", "ignored: no workflow is for the event release"})
	for i, words := range []string{"no pipeline file in ", `"refs/tags/a..b"`} {
		if !strings.HasPrefix(got[i+2], "ignored: ") || !strings.Contains(got[i+2], words) {
			t.Errorf("got %q, want it ignored with %q", got[i+2], words)
		}
	}
}

func TestDeployment(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	first := f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("deployment")}, Message: "One"})
	_, err := r.Tag(f.ctx, githubtest.Tag{Name: "v1"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.commit(r, githubtest.Change{Files: map[string]string{"a": "2"}})
	for _, ref := range []string{"main", "v1", first, first[:8], "refs/tags/v1"} {
		d := githubtest.Deployment{Ref: ref, Environment: "staging", Task: "migrate"}
		if ref == "refs/tags/v1" {
			d.Environment, d.Task = "", ""
		}
		_, _, err := r.Deploy(f.ctx, d)
		f.ok(err)
		f.ok(f.github.Settle(f.ctx))
	}
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	type where struct{ Ref, Branch, Tag, Target, Task string }
	var got []where
	for n := range int64(5) {
		b := f.storedBuild("app", n+2) // #1 is the tag's
		if b.Event != "deployment" || b.Deploy.ID == 0 || b.Author != "mona" || b.Message == "" {
			t.Errorf("build %+v", b)
		}
		got = append(got, where{b.Ref, b.Branch, b.Tag, b.Deploy.Target, b.Deploy.Task})
	}
	f.want(got, []where{
		{"refs/heads/main", "main", "", "staging", "migrate"},
		{"refs/tags/v1", "", "v1", "staging", "migrate"},
		{"refs/heads/main", "main", "", "staging", "migrate"},
		{"refs/heads/main", "main", "", "staging", "migrate"},
		{"refs/tags/v1", "", "v1", "production", "deploy"},
	})
	f.want(f.storedBuild("app", 4).SHA, first)
	f.want(f.variables(f.storedBuild("app", 2), "CI_PIPELINE_DEPLOY_TARGET", "CI_PIPELINE_DEPLOY_TASK", "CI_PIPELINE_EVENT"),
		map[string]string{"CI_PIPELINE_DEPLOY_TARGET": "staging", "CI_PIPELINE_DEPLOY_TASK": "migrate", "CI_PIPELINE_EVENT": "deployment"})
}

// A name that a branch and a tag have is the one that is where the build is.
func TestDeploymentOfANameOfTwo(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	first := f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("deployment")}})
	_, err := r.Tag(f.ctx, githubtest.Tag{Name: "both"})
	f.ok(err)
	second := f.commit(r, githubtest.Change{Branch: "both", Files: map[string]string{"a": "2"}})
	f.ok(f.github.Settle(f.ctx))
	for _, sha := range []string{first, second} {
		set := identity(r)
		set["deployment.sha"], set["deployment.ref"] = sha, "both"
		f.deliver("deployment", f.payload("deployment.json", set))
	}
	f.settled()
	f.want([]string{f.storedBuild("app", 2).Ref, f.storedBuild("app", 3).Ref}, []string{"refs/tags/both", "refs/heads/both"})
}

func TestClosedPullRequest(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("push, pull_request_closed")}})
	sha := f.push(r, githubtest.Change{Branch: "topic", Files: map[string]string{"a": "1"}})
	n, err := r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.ok(r.ClosePullRequest(f.ctx, n))
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	// The push's plan is equal, and covers no end of a pull request.
	b := f.storedBuild("app", 3)
	f.want([]any{b.Event, b.SHA, b.Ref, b.Pull.Number, b.NeedsApproval, b.Status},
		[]any{"pull_request_closed", sha, "refs/pull/1/head", 1, false, store.Pending})
	f.want(f.outcomes("pull_request")[1], "done: build #3")
}

func TestClosedPullRequestOfAFork(t *testing.T) {
	for _, tt := range []struct {
		name, outcome string
		approve       bool
	}{
		{"nobody approved it", "ignored: the pull request comes from a fork, and nobody approved its commit", false},
		{"approved while it was open", "done: build #2", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newForge(t)
			f.start()
			r := f.addRepo("app")
			f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("pull_request, pull_request_closed")}})
			fork, err := r.Fork(f.ctx, "eve")
			f.ok(err)
			sha, err := fork.Commit(f.ctx, githubtest.Change{Branch: "topic", Files: map[string]string{"a": "1"}})
			f.ok(err)
			n, err := r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic", From: fork})
			f.ok(err)
			f.ok(f.github.Settle(f.ctx))
			f.settled()
			if tt.approve {
				f.ok(f.store.Approve(f.ctx, f.storedBuild("app", 1).ID, sha, "admin"))
			}
			f.ok(r.ClosePullRequest(f.ctx, n))
			f.ok(f.github.Settle(f.ctx))
			f.settled()
			f.want(f.outcomes("pull_request"), []string{"done: build #1", tt.outcome})
			if tt.approve {
				f.want(f.storedBuild("app", 2).Status, store.Pending)
			}
		})
	}
}

func TestClosedPullRequestThatNobodyWaitsFor(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": on("pull_request")}})
	f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"a": "1"}})
	n, err := r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.ok(r.ClosePullRequest(f.ctx, n))
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	f.want(f.outcomes("pull_request"), []string{"done: build #1", "ignored: no workflow is for the event pull_request_closed"})
}

func TestJobsOfAMatrix(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.push(r, githubtest.Change{Files: map[string]string{".slipway.yml": "matrix: {GO: ['1.25', '1.26']}\nconcurrency: {limit: 1, group: g, cancel: true}\n" + pipelineFile}})
	f.settled()
	jobs, err := f.store.Jobs(f.ctx, f.storedBuild("app", 1).ID)
	f.ok(err)
	var got []string
	for _, j := range jobs {
		if j.Base == "" || j.Base == j.Name || j.Group.Limit != 1 || !j.Group.Cancel || j.Group.Name == "" {
			t.Errorf("job %+v", j)
		}
		got = append(got, fmt.Sprint(j.Matrix["GO"], " ", j.Status, " ", j.Held))
	}
	f.want(got, []string{"1.25 pending false", "1.26 pending true"})
}
