package source

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	testUser  = "x-access-token"
	testToken = "ghs_Very+Secret/Token"
)

// A remoteRepo is a work tree whose bare twin is served over real smart HTTP
// with basic authentication, the way a forge does it.
type remoteRepo struct {
	t    testing.TB
	work string
	bare string
	srv  *httptest.Server

	mu       sync.Mutex
	requests []*http.Request // that reached the server; guarded by mu
	// intercept, if set, may answer a request itself; guarded by mu.
	intercept func(w http.ResponseWriter, r *http.Request) bool
}

func newRemote(tb testing.TB) *remoteRepo {
	tb.Helper()
	return newRemoteWith(tb, "sha1")
}

func newRemoteWith(tb testing.TB, hash string) *remoteRepo {
	tb.Helper()
	root := tb.TempDir()
	r := &remoteRepo{t: tb, work: filepath.Join(root, "work"), bare: filepath.Join(root, "served", "repo.git")}
	gitIn(tb, root, "init", "--quiet", "--initial-branch=main", "--object-format="+hash, r.work)
	gitIn(tb, root, "init", "--quiet", "--bare", "--object-format="+hash, r.bare)
	backend := &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(gitIn(tb, root, "--exec-path")), "git-http-backend"),
		Stderr: io.Discard, // what git says of it, the client says too
		Env:    []string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.bare), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null"},
	}
	r.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.requests = append(r.requests, req)
		intercept := r.intercept
		r.mu.Unlock()
		if intercept != nil && intercept(w, req) {
			return
		}
		if user, pass, _ := req.BasicAuth(); user != testUser || pass != testToken {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		cgiHandler := *backend
		if p := req.Header.Get("Git-Protocol"); p != "" {
			cgiHandler.Env = append(cgiHandler.Env[:len(cgiHandler.Env):len(cgiHandler.Env)], "GIT_PROTOCOL="+p)
		}
		cgiHandler.ServeHTTP(w, req)
	}))
	tb.Cleanup(r.srv.Close)
	return r
}

func (r *remoteRepo) remote() Remote {
	return Remote{URL: r.srv.URL + "/repo.git", Username: testUser, Password: testToken, AllowHTTP: true}
}

func (r *remoteRepo) setIntercept(f func(w http.ResponseWriter, r *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = f
}

// conversations returns how often a client began to talk to the server.
func (r *remoteRepo) conversations() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, req := range r.requests {
		if strings.HasSuffix(req.URL.Path, "/info/refs") {
			n++
		}
	}
	return n
}

func (r *remoteRepo) requestCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// write puts files into the work tree.
func (r *remoteRepo) write(files map[string]string) {
	r.t.Helper()
	for name, content := range files {
		file := filepath.Join(r.work, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
}

// commit commits the work tree with those files and returns the SHA.
func (r *remoteRepo) commit(message string, files map[string]string) string {
	r.t.Helper()
	r.write(files)
	gitIn(r.t, r.work, "add", "--all")
	gitIn(r.t, r.work, "commit", "--quiet", "--allow-empty", "--message="+message)
	return strings.TrimSpace(gitIn(r.t, r.work, "rev-parse", "HEAD"))
}

// push makes ref of the served repository what rev is.
func (r *remoteRepo) push(rev, ref string) {
	r.t.Helper()
	gitIn(r.t, r.work, "push", "--quiet", "--force", r.bare, rev+":"+ref)
}

// pushed commits and pushes to main.
func (r *remoteRepo) pushed(message string, files map[string]string) string {
	r.t.Helper()
	sha := r.commit(message, files)
	r.push("HEAD", "refs/heads/main")
	return sha
}

// gitIn runs git as a developer would, without this machine's configuration.
func gitIn(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func openMirrors(tb testing.TB) *Mirrors {
	tb.Helper()
	m, err := Open(tb.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// mustFetch fetches sha as main into the mirror "1".
func mustFetch(tb testing.TB, m *Mirrors, r *remoteRepo, sha string) {
	tb.Helper()
	if err := m.Fetch(tb.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
		tb.Fatal(err)
	}
}
