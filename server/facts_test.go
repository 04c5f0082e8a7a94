package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// pathFile is a pipeline file whose step `docs` runs if a file below docs changed.
const pathFile = `steps:
  - {name: test, image: busybox, commands: ['true']}
  - {name: docs, image: busybox, commands: ['true'], when: {path: 'docs/**'}}
`

// docs tells whether the step docs of a build runs, and what its path was
// compared with.
func (f *forge) docs(number int64) (runs bool, got string) {
	f.Helper()
	for _, s := range f.workflow(f.storedBuild("app", number)).Steps {
		if s.Name != "docs" {
			continue
		}
		for _, c := range s.Why {
			if c.Key == "path" {
				return s.Skip == "", c.Got
			}
		}
	}
	f.Fatalf("build #%d has no step docs with a path", number)
	return false, ""
}

func (f *forge) wantDocs(number int64, runs bool, words string) {
	f.Helper()
	gotRuns, got := f.docs(number)
	if gotRuns != runs || !strings.Contains(got, words) {
		f.Errorf("build #%d: runs %v because of %q, want %v because of %q", number, gotRuns, got, runs, words)
	}
}

func TestChangedFilesOfPushes(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	push := func(c githubtest.Change) string {
		t.Helper()
		sha := f.push(r, c)
		f.settled()
		return sha
	}
	push(githubtest.Change{Files: map[string]string{".slipway.yml": pathFile, "docs/a": "1"}})
	f.wantDocs(1, true, "every file: it is the first push of the default branch")
	push(githubtest.Change{Files: map[string]string{"a": "1"}})
	f.wantDocs(2, false, "a")
	push(githubtest.Change{Files: map[string]string{"docs/b": "1"}})
	f.wantDocs(3, true, "docs/b")
	push(githubtest.Change{Files: map[string]string{}, Remove: []string{"docs/b"}})
	f.wantDocs(4, true, "docs/b")

	// A new branch, with a commit before the one that is pushed.
	f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"docs/c": "1"}})
	push(githubtest.Change{Files: map[string]string{"docs/main": "1"}}) // not of the branch
	set := identity(r)
	sha := f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"b": "1"}})
	set["ref"], set["before"], set["after"], set["deleted"], set["head_commit"] = "refs/heads/topic", strings.Repeat("0", 40), sha, false, obj{"id": sha}
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.wantDocs(6, true, "docs/c")
	if files := f.variables(f.storedBuild("app", 6), "CI_PIPELINE_FILES")["CI_PIPELINE_FILES"]; files != `["b","docs/c"]` {
		t.Errorf("changed files: %s", files)
	}

	// A push over what nobody has any more.
	set["before"] = strings.Repeat("1234567890", 4)
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.wantDocs(7, true, "every file: the commit before the push is gone")

	// A push over a commit that a ref leads to no more, and the mirror has.
	second := f.storedBuild("app", 2).SHA
	set["ref"], set["before"], set["after"], set["head_commit"] = "refs/heads/main", f.storedBuild("app", 3).SHA, second, obj{"id": second}
	f.deliver("push", f.payload("push.json", set))
	f.settled()
	f.wantDocs(8, true, "docs/b")
}

func TestChangedFilesOfAPullRequest(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.commit(r, githubtest.Change{Files: map[string]string{".slipway.yml": pathFile, "docs/a": "1"}})
	f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"a": "1"}})
	f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"b": "1"}})
	f.commit(r, githubtest.Change{Files: map[string]string{"docs/main": "1"}}) // not of the pull request
	_, err := r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	f.wantDocs(1, false, "a, b")
	f.push(r, githubtest.Change{Branch: "topic", Files: map[string]string{"docs/c": "1"}})
	f.settled()
	// The push and the pull request are announced in any order.
	f.wantDocs(2, true, "docs/c")
	f.want(len(f.builds("app")), 2) // the plans are the same
	f.push(r, githubtest.Change{Branch: "topic", Files: map[string]string{"c": "1"}})
	f.settled()
	f.wantDocs(f.newest("push"), false, "c")
	f.wantDocs(f.newest("pull_request"), true, "docs/c")
}

// newest is the number of the newest build of app for an event.
func (f *forge) newest(event string) int64 {
	f.Helper()
	builds, err := f.store.Builds(f.ctx, f.storedRepo("app").ID, store.BuildFilter{Event: event, Limit: 1})
	f.ok(err)
	if len(builds) == 0 {
		f.Fatalf("there is no build for %s", event)
	}
	return builds[0].Number
}

func TestNewBranchWithoutADefaultBranch(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	f.push(r, githubtest.Change{Branch: "only", Files: map[string]string{".slipway.yml": pathFile}})
	f.settled()
	f.wantDocs(1, true, "every file: there is no branch main")
}

func TestFactsOfTheServerAndThePreviousBuild(t *testing.T) {
	f := newForge(t)
	f.options.Platform, f.options.Instance = "linux/riscv64", "blue"
	f.start()
	r := f.addRepo("app")
	first := f.push(r, githubtest.Change{})
	f.settled()
	names := []string{"CI_PREV_COMMIT_SHA", "CI_PREV_PIPELINE_NUMBER", "CI_PREV_PIPELINE_STATUS", "CI_PREV_PIPELINE_EVENT"}
	f.want(f.variables(f.storedBuild("app", 1), names...), map[string]string{})
	f.endAll()
	f.push(r, githubtest.Change{Branch: "other"})
	f.push(r, githubtest.Change{})
	f.settled()
	b := f.storedBuild("app", 3)
	f.want(f.variables(b, names...), map[string]string{"CI_PREV_COMMIT_SHA": first, "CI_PREV_PIPELINE_NUMBER": "1",
		"CI_PREV_PIPELINE_STATUS": "success", "CI_PREV_PIPELINE_EVENT": "push"})
	f.want(f.variables(b, "CI_SYSTEM_PLATFORM", "CI_SYSTEM_HOST", "CI_REPO_CLONE_SSH_URL"), map[string]string{
		"CI_SYSTEM_PLATFORM": "linux/riscv64", "CI_SYSTEM_HOST": "ci.example", "CI_REPO_CLONE_SSH_URL": "git@127.0.0.1:acme/app.git"})
	f.want(b.SenderAvatar, f.github.URL()+"/avatars/mona")
}

func TestTrustAndPlaceOfThePipelineFile(t *testing.T) {
	f := newForge(t)
	f.options.PrivilegedImages = []string{"plugins/docker"}
	f.start()
	r := f.addRepo("app")
	files := map[string]string{".slipway.yml": "steps:\n  - {name: build, image: plugins/docker}\n", "ci/build.yml": pipelineFile}
	f.push(r, githubtest.Change{Files: files})
	f.settled()
	b := f.storedBuild("app", 1)
	if b.Status != store.Error || !strings.Contains(b.Reason, "trust `security`") || !strings.Contains(b.Reason, "admin") {
		t.Errorf("without trust: %s %s", b.Status, b.Reason)
	}
	repo := f.storedRepo("app")
	_, err := f.store.ChangeRepoSettings(f.ctx, repo.ID, func(s *store.RepoSettings) { s.Trust.Security = true })
	f.ok(err)
	f.restart("app", 1)
	f.settled()
	if s := f.workflow(f.storedBuild("app", 2)).Steps[0]; !s.Privileged {
		t.Errorf("with trust: %+v", s)
	}
	_, err = f.store.ChangeRepoSettings(f.ctx, repo.ID, func(s *store.RepoSettings) { s.PipelineFile = "ci/" })
	f.ok(err)
	f.endAll()
	f.restart("app", 1)
	f.settled()
	f.want(f.storedBuild("app", 3).Files, []string{"ci/build.yml"})
	_, err = f.store.ChangeRepoSettings(f.ctx, repo.ID, func(s *store.RepoSettings) { s.PipelineFile = "nowhere.yml" })
	f.ok(err)
	f.restart("app", 1)
	f.settled()
	if b := f.storedBuild("app", 4); !strings.HasSuffix(b.Reason, " at nowhere.yml, where the repository's settings say it is") {
		t.Errorf("reason %q", b.Reason)
	}
}

// Drone's files tell a pull request that is opened from one that has new commits.
func TestActionOfAPullRequest(t *testing.T) {
	f := newForge(t)
	f.start()
	r := f.addRepo("app")
	file := "kind: pipeline\ntype: docker\nname: app\nsteps:\n" +
		"- {name: greet, image: 'busybox:1', commands: ['true'], when: {event: pull_request, action: opened}}\n" +
		"- {name: thank, image: 'busybox:1', commands: ['true'], when: {event: pull_request, action: synchronized}}\n"
	f.commit(r, githubtest.Change{Files: map[string]string{".drone.yml": file}})
	f.commit(r, githubtest.Change{Branch: "topic", Files: map[string]string{"a": "1"}})
	_, err := r.OpenPullRequest(f.ctx, githubtest.PullRequest{Title: "Topic", Head: "topic"})
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.settled()
	f.push(r, githubtest.Change{Branch: "topic", Files: map[string]string{"b": "1"}})
	f.settled()
	runs := func(number int64) string {
		b := f.storedBuild("app", number)
		for _, s := range f.workflow(b).Steps {
			if s.Skip == "" {
				return b.Event + " " + s.Name
			}
		}
		return b.Event
	}
	got := []string{runs(1), runs(f.newest("push")), runs(f.newest("pull_request"))} // the last two in any order
	if !slices.Equal(got, []string{"pull_request greet", "push", "pull_request thank"}) {
		t.Errorf("what runs: %q", got)
	}
}
