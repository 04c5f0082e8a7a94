package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// pullEngine returns an Engine whose daemon has no image and answers pulls with
// the handlers, one after the other; the last is repeated.
func pullEngine(t *testing.T, pulls ...http.HandlerFunc) (e *Engine, count *atomic.Int32) {
	t.Helper()
	count = new(atomic.Int32)
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	mux.HandleFunc("/v1.41/images/create", func(w http.ResponseWriter, r *http.Request) {
		n := int(count.Add(1))
		pulls[min(n, len(pulls))-1](w, r)
	})
	mux.HandleFunc("/", refuse(http.StatusNotFound, "No such image"))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	cli, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cli.Close() })
	e = New(cli, Options{})
	e.pause = time.Millisecond
	return e, count
}

func refuse(code int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"message":%q}`, message)
	}
}

func stream(messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Join(messages, "\r\n")) }
}

var pulled = stream(
	`{"status":"Pulling from library/app","id":"1"}`,
	`{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}`,
	`{"status":"Downloading","progressDetail":{"current":500000,"total":1000000},"id":"aaa"}`,
	`{"status":"Pull complete","progressDetail":{},"id":"aaa"}`,
	`{"status":"Digest: sha256:1234"}`,
)

func TestPullErrors(t *testing.T) {
	const lookup = "Get https://registry.invalid/v2/: dial tcp: lookup registry.invalid: no such host"
	tests := map[string]struct {
		answer   http.HandlerFunc
		image    string
		policy   pipeline.Pull
		want     string
		attempts int32
	}{
		"unknown": {answer: refuse(404, "manifest for nosuch:1 not found: manifest unknown"), image: "nosuch:1",
			want: "image nosuch:1 not found: manifest for nosuch:1 not found: manifest unknown", attempts: 1},
		"no tag": {answer: refuse(404, "pull access denied"), image: "nosuch",
			want: "image nosuch:latest not found: pull access denied", attempts: 1},
		"in stream": {answer: stream(`{"errorDetail":{"message":"no space left on device"},"error":"no space left"}`), image: "big",
			want: "image big:latest cannot be pulled: no space left on device", attempts: 1},
		"no registry": {answer: refuse(500, lookup), image: "registry.invalid/a:1",
			want: "image registry.invalid/a:1 cannot be pulled: " + lookup, attempts: 1},
		"keeps failing": {answer: refuse(500, "Get x: net/http: TLS handshake timeout"), image: "a:1",
			want: "image a:1 cannot be pulled: Get x: net/http: TLS handshake timeout", attempts: pullAttempts},
		"never": {answer: pulled, image: "a:1", policy: pipeline.PullNever,
			want: "image a:1 is not present, and its pull policy is never"},
		"invalid": {answer: pulled, image: "A:b:c", want: `image "A:b:c" is no valid reference: `},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e, count := pullEngine(t, test.answer)
			err := e.PullImage(t.Context(), runner.ImageSpec{Image: test.image, Policy: test.policy}, io.Discard)
			if !errors.Is(err, runner.ErrImage) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if got := count.Load(); got != test.attempts {
				t.Errorf("%d attempts, want %d", got, test.attempts)
			}
		})
	}
}

func TestPullTriesAgain(t *testing.T) {
	e, count := pullEngine(t, refuse(500, "connection reset by peer"), pulled)
	var progress bytes.Buffer
	if err := e.PullImage(t.Context(), runner.ImageSpec{Image: "app:1"}, &progress); err != nil {
		t.Fatal(err)
	}
	if got := count.Load(); got != 2 {
		t.Errorf("%d attempts, want 2", got)
	}
	if !strings.HasSuffix(progress.String(), "pulled app:1 (sha256:1234)\n") {
		t.Errorf("progress %q", progress.String())
	}
}

// stalling is an engine whose pulls begin and go no further.
type stalling struct {
	client.APIClient
	pulls int
}

func (*stalling) ImageInspect(context.Context, string, ...client.ImageInspectOption) (image.InspectResponse, error) {
	return image.InspectResponse{}, errdefs.ErrNotFound
}

func (s *stalling) ImagePull(ctx context.Context, _ string, _ image.PullOptions) (io.ReadCloser, error) {
	s.pulls++
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, `{"status":"Pulling fs layer","id":"aaa"}`)
		<-ctx.Done()
		w.CloseWithError(ctx.Err())
	}()
	return r, nil
}

func TestPullStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // nothing but the stall takes time
		engine := &stalling{}
		e := New(engine, Options{PullStall: 20 * time.Millisecond})
		err := e.PullImage(t.Context(), runner.ImageSpec{Image: "app:1"}, io.Discard)
		if !errors.Is(err, runner.ErrImage) || !strings.Contains(err.Error(), "no progress for 20ms") {
			t.Errorf("error %v, want one that tells of no progress", err)
		}
		if engine.pulls != pullAttempts {
			t.Errorf("%d attempts, want %d", engine.pulls, pullAttempts)
		}
	})
}

func TestPullWithoutEngine(t *testing.T) {
	cli, err := Dial("unix://" + t.TempDir() + "/none.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	err = New(cli, Options{}).PullImage(t.Context(), runner.ImageSpec{Image: "app:1", Policy: pipeline.PullAlways}, io.Discard)
	if err == nil || errors.Is(err, runner.ErrImage) {
		t.Errorf("error %v, want one of the infrastructure", err)
	}
}

// TestPullOnce has three callers ask for one image. One of them leaves early.
func TestPullOnce(t *testing.T) {
	release := make(chan struct{})
	e, count := pullEngine(t, func(w http.ResponseWriter, r *http.Request) {
		stream(`{"status":"Pulling fs layer","id":"aaa"}`)(w, r)
		http.NewResponseController(w).Flush()
		select {
		case <-release:
			pulled(w, r)
		case <-r.Context().Done():
		}
	})
	leaving, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	errs := make([]error, 3)
	seen := []*signalWriter{newSignalWriter(), newSignalWriter(), newSignalWriter()}
	for i, ctx := range []context.Context{leaving, t.Context(), t.Context()} {
		all.Go(func() {
			errs[i] = e.PullImage(ctx, runner.ImageSpec{Image: "app:1", Policy: pipeline.PullAlways}, seen[i])
		})
	}
	for _, w := range seen {
		<-w.written // every caller has joined and sees progress
	}
	leave()
	close(release)
	all.Wait()
	if errs[1] != nil || errs[2] != nil {
		t.Errorf("errors %v, want none", errs[1:])
	}
	if got := count.Load(); got != 1 {
		t.Errorf("pulled %d times", got)
	}
	for _, w := range seen[1:] {
		if !strings.HasPrefix(w.text.String(), "pulling app:1: 0 of 1 layers\n") || !strings.Contains(w.text.String(), "pulled app:1") {
			t.Errorf("progress %q", w.text.String())
		}
	}
}

func TestPullEndsWithLastCaller(t *testing.T) {
	ended := make(chan struct{})
	e, _ := pullEngine(t, func(w http.ResponseWriter, r *http.Request) {
		stream(`{"status":"Pulling fs layer","id":"aaa"}`)(w, r)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(ended)
	}, pulled)
	ctx, cancel := context.WithCancel(t.Context())
	w := newSignalWriter()
	done := make(chan error, 1)
	go func() { done <- e.PullImage(ctx, runner.ImageSpec{Image: "app:1"}, w) }()
	<-w.written
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	<-ended
	if err := e.PullImage(t.Context(), runner.ImageSpec{Image: "app:1"}, io.Discard); err != nil {
		t.Errorf("the next pull: %v", err)
	}
}

func TestPullEndsWithWriter(t *testing.T) {
	e, _ := pullEngine(t, pulled)
	full := errors.New("disk full")
	r, w := io.Pipe()
	r.CloseWithError(full)
	if err := e.PullImage(t.Context(), runner.ImageSpec{Image: "app:1"}, w); !errors.Is(err, full) {
		t.Errorf("error %v, want the writer's", err)
	}
}

// signalWriter tells of its first write.
type signalWriter struct {
	written chan struct{}
	once    sync.Once
	text    bytes.Buffer
}

func newSignalWriter() *signalWriter { return &signalWriter{written: make(chan struct{})} }

func (w *signalWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.written) })
	return w.text.Write(p)
}

func TestProgressSumsUp(t *testing.T) {
	p := newProgress("golang:1.26")
	now := time.Unix(0, 0)
	steps := []struct {
		id, status     string
		current, total int64
		want           string // "" if no line is due
	}{
		{"1.26", "Pulling from library/golang", 0, 0, ""},
		{"a", "Already exists", 0, 0, "pulling golang:1.26: 1 of 1 layers"},
		{"b", "Pulling fs layer", 0, 0, ""},
		{"c", "Pulling fs layer", 0, 0, "pulling golang:1.26: 1 of 3 layers"},
		{"b", "Downloading", 1e6, 100e6, ""},
		{"c", "Downloading", 20e6, 200e6, "pulling golang:1.26: 1 of 3 layers, 21 MB of 300 MB"},
		{"b", "Download complete", 0, 0, ""},
		{"b", "Extracting", 5e6, 90e6, "pulling golang:1.26: 1 of 3 layers, 120 MB of 300 MB"},
		{"c", "Pull complete", 0, 0, ""},
		{"b", "Pull complete", 0, 0, "pulling golang:1.26: 3 of 3 layers, 300 MB of 300 MB"},
	}
	for i, s := range steps {
		m := message{ID: s.id, Status: s.status}
		m.Progress.Current, m.Progress.Total = s.current, s.total
		line, due := p.update(m, now.Add(time.Duration(i)*progressEvery/2))
		if line != s.want || due != (s.want != "") {
			t.Errorf("step %d: %q, %v, want %q", i, line, due, s.want)
		}
	}
}
