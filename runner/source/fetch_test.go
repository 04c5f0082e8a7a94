package source

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestFetchHTTPS: https needs no leave, and SSL_CERT_FILE is heeded.
func TestFetchHTTPS(t *testing.T) {
	r := newRemote(t)
	srv := httptest.NewTLSServer(r.srv.Config.Handler)
	defer srv.Close()
	cert := filepath.Join(t.TempDir(), "cert.pem")
	writeFile(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	sha := r.pushed("one", nil)
	remote := Remote{URL: srv.URL + "/repo.git", Username: testUser, Password: testToken}
	fetch := func() error {
		return openMirrors(t).Fetch(t.Context(), "1", remote, "refs/heads/main", sha, FetchOptions{})
	}
	if err := fetch(); err == nil || errors.Is(err, ErrAuth) {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	t.Setenv("GIT_SSL_CAINFO", "") // it would be stronger
	t.Setenv("SSL_CERT_FILE", cert)
	if err := fetch(); err != nil {
		t.Error(err)
	}
}

// TestFetchSHA256: a repository of the other hash is no different.
func TestFetchSHA256(t *testing.T) {
	r, m := newRemoteWith(t, "sha256"), openMirrors(t)
	r.pushed("one", map[string]string{"a": "1"})
	sha := r.pushed("two", map[string]string{"a": "2"})
	mustFetch(t, m, r, sha)
	if got, err := fs.ReadFile(mustFS(t, m, sha), "a"); err != nil || string(got) != "2" {
		t.Errorf("%q, %v", got, err)
	}
	dir := unpack(t, m, sha, TarOptions{Branch: "main"})
	if got := strings.TrimSpace(gitIn(t, dir, "rev-parse", "HEAD")); got != sha {
		t.Errorf("HEAD is %s, want %s", got, sha)
	}
	gitIn(t, dir, "diff-index", "--quiet", "HEAD")
}

func TestFetchOnlyWhatIsNew(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", map[string]string{"a": "1"})
	two := r.pushed("two", map[string]string{"a": "2"})
	mustFetch(t, m, r, two)
	n := r.requestCount()
	mustFetch(t, m, r, two)
	mustFetch(t, m, r, one) // came along as history
	if got := r.requestCount(); got != n {
		t.Errorf("%d requests for what was there", got-n)
	}
	if got := gitIn(t, m.dir, "--git-dir=1.git", "rev-parse", pinRefs+one); strings.TrimSpace(got) != one {
		t.Errorf("pin of the older commit: %s", got)
	}
}

func TestFetchCommitThatIsNoTipAnyMore(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", nil)
	r.pushed("two", nil)
	mustFetch(t, m, r, one)
	rc := mustTar(t, m, one, TarOptions{})
	defer rc.Close()
	if _, err := io.Copy(io.Discard, rc); err != nil {
		t.Error(err)
	}
}

// TestFetchByRef: a remote that does not give out commits by SHA is asked for
// the ref.
func TestFetchByRef(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", nil)
	two := r.pushed("two", nil)
	r.setIntercept(func(_ http.ResponseWriter, req *http.Request) bool {
		req.Header.Del("Git-Protocol") // version 0 allows tips only
		return false
	})
	mustFetch(t, m, r, one)
	mustFetch(t, m, r, two)
	orphan := r.commit("never pushed", nil)
	err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", orphan, FetchOptions{})
	if !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("unreachable commit: %v", err)
	}
}

func TestFetchNotFound(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.pushed("one", map[string]string{"a": "1"})
	gone := strings.Repeat("ab", 20)
	blob := strings.TrimSpace(gitIn(t, r.work, "rev-parse", "HEAD:a"))
	for name, tt := range map[string]struct{ ref, sha string }{
		"unknown commit":             {"refs/heads/main", gone},
		"unknown commit, no ref":     {"", gone},
		"unknown commit and branch":  {"refs/heads/nope", gone},
		"unknown pull request":       {"refs/pull/9/head", gone},
		"a file's SHA, not a commit": {"refs/heads/main", blob},
	} {
		t.Run(name, func(t *testing.T) {
			err := m.Fetch(t.Context(), "1", r.remote(), tt.ref, tt.sha, FetchOptions{})
			if !errors.Is(err, ErrCommitNotFound) || errors.Is(err, ErrAuth) {
				t.Error(err)
			}
			if _, err := m.Tar(t.Context(), "1", tt.sha, TarOptions{}); !errors.Is(err, ErrCommitNotFound) {
				t.Errorf("Tar: %v", err)
			}
			if _, err := m.FS(t.Context(), "1", tt.sha); !errors.Is(err, ErrCommitNotFound) {
				t.Errorf("FS: %v", err)
			}
			checkEmptyTmp(t, m)
		})
	}
}

// TestFetchPullRequest: a commit is taken from a pull request only if it was
// proposed there, although the remote would give it out by its SHA.
func TestFetchPullRequest(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.pushed("base", nil)
	first := r.commit("first", map[string]string{"a": "1"})
	r.push("HEAD", "refs/pull/7/head")
	second := r.commit("second", map[string]string{"a": "2"})
	r.push("HEAD", "refs/pull/7/head")
	gitIn(t, r.work, "checkout", "--quiet", "-b", "other", "main~2")
	elsewhere := r.commit("elsewhere", map[string]string{"b": "1"})
	r.push("HEAD", "refs/heads/other")

	fetch := func(sha string) error {
		return m.Fetch(t.Context(), "1", r.remote(), "refs/pull/7/head", sha, FetchOptions{})
	}
	if err := fetch(elsewhere); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("a commit of another branch: %v", err)
	}
	if err := fetch(first); err != nil {
		t.Errorf("a head with a newer one on top: %v", err)
	}
	if err := fetch(second); err != nil {
		t.Errorf("the head: %v", err)
	}
	r.push("other", "refs/pull/7/head")
	if err := m.Remove(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if err := fetch(second); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("a head that was forced away: %v", err)
	}
}

func TestFetchTagsFollowsTheRemote(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", nil)
	r.push("HEAD", "refs/tags/v1")
	r.push("HEAD", "refs/tags/tmp_2")
	fetch := func(sha string) {
		t.Helper()
		if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{Tags: true}); err != nil {
			t.Fatal(err)
		}
	}
	tags := func() string { return gitIn(t, m.dir, "--git-dir=1.git", "tag", "--list") }
	mustFetch(t, m, r, one)
	fetch(one) // the commit is there, its tags are not
	if got := tags(); got != "tmp_2\nv1\n" {
		t.Errorf("tags %q", got)
	}
	n := r.requestCount()
	fetch(one)
	if got := r.requestCount(); got != n {
		t.Error("tags were fetched twice")
	}
	gitIn(t, r.bare, "tag", "--delete", "v1")
	r.push("HEAD", "refs/tags/v1/rc") // no room beside the old v1
	fetch(r.pushed("two", nil))
	if got := tags(); got != "tmp_2\nv1/rc\n" {
		t.Errorf("tags %q", got)
	}
	rc := mustTar(t, m, one, TarOptions{}) // pruning took tags only
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
}

func TestFetchConcurrently(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"a": "1"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { mustFetchAndRead(t, m, r, sha) })
	}
	wg.Wait()
	if n := r.conversations(); n != 1 {
		t.Errorf("%d conversations with the remote, want 1", n)
	}
	// Trees are read while other commits come in.
	for range 4 {
		next := r.pushed("next", nil)
		wg.Go(func() { mustFetchAndRead(t, m, r, next) })
		wg.Go(func() { mustFetchAndRead(t, m, r, sha) })
	}
	wg.Wait()
	checkEmptyTmp(t, m)
}

func mustFetchAndRead(t *testing.T, m *Mirrors, r *remoteRepo, sha string) {
	t.Helper()
	if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
		t.Error(err)
		return
	}
	rc, err := m.Tar(t.Context(), "1", sha, TarOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := io.Copy(io.Discard, rc); err != nil {
		t.Error(err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
}

// TestFetchKeysDoNotWait: a remote that hangs holds up its own repository only.
func TestFetchKeysDoNotWait(t *testing.T) {
	slow, quick, m := newRemote(t), newRemote(t), openMirrors(t)
	slowSHA, quickSHA := slow.pushed("one", nil), quick.pushed("two", nil)
	reached, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow.setIntercept(func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() { close(reached) })
		<-release
		return false
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := m.Fetch(t.Context(), "slow", slow.remote(), "refs/heads/main", slowSHA, FetchOptions{}); err != nil {
			t.Error(err)
		}
	})
	<-reached
	if err := m.Fetch(t.Context(), "quick", quick.remote(), "refs/heads/main", quickSHA, FetchOptions{}); err != nil {
		t.Error(err)
	}
	waiting, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Fetch(waiting, "slow", slow.remote(), "refs/heads/main", slowSHA, FetchOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting call: %v", err)
	}
	close(release)
	wg.Wait()
}

func TestFetchAuth(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	wrong := r.remote()
	wrong.Password = "wr0ng/tok+en"
	none := r.remote()
	none.Password = ""
	for name, remote := range map[string]Remote{"wrong": wrong, "none": none} {
		checkRefused(t, name, m.Fetch(t.Context(), "1", remote, "refs/heads/main", sha, FetchOptions{}), remote)
	}
	for _, code := range []int{http.StatusForbidden, http.StatusNotFound} {
		r.setIntercept(func(w http.ResponseWriter, req *http.Request) bool {
			// A server that repeats what it was told.
			http.Error(w, req.Header.Get("Authorization")+" "+testToken, code)
			return true
		})
		checkRefused(t, http.StatusText(code), m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{}), r.remote())
	}
	r.setIntercept(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "later", http.StatusBadGateway)
		return true
	})
	err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{})
	if err == nil || errors.Is(err, ErrAuth) || errors.Is(err, ErrCommitNotFound) || errors.Is(err, ErrInvalid) {
		t.Errorf("bad gateway is temporary, got %v", err)
	}
}

func checkRefused(t *testing.T, name string, err error, r Remote) {
	t.Helper()
	if !errors.Is(err, ErrAuth) || errors.Is(err, ErrCommitNotFound) {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, secret := range r.secrets() {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the credential is in %q", name, err)
		}
	}
}

// TestFetchLeavesNoCredential looks for the token in everything that a fetch
// and a checkout leave on the disk.
func TestFetchLeavesNoCredential(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	mustFetch(t, m, r, sha)
	dir := unpack(t, m, sha, TarOptions{Branch: "main", URL: r.remote().URL})
	for _, root := range []string{m.dir, dir} {
		files := 0
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			data, err := os.ReadFile(path)
			for _, secret := range r.remote().secrets() {
				if strings.Contains(string(data), secret) {
					t.Errorf("the credential is in %s", path)
				}
			}
			return err
		})
		if err != nil || files == 0 {
			t.Errorf("%d files: %v", files, err)
		}
	}
}

func TestFetchFollowsARename(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	r.setIntercept(func(w http.ResponseWriter, req *http.Request) bool {
		rest, ok := strings.CutPrefix(req.URL.RequestURI(), "/old.git")
		if ok {
			http.Redirect(w, req, "/repo.git"+rest, http.StatusMovedPermanently)
		}
		return ok
	})
	old := r.remote()
	old.URL = r.srv.URL + "/old.git"
	if err := m.Fetch(t.Context(), "1", old, "refs/heads/main", sha, FetchOptions{}); err != nil {
		t.Error(err)
	}
}

// TestFetchKeepsCredentialAtHome: no redirect takes the credential, or a fetch,
// to another host.
func TestFetchKeepsCredentialAtHome(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	var mu sync.Mutex
	var stray int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		stray++
	}))
	defer other.Close()
	r.setIntercept(func(w http.ResponseWriter, req *http.Request) bool {
		http.Redirect(w, req, other.URL+req.URL.RequestURI(), http.StatusFound)
		return true
	})
	err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{})
	if err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("got %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if stray > 0 {
		t.Errorf("%d requests to the other host", stray)
	}
}

func TestFetchRefusesBeforeGitRuns(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", nil)
	good := r.remote().URL
	marker := filepath.Join(t.TempDir(), "ran")
	tests := map[string]struct{ key, url, ref, sha string }{
		"ext":                 {"1", "ext::touch " + marker, "refs/heads/main", sha},
		"ext without space":   {"1", "ext::touch%20" + marker, "refs/heads/main", sha},
		"file":                {"1", "file://" + r.bare, "refs/heads/main", sha},
		"path":                {"1", r.bare, "refs/heads/main", sha},
		"ssh":                 {"1", "ssh://-oProxyCommand=touch/x", "refs/heads/main", sha},
		"scp":                 {"1", "git@example.com:o/r.git", "refs/heads/main", sha},
		"option":              {"1", "--upload-pack=touch " + marker, "refs/heads/main", sha},
		"credential in URL":   {"1", "https://x:" + testToken + "@example.com/o/r.git", "refs/heads/main", sha},
		"upper case":          {"1", strings.Replace(good, "http", "HTTP", 1), "refs/heads/main", sha},
		"line end in URL":     {"1", "https://example.com/\n", "refs/heads/main", sha},
		"query":               {"1", "https://example.com/?x", "refs/heads/main", sha},
		"host like an option": {"1", "https://-x/", "refs/heads/main", sha},
		"ref is an option":    {"1", good, "--upload-pack=touch " + marker, sha},
		"short ref":           {"1", good, "main", sha},
		"refspec":             {"1", good, "refs/heads/main:refs/heads/x", sha},
		"glob":                {"1", good, "refs/heads/*", sha},
		"parent":              {"1", good, "refs/heads/../x", sha},
		"short sha":           {"1", good, "refs/heads/main", sha[:12]},
		"sha is an option":    {"1", good, "refs/heads/main", "--upload-pack=x"},
		"zero sha":            {"1", good, "refs/heads/main", strings.Repeat("0", 40)},
		"key is a path":       {"../1", good, "refs/heads/main", sha},
		"empty key":           {"", good, "refs/heads/main", sha},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := m.Fetch(t.Context(), tt.key, Remote{URL: tt.url, AllowHTTP: true}, tt.ref, tt.sha, FetchOptions{})
			if !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
			if err != nil && strings.Contains(err.Error(), testToken) {
				t.Errorf("the credential is in %q", err)
			}
		})
	}
	plain := r.remote()
	plain.AllowHTTP = false
	if err := m.Fetch(t.Context(), "1", plain, "refs/heads/main", sha, FetchOptions{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("http without leave: %v", err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a command was run")
	}
	if n := r.requestCount(); n > 0 {
		t.Errorf("%d requests", n)
	}
}
