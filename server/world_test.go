package server_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

const (
	secret     = "webhook secret"
	adminToken = "token of the admin"
	// patience bounds every wait of these tests.
	patience = time.Minute
)

// world is a server on a real store and a real listener, with the words that
// the tests are written in. Its methods fail the test on an unexpected error.
type world struct {
	*testing.T
	ctx    context.Context
	path   string // of the database
	store  *store.Store
	logs   *logs.Store
	server *server.Server
	log    *logBuffer
	url    string
	// shutdown ends streams.
	shutdown func()
}

func newWorld(t *testing.T, change ...func(*server.Options)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, path: filepath.Join(t.TempDir(), "slipway.db"), log: &logBuffer{}}
	w.store = storetest.OpenAt(t, w.path, nil)
	var err error
	w.logs, err = logs.Open(t.TempDir(), logs.Options{})
	w.ok(err)
	done := make(chan struct{})
	w.shutdown = sync.OnceFunc(func() { close(done) })
	o := server.Options{Store: w.store, Logs: w.logs, Logger: w.log.logger(), WebhookSecret: secret, AdminToken: adminToken,
		URL: "https://ci.example", Version: "1.2.3", Done: done}
	for _, f := range change {
		f(&o)
	}
	w.server = server.New(o)
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = w.server.HTTPServer()
	ts.Start()
	t.Cleanup(ts.Close)
	t.Cleanup(w.shutdown)
	w.url = ts.URL
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) want(got, want any) {
	w.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.Errorf("(-want +got)\n%s", d)
	}
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. header is name, value, name, value …
func (w *world) do(method, path, body string, header ...string) answer {
	w.Helper()
	resp := w.open(method, path, strings.NewReader(body), header...)
	b, err := io.ReadAll(resp.Body)
	w.ok(err)
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// open is do whose answer the caller reads.
func (w *world) open(method, path string, body io.Reader, header ...string) *http.Response {
	w.Helper()
	r, err := http.NewRequestWithContext(w.ctx, method, w.url+path, body)
	w.ok(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	w.ok(err)
	w.Cleanup(func() { resp.Body.Close() })
	return resp
}

// asAdmin is the header that shows the admin token.
func asAdmin() []string { return []string{"Authorization", "Bearer " + adminToken} }

func (w *world) get(path string, header ...string) answer {
	w.Helper()
	return w.do(http.MethodGet, path, "", header...)
}

// wantError checks that the answer is the API's form of an error. A message
// that ends in … is a prefix.
func (w *world) wantError(a answer, status int, code, message string) {
	w.Helper()
	var got map[string]string
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got) != 2 || got["message"] == "" {
		w.Errorf("not {code, message}: %d %q (%v)", a.status, a.body, err)
		return
	}
	prefix, cut := strings.CutSuffix(message, "…")
	fits := got["message"] == message || cut && strings.HasPrefix(got["message"], prefix)
	if a.status != status || got["code"] != code || !fits {
		w.Errorf("got %d %s: %s\nwant %d %s: %s", a.status, got["code"], got["message"], status, code, message)
	}
	if ct := a.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		w.Errorf("an error of type %s", ct)
	}
}

// decode reads a JSON answer with that status.
func decode[T any](w *world, a answer, status int) (v T) {
	w.Helper()
	if a.status != status {
		w.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	w.ok(json.Unmarshal([]byte(a.body), &v))
	return v
}

func (w *world) repo(name string, private bool) store.Repo {
	w.Helper()
	repos, err := w.store.Repos(w.ctx, true)
	w.ok(err)
	r, err := w.store.UpsertRepo(w.ctx, store.Repo{RemoteID: int64(len(repos) + 1), Owner: "acme", Name: name, Private: private,
		DefaultBranch: "main", HTMLURL: "https://git.example/acme/" + name})
	w.ok(err)
	return r
}

// build makes a build of a job with two steps, a service first.
func (w *world) build(r store.Repo, b store.Build) store.Build {
	w.Helper()
	r, err := w.store.RepoByID(w.ctx, r.ID)
	w.ok(err)
	b.RepoID, b.Number, b.Planned = r.ID, r.LastNumber+1, true
	if b.SHA == "" {
		b.SHA = fmt.Sprintf("%040x", b.Number)
	}
	if b.Event == "" {
		b.Event, b.Ref, b.Branch = "push", "refs/heads/main", "main"
	}
	b, err = w.store.CreateBuild(w.ctx, b, []store.NewJob{{Name: "main", Plan: []byte("{}"), OnSuccess: true, Steps: []store.NewStep{
		{Name: "db", Kind: "service", Image: "db:1"}, {Name: "test", Kind: "commands", Image: "busybox"}}}})
	w.ok(err)
	return b
}

func (w *world) claim() store.Job {
	w.Helper()
	j, err := w.store.Claim(w.ctx)
	w.ok(err)
	return j
}

// end ends a running job with its second step failed.
func (w *world) end(j store.Job) {
	w.Helper()
	now := w.store.Now()
	w.ok(w.store.FinishStep(w.ctx, store.Step{JobID: j.ID, Number: 2, Status: store.Failure, Reason: "exit code 2", Exited: true,
		ExitCode: 2, StartedAt: now, FinishedAt: now}))
	w.ok(w.store.FinishJob(w.ctx, j.ID, store.Failure, "step test failed: exit code 2", 2))
}

// sign returns the value of the header that GitHub signs a body with.
func sign(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// hook are the headers of a delivery that is signed as it should be.
func hook(guid, event, body string) []string {
	return []string{"X-GitHub-Delivery", guid, "X-GitHub-Event", event, "X-Hub-Signature-256", sign(secret, body),
		"Content-Type", "application/json"}
}

// without removes a header from a list.
func without(header []string, name string) (rest []string) {
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] != name {
			rest = append(rest, header[i], header[i+1])
		}
	}
	return rest
}

func (w *world) deliveries() []store.Delivery {
	w.Helper()
	ds, err := w.store.Deliveries(w.ctx, store.DeliveryFilter{Limit: 1000})
	w.ok(err)
	return ds
}
