package githubtest

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/server/github"
)

func TestCommitIsWhatACloneGets(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{DefaultBranch: "trunk"})
	first := commit(t, r, Change{Files: map[string]string{
		"README.md": "# hello\n", "dir/run.sh": "#!/bin/sh\necho hi\n", "gone": "x",
	}, Message: "First\n\nLong words: ü\x1e\x1f"})
	second := commit(t, r, Change{
		Branch: "--upload-pack=x", Files: map[string]string{"README.md": "# more"}, Remove: []string{"gone"},
		Author: Person{Name: "Ada", Email: "ada@example.com"},
	})
	w := clone(t, r.CloneURL())
	if got := w.git("rev-parse", "HEAD"); got != first {
		t.Errorf("HEAD is %s, want %s", got, first)
	}
	if got := w.git("symbolic-ref", "HEAD"); got != "refs/heads/trunk" {
		t.Errorf("HEAD is %s", got)
	}
	if got := w.git("log", "-1", "--format=%B%n%an %ae"); got != "First\n\nLong words: ü\x1e\x1f\n\nMona mona@example.com" {
		t.Errorf("log says %q", got)
	}
	if info, err := os.Stat(filepath.Join(w.dir, "dir/run.sh")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("run.sh: %v, %v", info, err)
	}
	w.git("checkout", "--quiet", second)
	if got := w.git("ls-files"); got != "README.md\ndir/run.sh" {
		t.Errorf("files are %q", got)
	}
	if got := w.git("rev-list", "--count", "HEAD"); got != "2" {
		t.Errorf("%s commits: the new branch does not start from the default one", got)
	}
	w.git("fsck", "--strict")
}

func TestFetchBySHA(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	old := commit(t, r, Change{Files: map[string]string{"a": "1"}})
	commit(t, r, Change{Files: map[string]string{"a": "2"}})
	w := worktree{t, t.TempDir()}
	w.git("init", "--quiet")
	// Version 2 of git's protocol allows it anyway, version 0 must be told.
	for _, version := range []string{"0", "2"} {
		w.git("-c", "protocol.version="+version, "fetch", "--quiet", "--depth=1", r.CloneURL(), old)
		if got := w.git("rev-parse", "FETCH_HEAD"); got != old {
			t.Errorf("version %s: got %s, want %s", version, got, old)
		}
	}
}

func TestCommitAll(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	first := commit(t, r, Change{Files: map[string]string{"a": "1"}})
	shas, err := r.CommitAll(t.Context(), []Change{
		{Branch: "side", Files: map[string]string{"a": "2"}}, {Files: map[string]string{"b": "1"}, Message: "Last"}})
	if err != nil {
		t.Fatal(err)
	}
	w := clone(t, r.CloneURL())
	if got, want := w.git("rev-list", "origin/side"), shas[1]+"\n"+shas[0]+"\n"+first; got != want {
		t.Errorf("side has\n%s, want\n%s", got, want)
	}
	w.git("checkout", "--quiet", shas[1])
	if got := w.git("log", "-1", "--format=%s") + " " + w.git("ls-files"); got != "Last a\nb" {
		t.Errorf("the last commit is %q", got)
	}
	if shas, err := r.CommitAll(t.Context(), nil); len(shas) != 0 || err != nil {
		t.Errorf("none: %v, %v", shas, err)
	}
}

func TestCommitRefuses(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	for name, c := range map[string]Change{
		"branch with a newline": {Branch: "a\nreset refs/heads/b"},
		"bad branch":            {Branch: "a..b"},
		"path that climbs":      {Files: map[string]string{"../x": ""}},
		"path with a newline":   {Files: map[string]string{"a\nD b": ""}},
		"path of git's":         {Files: map[string]string{".git/config": ""}},
		"author":                {Author: Person{Name: "a <b>"}},
		"removal":               {Remove: []string{"/etc"}},
	} {
		if sha, err := r.Commit(t.Context(), c); err == nil {
			t.Errorf("%s: was committed as %s", name, sha)
		}
	}
}

func TestAddRepoRefuses(t *testing.T) {
	s := start(t, Options{})
	addRepo(t, s, "hello", RepoOptions{})
	for _, name := range []string{"", ".", "..", "a/b", "HELLO", "x.git", "-\n"} {
		if _, err := s.AddRepo(t.Context(), "octo", name, RepoOptions{}); err == nil {
			t.Errorf("%q was added", name)
		}
	}
	if s.Repo("Octo", "Hello") == nil || s.Repo("octo", "other") != nil || len(s.Repos()) != 1 {
		t.Error("the wrong repositories are there")
	}
}

func TestGitAccess(t *testing.T) {
	for _, anonymous := range []bool{false, true} {
		s := start(t, Options{AnonymousPush: anonymous})
		public := addRepo(t, s, "public", RepoOptions{})
		private := addRepo(t, s, "private", RepoOptions{Private: true})
		commit(t, public, Change{})
		commit(t, private, Change{})
		missing := s.URL() + "/octo/missing.git"
		tests := []struct {
			name, url   string
			fetch, push bool
		}{
			{"public, nobody", public.CloneURL(), true, anonymous},
			{"public, token", authURL(public, "x-access-token", token), true, true},
			// git sends credentials only when it was refused without.
			{"public, wrong token", authURL(public, "x-access-token", "wrong"), true, anonymous},
			{"private, nobody", private.CloneURL(), false, false},
			{"private, token", authURL(private, "any", token), true, true},
			{"private, token as user", authURL(private, token, "x"), false, false},
			{"private, wrong token", authURL(private, "x-access-token", "wrong"), false, false},
			{"missing, nobody", missing, false, false},
			{"missing, token", strings.Replace(missing, "://", "://x:"+token+"@", 1), false, false},
		}
		for i, tt := range tests {
			t.Run(fmt.Sprintf("%s, anonymous push %v", tt.name, anonymous), func(t *testing.T) {
				out, err := gitCmd(t, ".", "ls-remote", tt.url)
				if (err == nil) != tt.fetch {
					t.Errorf("fetch: %v: %s", err, out)
				}
				w := worktree{t, t.TempDir()}
				w.git("init", "--quiet")
				w.commit("a", "b", "c")
				out, err = gitCmd(t, w.dir, "push", "--quiet", tt.url, fmt.Sprintf("HEAD:refs/heads/new-%d", i))
				if (err == nil) != tt.push {
					t.Errorf("push: %v: %s", err, out)
				}
				if strings.Contains(tt.url, "private") && !tt.fetch && !strings.Contains(out, "could not read Username") &&
					!strings.Contains(out, "Authentication failed") {
					t.Errorf("git was not asked for credentials: %s", out)
				}
			})
		}
	}
}

// Credentials that are wrong are refused also where none are needed.
func TestGitWrongHeader(t *testing.T) {
	s := start(t, Options{AnonymousPush: true})
	r := addRepo(t, s, "public", RepoOptions{})
	commit(t, r, Change{})
	for password, ok := range map[string]bool{token: true, "wrong": false, "": false} {
		header := "http.extraHeader=Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+password))
		if out, err := gitCmd(t, ".", "-c", header, "ls-remote", r.CloneURL()); (err == nil) != ok {
			t.Errorf("%q: %v: %s", password, err, out)
		}
	}
}

func TestPushSendsWebhooks(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{Private: true})
	rec := receive(t, s)
	start := commit(t, r, Change{Files: map[string]string{"a": "1"}})
	if es := rec.take(t, s); len(es) != 0 {
		t.Fatalf("a commit alone sent %+v", es)
	}
	w := clone(t, authURL(r, "ada", token))
	one := w.commit("a", "2", "Two")
	w.git("tag", "-a", "v1", "-m", "One")
	w.git("push", "--quiet", "origin", "HEAD:main", "HEAD:refs/heads/feature/x", "v1")

	pushes := map[string]*github.Push{}
	for _, e := range rec.take(t, s) {
		if e.Kind != github.KindPush || e.Repo.FullName() != "octo/hello" || !e.Repo.Private || e.Sender.Login != "ada" {
			t.Fatalf("got %+v", e)
		}
		if e.Repo.ID != r.ID() || e.Repo.CloneURL != r.CloneURL() || e.Repo.DefaultBranch != "main" {
			t.Errorf("got repo %+v", e.Repo)
		}
		pushes[e.Push.Ref] = e.Push
	}
	if len(pushes) != 3 {
		t.Fatalf("got %+v", pushes)
	}
	main, branch, tag := pushes["refs/heads/main"], pushes["refs/heads/feature/x"], pushes["refs/tags/v1"]
	if main.Before != start || main.After != one || main.Created || main.Forced || main.Head.Message != "Two" {
		t.Errorf("main: %+v", main)
	}
	if branch.Before != "" || !branch.Created || branch.Head.SHA != one {
		t.Errorf("branch: %+v", branch)
	}
	if tag.Head.SHA != one || tag.After == one || tag.After != w.git("rev-parse", "v1") || tag.Tag() != "v1" {
		t.Errorf("tag: %+v", tag)
	}

	w.git("commit", "--quiet", "--amend", "-m", "<b>Amended</b>")
	w.git("push", "--quiet", "--force", "origin", "HEAD:main")
	if es := rec.take(t, s); len(es) != 1 || !es[0].Push.Forced || es[0].Push.Head.Message != "<b>Amended</b>" {
		t.Errorf("forced push: %+v", es)
	}
	w.git("push", "--quiet", "--force", "origin", start+":main")
	if es := rec.take(t, s); len(es) != 1 || !es[0].Push.Forced || es[0].Push.Head.SHA != start {
		t.Errorf("push backwards: %+v", es)
	}
	w.git("push", "--quiet", "origin", ":feature/x")
	if es := rec.take(t, s); len(es) != 1 || es[0].Reason != "branch deleted" {
		t.Errorf("deletion: %+v", es)
	}
	w.git("push", "--quiet", "origin", w.git("rev-parse", "HEAD^{tree}")+":refs/tags/tree")
	if es := rec.take(t, s); len(es) != 1 || es[0].Reason != "the tag leads to no commit" {
		t.Errorf("tag of a tree: %+v", es)
	}
}

func TestPushRejected(t *testing.T) {
	s := start(t, Options{AnonymousPush: true})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	commit(t, r, Change{})
	w := clone(t, r.CloneURL())
	w.commit("a", "b", "c")
	if out, err := gitCmd(t, w.dir, "push", "origin", "HEAD:refs/pull/1/head", "HEAD:refs/heads/ok"); err == nil {
		t.Errorf("refs/pull could be pushed: %s", out)
	}
	es := rec.take(t, s)
	if len(es) != 1 || es[0].Push.Ref != "refs/heads/ok" || es[0].Sender.Login != "octo" {
		t.Errorf("got %+v", es)
	}
}

// A pack of more than a megabyte is sent chunked, which CGI cannot take.
func TestPushLarge(t *testing.T) {
	s := start(t, Options{AnonymousPush: true})
	r := addRepo(t, s, "hello", RepoOptions{})
	commit(t, r, Change{})
	w := clone(t, r.CloneURL())
	noise := make([]byte, 0, 3<<20)
	for i, x := 0, uint32(1); i < cap(noise); i++ {
		x = x*1664525 + 1013904223
		noise = append(noise, byte(x>>24))
	}
	sha := w.commit("noise", string(noise), "Noise")
	w.git("push", "--quiet", "origin", "HEAD:main")
	if got, err := r.Resolve(t.Context(), "refs/heads/main"); err != nil || got != sha {
		t.Errorf("main is %q, %v, want %s", got, err, sha)
	}
}

func TestHelpersSendWebhooks(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	sha, err := r.Push(t.Context(), Change{Branch: "dev", Message: "Say hi", Author: Person{"Ada", "ada@example.com", "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	es := rec.take(t, s)
	if len(es) != 1 || es[0].Push.Head.SHA != sha || es[0].Push.Branch() != "dev" || es[0].Push.Head.AuthorLogin != "ada" {
		t.Fatalf("push: %+v", es)
	}
	for _, message := range []string{"", "Annotated"} {
		name := "v" + message
		got, err := r.Tag(t.Context(), Tag{Name: name, Target: "refs/heads/dev", Message: message})
		if err != nil || got != sha {
			t.Fatalf("tag: %s, %v", got, err)
		}
		es = rec.take(t, s)
		if len(es) != 1 || es[0].Push.Tag() != name || es[0].Push.Head.SHA != sha || (es[0].Push.After == sha) != (message == "") {
			t.Fatalf("tag: %+v", es)
		}
	}
	if _, err := r.Tag(t.Context(), Tag{Name: "v", Target: "refs/heads/dev"}); err == nil {
		t.Error("a tag could be moved")
	}
	if _, err := r.Tag(t.Context(), Tag{Name: "w", Target: "refs/heads/none"}); err == nil {
		t.Error("nothing could be tagged")
	}
	if err := r.Delete(t.Context(), "refs/tags/v"); err != nil {
		t.Fatal(err)
	}
	if es = rec.take(t, s); len(es) != 1 || es[0].Reason != "tag deleted" {
		t.Fatalf("deletion: %+v", es)
	}
}

// 16 developers push at once, each to a branch of its own.
func TestPushesAtOnce(t *testing.T) {
	const developers, pushes = 16, 4
	s := start(t, Options{AnonymousPush: true})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	commit(t, r, Change{Files: map[string]string{"a": "1"}})
	var wg sync.WaitGroup
	for i := range developers {
		w := clone(t, r.CloneURL())
		wg.Go(func() {
			for n := range pushes {
				w.commit("a", fmt.Sprint(i, n), "Change")
				w.git("push", "--quiet", "origin", fmt.Sprintf("HEAD:dev-%d", i))
			}
		})
	}
	wg.Wait()
	byBranch := map[string][]string{}
	for _, e := range rec.take(t, s) {
		byBranch[e.Push.Branch()] = append(byBranch[e.Push.Branch()], e.Push.After)
	}
	for i := range developers {
		branch := fmt.Sprintf("dev-%d", i)
		head, err := r.Resolve(t.Context(), "refs/heads/"+branch)
		if err != nil || len(byBranch[branch]) != pushes || !slices.Contains(byBranch[branch], head) {
			t.Errorf("%s at %s: got %v, %v", branch, head, byBranch[branch], err)
		}
	}
}

// 500 pushes by 16 callers, half of them to one branch: the helpers lose none.
func TestHelperPushesAtOnce(t *testing.T) {
	const callers, pushes = 16, 500
	s := start(t, Options{})
	repos := []*Repo{addRepo(t, s, "a", RepoOptions{}), addRepo(t, s, "b", RepoOptions{})}
	rec := receive(t, s)
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n := range jobs {
				if _, err := repos[n%2].Push(t.Context(), Change{Files: map[string]string{"n": fmt.Sprint(n)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range pushes {
		jobs <- n
	}
	close(jobs)
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range rec.take(t, s) {
		seen[e.Push.After] = true
	}
	if len(seen) != pushes {
		t.Errorf("%d commits were announced, want %d", len(seen), pushes)
	}
}
