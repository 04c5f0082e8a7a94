package githubtest

import (
	"testing"

	"github.com/slipway-ci/slipway/server/github"
)

func TestPullRequest(t *testing.T) {
	s := start(t, Options{AnonymousPush: true})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	base := commit(t, r, Change{Files: map[string]string{"a": "1"}})
	head := commit(t, r, Change{Branch: "feature", Files: map[string]string{"a": "2"}})
	number, err := r.OpenPullRequest(t.Context(), PullRequest{
		Title: "Count", Head: "feature", Labels: []string{"bug"}, Draft: true, Author: Person{Login: "ada"},
	})
	if err != nil || number != 1 {
		t.Fatalf("got %d, %v", number, err)
	}
	es := rec.take(t, s)
	if len(es) != 1 || es[0].Kind != github.KindPullRequest {
		t.Fatalf("got %+v", es)
	}
	p := es[0].PullRequest
	if p.Action != "opened" || p.HeadSHA != head || p.BaseSHA != base || p.BaseRef != "main" || p.HeadRef != "feature" ||
		p.Fork || !p.Draft || p.Author.Login != "ada" || len(p.Labels) != 1 || p.Title != "Count" || p.HeadRepo != "octo/hello" {
		t.Errorf("got %+v", p)
	}

	// A push moves it.
	w := clone(t, r.CloneURL())
	w.git("checkout", "--quiet", "feature")
	head = w.commit("a", "3", "More")
	w.git("push", "--quiet", "origin", "feature")
	kinds := map[github.Kind]github.Event{}
	for _, e := range rec.take(t, s) {
		kinds[e.Kind] = e
	}
	if len(kinds) != 2 || kinds[github.KindPush].Push.After != head {
		t.Fatalf("got %+v", kinds)
	}
	if p = kinds[github.KindPullRequest].PullRequest; p.Action != "synchronize" || p.HeadSHA != head || p.Number != number {
		t.Errorf("got %+v", p)
	}
	if got, err := r.Resolve(t.Context(), "refs/pull/1/head"); err != nil || got != head {
		t.Errorf("refs/pull/1/head is %s, %v", got, err)
	}

	// A push to another branch does not, and one to a closed one neither.
	if _, err := r.Push(t.Context(), Change{Branch: "other"}); err != nil {
		t.Fatal(err)
	}
	if es = rec.take(t, s); len(es) != 1 || es[0].Kind != github.KindPush {
		t.Errorf("got %+v", es)
	}
	if err := r.ClosePullRequest(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	if es = rec.take(t, s); len(es) != 1 || es[0].Kind != github.KindPullRequest || !es[0].PullRequest.Closed() {
		t.Errorf("got %+v", es)
	}
	if _, err := r.Push(t.Context(), Change{Branch: "feature"}); err != nil {
		t.Fatal(err)
	}
	if es = rec.take(t, s); len(es) != 1 || es[0].Kind != github.KindPush {
		t.Errorf("got %+v", es)
	}
	if err := r.ClosePullRequest(t.Context(), number); err == nil {
		t.Error("it could be closed twice")
	}
	if _, err := r.OpenPullRequest(t.Context(), PullRequest{Head: "none"}); err == nil {
		t.Error("a pull request of nothing was opened")
	}
}

func TestPullRequestFromFork(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	commit(t, r, Change{Files: map[string]string{"a": "1"}})
	fork, err := r.Fork(t.Context(), "eve")
	if err != nil {
		t.Fatal(err)
	}
	head := commit(t, fork, Change{Files: map[string]string{"a": "evil"}})
	number, err := r.OpenPullRequest(t.Context(), PullRequest{Title: "Trust me", Head: "main", From: fork})
	if err != nil {
		t.Fatal(err)
	}
	es := rec.take(t, s)
	if len(es) != 1 {
		t.Fatalf("got %+v", es)
	}
	p := es[0].PullRequest
	if !p.Fork || p.HeadRepo != "eve/hello" || p.HeadCloneURL != fork.CloneURL() || p.HeadSHA != head || es[0].Repo.FullName() != "octo/hello" {
		t.Errorf("got %+v", es[0])
	}
	w := clone(t, r.CloneURL())
	w.git("fetch", "--quiet", "origin", "refs/pull/1/head")
	if got := w.git("rev-parse", "FETCH_HEAD"); got != head {
		t.Errorf("the base repository has %s, want %s", got, head)
	}

	if head, err = fork.Push(t.Context(), Change{Files: map[string]string{"a": "worse"}}); err != nil {
		t.Fatal(err)
	}
	synchronized := false
	for _, e := range rec.take(t, s) {
		if e.Kind == github.KindPullRequest {
			synchronized = e.PullRequest.Action == "synchronize" && e.PullRequest.HeadSHA == head && e.PullRequest.Number == number
		}
	}
	if !synchronized {
		t.Error("the pull request did not follow its fork")
	}

	if err := fork.Delete(t.Context(), "refs/heads/main"); err != nil {
		t.Fatal(err)
	}
	if len(r.openPulls()) != 0 {
		t.Error("the pull request outlived its branch")
	}
}
