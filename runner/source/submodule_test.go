package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// link commits submodules, by path, to the work tree of r.
func (r *remoteRepo) link(message string, modules map[string]string, urls map[string]string) string {
	r.t.Helper()
	var b strings.Builder
	for path, sha := range modules {
		gitIn(r.t, r.work, "update-index", "--add", "--cacheinfo", "160000,"+sha+","+path)
		fmt.Fprintf(&b, "[submodule \"the %s\"]\n\tpath = %s\n\turl = %s\n", path, path, urls[path])
	}
	r.write(map[string]string{".gitmodules": b.String()})
	gitIn(r.t, r.work, "add", ".gitmodules")
	gitIn(r.t, r.work, "commit", "--quiet", "-m", message)
	sha := strings.TrimSpace(gitIn(r.t, r.work, "rev-parse", "HEAD"))
	r.push(sha, "refs/heads/main")
	return sha
}

// beside makes another repository on r's server.
func (r *remoteRepo) beside(name string) *remoteRepo {
	r.t.Helper()
	root := r.t.TempDir()
	o := &remoteRepo{t: r.t, work: filepath.Join(root, "work"), bare: filepath.Join(filepath.Dir(r.bare), name), srv: r.srv}
	gitIn(r.t, root, "init", "--quiet", "--initial-branch=main", o.work)
	gitIn(r.t, root, "init", "--quiet", "--bare", o.bare)
	return o
}

func fetchSub(t *testing.T, m *Mirrors, r *remoteRepo, sha string) error {
	t.Helper()
	remote := r.remote()
	return m.Fetch(t.Context(), "1", remote, "refs/heads/main", sha, FetchOptions{Submodules: &remote})
}

func TestSubmodules(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	inner, lib := r.beside("inner.git"), r.beside("lib.git")
	innerSHA := inner.pushed("inner", map[string]string{"deep": "inner\n"})
	lib.write(map[string]string{"code": "lib\n"})
	gitIn(t, lib.work, "add", "code")
	libSHA := lib.link("lib", map[string]string{"in/ner": innerSHA}, map[string]string{"in/ner": "../inner.git"})
	lib.pushed("later", map[string]string{"code": "not this\n"})
	r.pushed("one", map[string]string{"a": "1\n"})
	sha := r.link("two", map[string]string{"third party/lib": libSHA}, map[string]string{"third party/lib": r.srv.URL + "/lib.git"})

	if err := fetchSub(t, m, r, sha); err != nil {
		t.Fatal(err)
	}
	n := r.requestCount()
	remote := r.remote()
	dir := unpack(t, m, sha, TarOptions{Branch: "main", URL: remote.URL, Submodules: &remote})
	for file, want := range map[string]string{"a": "1\n", "third party/lib/code": "lib\n", "third party/lib/in/ner/deep": "inner\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if got := gitIn(t, dir, "status", "--porcelain"); got != "" {
		t.Errorf("status: %s", got)
	}
	if got := gitIn(t, dir, "submodule", "status", "--recursive"); strings.Count(got, "\n") != 2 || strings.Contains(got, "-"+libSHA) {
		t.Errorf("submodule status: %s", got)
	}
	if r.requestCount() != n {
		t.Error("the checkout used the network")
	}
	if err := fetchSub(t, m, r, sha); err != nil || r.requestCount() != n {
		t.Errorf("a second fetch: %v, %d requests", err, r.requestCount()-n)
	}
	// Without being asked for they are empty directories.
	plain := unpack(t, m, sha, TarOptions{Branch: "main"})
	if entries, err := os.ReadDir(filepath.Join(plain, "third party/lib")); err != nil || len(entries) > 0 {
		t.Errorf("not asked for: %v, %v", entries, err)
	}
}

func TestSubmodulesThatAreRefused(t *testing.T) {
	missing := strings.Repeat("1", 40)
	for name, tt := range map[string]struct {
		url  string
		want error
	}{
		"ext":        {"ext::sh -c date", ErrInvalid},
		"file":       {"file:///etc", ErrInvalid},
		"path":       {"/etc", ErrInvalid},
		"ssh":        {"git@example.com:a/b.git", ErrInvalid},
		"option":     {"--upload-pack=x", ErrInvalid},
		"none":       {"", ErrInvalid},
		"credential": {"https://user:password@example.com/x", ErrInvalid},
		"no commit":  {"./", ErrCommitNotFound},
		"no repo":    {"../none.git", ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			r, m := newRemote(t), openMirrors(t)
			r.pushed("one", map[string]string{"a": "1\n"})
			sha := r.link("two", map[string]string{"lib": missing}, map[string]string{"lib": tt.url})
			if err := fetchSub(t, m, r, sha); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), "submodule lib") {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSubmoduleThatIsNotDeclared(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.write(map[string]string{".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = ../x.git\n"})
	gitIn(t, r.work, "add", ".gitmodules")
	gitIn(t, r.work, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",y")
	gitIn(t, r.work, "commit", "--quiet", "-m", "one")
	sha := strings.TrimSpace(gitIn(t, r.work, "rev-parse", "HEAD"))
	r.push(sha, "refs/heads/main")
	if err := fetchSub(t, m, r, sha); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// TestSubmodulesThatCannotBeRead: that is the repository's fault and not its
// mirror's, which would have to be made anew for each build.
func TestSubmodulesThatCannotBeRead(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	gitIn(t, r.work, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",lib")
	r.write(map[string]string{".gitmodules": "[submodule\n"})
	gitIn(t, r.work, "add", ".gitmodules")
	gitIn(t, r.work, "commit", "--quiet", "-m", "broken")
	sha := strings.TrimSpace(gitIn(t, r.work, "rev-parse", "HEAD"))
	r.push(sha, "refs/heads/main")
	err := fetchSub(t, m, r, sha)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v, want %v with the line", err, ErrInvalid)
	}
	if mir, err := m.mirror("1"); err != nil || mir.flag(&mir.suspect) {
		t.Errorf("the mirror is taken to be damaged (%v)", err)
	}
}

func TestSubmodulesGetNoCredentialOfAnotherHost(t *testing.T) {
	r, other, m := newRemote(t), newRemote(t), openMirrors(t)
	theirs := other.pushed("one", map[string]string{"a": "1\n"})
	sha := r.link("two", map[string]string{"lib": theirs}, map[string]string{"lib": other.remote().URL})
	if err := fetchSub(t, m, r, sha); !errors.Is(err, ErrAuth) {
		t.Errorf("got %v, want ErrAuth", err)
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	for _, req := range other.requests {
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s got the credential", req.URL)
		}
	}
}

// What was fetched with a credential is not given to who has none.
func TestSubmodulesOfWhoHasNoCredential(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	lib := r.beside("lib.git")
	libSHA := lib.pushed("lib", map[string]string{"code": "secret\n"})
	sha := r.link("two", map[string]string{"lib": libSHA}, map[string]string{"lib": "../lib.git"})
	if err := fetchSub(t, m, r, sha); err != nil {
		t.Fatal(err)
	}
	stranger := r.remote()
	stranger.Username, stranger.Password = "", ""
	err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{Submodules: &stranger})
	if !errors.Is(err, ErrAuth) {
		t.Errorf("fetch: %v, want ErrAuth", err)
	}
	if _, err := m.Tar(t.Context(), "1", sha, TarOptions{Submodules: &stranger}); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("tar: %v, want ErrCommitNotFound", err)
	}
	checkEmptyTmp(t, m)
}

func TestSubmodulesNestedWithoutEnd(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("0", map[string]string{"a": "1\n"})
	for range maxSubmoduleDepth + 1 {
		sha = r.link("again", map[string]string{"self": sha}, map[string]string{"self": "./"})
	}
	if err := fetchSub(t, m, r, sha); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "nested more than") {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// The mirrors of submodules live and go with that of the repository.
func TestMirrorsOfSubmodulesBelongToTheRepository(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	lib := r.beside("lib.git")
	libSHA := lib.pushed("lib", map[string]string{"code": "lib\n"})
	r.pushed("one", map[string]string{"a": "1\n"})
	sha := r.link("two", map[string]string{"lib": libSHA}, map[string]string{"lib": "../lib.git"})
	remote := r.remote()
	for _, key := range []string{"1", "10"} {
		if err := m.Fetch(t.Context(), key, remote, "refs/heads/main", sha, FetchOptions{Submodules: &remote}); err != nil {
			t.Fatal(err)
		}
	}
	mirrors := func() (keys []string) {
		found, err := filepath.Glob(filepath.Join(m.dir, "*.git"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			keys = append(keys, strings.SplitN(filepath.Base(f), ".", 2)[0])
		}
		return keys
	}
	if got := strings.Join(mirrors(), " "); got != "1 1 10 10" {
		t.Errorf("mirrors: %s", got)
	}
	if err := m.Maintain(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	if err := m.Remove(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(mirrors(), " "); got != "10 10" {
		t.Errorf("after removing 1: %s", got)
	}
}
