package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

// announce sends the webhook of a push to a branch whose commit is there.
func (f *forge) announce(r *githubtest.Repo, branch, sha string) {
	f.Helper()
	set := identity(r)
	set["ref"], set["after"], set["deleted"], set["head_commit"] = "refs/heads/"+branch, sha, false, obj{"id": sha, "message": "Fix"}
	f.deliver("push", f.payload("push.json", set))
	f.settled()
}

// openPull opens a pull request, which is announced.
func (f *forge) openPull(r *githubtest.Repo, p githubtest.PullRequest) {
	f.Helper()
	_, err := r.OpenPullRequest(f.ctx, p)
	f.ok(err)
	f.ok(f.github.Settle(f.ctx))
	f.settled()
}

// A commit of a pull request comes with the push and with the pull request, in any
// order. It is built once, unless they do different things.
func TestCommitThatComesTwiceIsBuiltOnce(t *testing.T) {
	const both = "when: {event: [push, pull_request]}\n" + pipelineFile
	const other = both + "  - {name: deploy, image: busybox, commands: ['true'], when: {event: push}}\n"
	for name, c := range map[string]struct {
		file      string
		pullFirst bool
		want      []string // outcomes of the push and the pull request
	}{
		"the push first":                        {both, false, []string{"done: build #2", "done: build #2 of the push has the same plan"}},
		"the pull request first":                {both, true, []string{"done: build #2 of the pull request has the same plan", "done: build #2"}},
		"the push first, and it does more":      {other, false, []string{"done: build #2", "done: build #3"}},
		"the pull request first, and does less": {other, true, []string{"done: build #3", "done: build #2"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.start()
			r, _ := f.used()
			sha := f.commit(r, githubtest.Change{Branch: "fix", Files: map[string]string{".slipway.yml": c.file}})
			steps := []func(){
				func() { f.announce(r, "fix", sha) },
				func() { f.openPull(r, githubtest.PullRequest{Title: "Fix", Head: "fix"}) },
			}
			if c.pullFirst {
				slices.Reverse(steps)
			}
			for _, step := range steps {
				step()
			}
			f.want([]string{f.outcomes("push")[1], f.outcomes("pull_request")[0]}, c.want)
		})
	}
}

// What covers a push is the pull request of its branch and no other's: the commit
// may have come to another branch, and the default branch has builds of its own.
func TestPushThatNothingCovers(t *testing.T) {
	f := newForge(t)
	f.start()
	r, _ := f.used()
	release := f.commit(r, githubtest.Change{Branch: "release", Files: map[string]string{"n": "1"}})
	f.announce(r, "release", release)
	fix := f.commit(r, githubtest.Change{Branch: "fix", Files: map[string]string{".slipway.yml": pipelineFile}})
	f.openPull(r, githubtest.PullRequest{Title: "Fix", Head: "fix"})
	f.announce(r, "fix-again", fix)
	main := f.commit(r, githubtest.Change{Files: map[string]string{"n": "2"}})
	f.openPull(r, githubtest.PullRequest{Title: "Release", Head: "main", Base: "release"})
	f.announce(r, "main", main)
	for i, o := range f.outcomes("push") {
		if want := "done: build #"; !strings.HasPrefix(o, want) || strings.Contains(o, "of the") {
			t.Errorf("push %d: %s", i+1, o)
		}
	}
	f.want(len(f.builds("app")), 6)
	f.want(fmt.Sprintf("%.7s", f.storedBuild("app", 6).SHA), fmt.Sprintf("%.7s", main))
}
