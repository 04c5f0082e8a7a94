package docker_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// The one account of a private registry, and what htpasswd -B makes of it.
const (
	user, password = "alice", "s3cret"
	htpasswd       = user + ":$2b$04$rD4gIGzI/4fspvBLBqtnFOJ.VV6MKsoAMrIZYnVOVEPBSZps4h35C\n"
)

// testRegistry is Debian's docker-registry on loopback, which engines speak HTTP
// with, behind a proxy that a test can let misbehave.
type testRegistry struct {
	*testing.T
	cli   *client.Client
	host  string // of the proxy
	asked atomic.Int64
	// fault, if it returns true, has answered in the registry's place.
	fault atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	front http.Handler
}

func newRegistry(t *testing.T, private bool) *testRegistry {
	t.Helper()
	dir := t.TempDir()
	config := "version: 0.1\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\nhttp: {addr: '127.0.0.1:0'}\n"
	if private {
		config += "auth: {htpasswd: {realm: test, path: " + dir + "/htpasswd}}\n"
	}
	write(t, filepath.Join(dir, "htpasswd"), htpasswd)
	write(t, filepath.Join(dir, "config.yml"), config)
	backend, err := url.Parse("http://" + serveRegistry(t, filepath.Join(dir, "config.yml")))
	if err != nil {
		t.Fatal(err)
	}
	r := &testRegistry{T: t, cli: runnertest.Docker(t)}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		p.Out.Host = p.In.Host // what the registry's own links begin with
	}}
	r.front = proxy
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		if fault := r.fault.Load(); fault == nil || !(*fault)(w, req) {
			proxy.ServeHTTP(w, req)
		}
	}))
	t.Cleanup(s.Close)
	r.host = s.Listener.Addr().String()
	return r
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serveRegistry runs the registry until the test ends and returns its address,
// which it logs.
func serveRegistry(t *testing.T, config string) string {
	t.Helper()
	cmd := exec.Command("docker-registry", "serve", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the registry (Debian: apt-get install docker-registry): %v", err)
	}
	found := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(found)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
				address, _, _ := strings.Cut(rest, `"`)
				found <- address
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
	})
	address, ok := <-found
	if !ok {
		t.Fatal("the registry did not start")
	}
	return address
}

// push makes an image with content of its own, pushes it and removes it from the
// engine. It returns its name.
func (r *testRegistry) push(name string, size int64) string {
	r.Helper()
	ref := r.host + "/" + name
	ctx := r.Context()
	imported, err := r.cli.ImageImport(ctx, image.ImportSource{Source: layer(r.T, size), SourceName: "-"}, ref, image.ImportOptions{})
	r.ok(err)
	r.drain(imported)
	r.Cleanup(func() { r.remove(ref) })
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: user, Password: password, ServerAddress: r.host})
	r.ok(err)
	pushed, err := r.cli.ImagePush(ctx, ref, image.PushOptions{RegistryAuth: auth})
	r.ok(err)
	r.drain(pushed)
	r.remove(ref)
	r.asked.Store(0)
	return ref
}

func (r *testRegistry) remove(ref string) {
	r.Helper()
	if _, err := r.cli.ImageRemove(withoutCancel(r.T), ref, image.RemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
		r.Errorf("remove image: %v", err)
	}
}

func (r *testRegistry) drain(body io.ReadCloser) {
	r.Helper()
	defer body.Close()
	b, err := io.ReadAll(body)
	r.ok(err)
	if bytes.Contains(b, []byte("errorDetail")) {
		r.Fatalf("the engine says: %s", b)
	}
}

func (r *testRegistry) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// misbehave lets fault answer where it wants to.
func (r *testRegistry) misbehave(fault func(http.ResponseWriter, *http.Request) bool) {
	r.fault.Store(&fault)
}

// layer is a tree with one file that does not compress.
func layer(t *testing.T, size int64) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: size})
	if err == nil {
		_, err = io.CopyN(w, rand.Reader, size)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return &b
}

// stallBlobs serves half of every large answer and then nothing, until recovered is
// called. The engine keeps such a connection open after the pull was given up.
func (r *testRegistry) stallBlobs(size int64) (recovered func()) {
	over := make(chan struct{})
	recovered = sync.OnceFunc(func() {
		r.fault.Store(nil)
		close(over)
	})
	r.Cleanup(recovered)
	r.misbehave(func(w http.ResponseWriter, req *http.Request) bool {
		if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/blobs/") {
			return false
		}
		r.front.ServeHTTP(&halfWriter{ResponseWriter: w, left: size / 2, over: over}, req)
		return true
	})
	return recovered
}

// halfWriter writes so many bytes and then waits.
type halfWriter struct {
	http.ResponseWriter
	left int64
	over <-chan struct{}
}

func (w *halfWriter) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left > 0 {
		return w.ResponseWriter.Write(p)
	}
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return 0, err
	}
	<-w.over
	return 0, errors.New("the rest never came")
}

func (w *halfWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
