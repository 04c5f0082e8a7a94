package githubtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github"
)

const (
	token  = "ghp_sesame"
	secret = "hook secret"
)

// start starts a server that ends with the test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	o.Token, o.WebhookSecret = token, secret
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.git.dir); !os.IsNotExist(err) {
			t.Errorf("the directory is left: %v", err)
		}
	})
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return s
}

func addRepo(t *testing.T, s *Server, name string, o RepoOptions) *Repo {
	t.Helper()
	r, err := s.AddRepo(t.Context(), "octo", name, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func commit(t *testing.T, r *Repo, c Change) string {
	t.Helper()
	sha, err := r.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// receiver is a webhook that checks signatures and parses what it gets.
type receiver struct {
	URL string

	mu     sync.Mutex
	got    []github.Event
	guids  []string
	bodies [][]byte
	errs   []error
}

func receive(t *testing.T, s *Server) *receiver {
	t.Helper()
	rec := &receiver{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = github.VerifySignature([]byte(secret), r.Header.Get(github.SignatureHeader), body)
		}
		var e github.Event
		if err == nil {
			e, err = github.Parse(r.Header.Get("X-GitHub-Event"), body)
		}
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if err != nil {
			rec.errs = append(rec.errs, err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rec.got = append(rec.got, e)
		rec.bodies = append(rec.bodies, body)
		rec.guids = append(rec.guids, r.Header.Get("X-GitHub-Delivery"))
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(srv.Close)
	rec.URL = srv.URL
	if err := s.AddWebhook(srv.URL); err != nil {
		t.Fatal(err)
	}
	if es := rec.take(t, s); len(es) != 1 || es[0].Kind != github.KindPing {
		t.Fatalf("want a ping, got %+v", es)
	}
	return rec
}

// take waits until all webhooks have arrived, and returns and forgets them.
func (rec *receiver) take(t *testing.T, s *Server) []github.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, err := range rec.errs {
		t.Error(err)
	}
	got := rec.got
	rec.got, rec.guids, rec.bodies, rec.errs = nil, nil, nil, nil
	return got
}

// worktree is a clone in which the real git is used as a developer does.
type worktree struct {
	t   *testing.T
	dir string
}

// authURL puts credentials into a clone URL.
func authURL(r *Repo, user, password string) string {
	return strings.Replace(r.CloneURL(), "http://", "http://"+user+":"+password+"@", 1)
}

func clone(t *testing.T, url string) worktree {
	t.Helper()
	w := worktree{t, filepath.Join(t.TempDir(), "work")}
	if out, err := gitCmd(t, ".", "clone", "--quiet", url, w.dir); err != nil {
		t.Fatalf("clone: %v: %s", err, out)
	}
	return w
}

func (w worktree) git(args ...string) string {
	w.t.Helper()
	out, err := gitCmd(w.t, w.dir, args...)
	if err != nil {
		w.t.Fatalf("git %s: %v: %s", args, err, out)
	}
	return out
}

// commit writes a file, commits it and returns the SHA.
func (w worktree) commit(path, content, message string) string {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, path), []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.git("add", path)
	w.git("commit", "--quiet", "-m", message)
	return w.git("rev-parse", "HEAD")
}

func gitCmd(t *testing.T, dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}
