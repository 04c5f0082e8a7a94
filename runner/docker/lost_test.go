package docker_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func randomID() string { return strings.ToLower(rand.Text()) }

// proxy stands between an Engine and the Docker engine, and can die.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex // guards what follows
	dead  bool
	conns []net.Conn
	done  sync.WaitGroup
}

// newProxy returns a proxy for a local Docker engine; it dies with the test.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target}
	p.done.Go(p.serve)
	t.Cleanup(func() {
		p.die()
		p.done.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", p.target)
		if err != nil {
			near.Close()
			continue
		}
		p.keep(near, far)
		p.done.Go(func() { pipe(near, far) })
		p.done.Go(func() { pipe(far, near) })
	}
}

func pipe(dst, src net.Conn) {
	io.Copy(dst, src)
	dst.(*net.UnixConn).CloseWrite()
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	if p.dead {
		closeAll(p.conns)
	}
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// die cuts every connection, as the end of the engine's process does.
func (p *proxy) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	p.listener.Close()
	closeAll(p.conns)
}

// TestEngineDies: the end of the connection must not pass for the end of the
// container.
func TestEngineDies(t *testing.T) {
	image := runnertest.Image(t)
	direct := runnertest.Docker(t)
	socket, ok := strings.CutPrefix(direct.DaemonHost(), "unix://")
	if !ok {
		t.Fatalf("this test needs a local engine, not %s", direct.DaemonHost())
	}
	p := newProxy(t, socket)
	cli, err := docker.Dial("unix://" + p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	l := labels(t, docker.New(direct, docker.Options{}))
	e, ctx := docker.New(cli, docker.Options{}), t.Context()
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{
		Name: l[runner.LabelServer], Labels: l, Image: image,
		Entrypoint: []string{"/bin/sh", "-c"}, Cmd: []string{"echo ready; exec sleep 300"},
	})
	if err != nil {
		t.Fatal(err)
	}
	attached, err := e.Attach(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer attached.Close()
	if err := e.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	followed, err := e.Logs(ctx, id, true)
	if err != nil {
		t.Fatal(err)
	}
	defer followed.Close()

	ready := make(chan struct{}, 2)
	failed := map[string]chan error{"Copy": make(chan error, 1), "Copy of Logs": make(chan error, 1), "Wait": make(chan error, 1), "Stop": make(chan error, 1)}
	go func() { failed["Copy"] <- attached.Copy(notify(ready), io.Discard) }()
	go func() { failed["Copy of Logs"] <- followed.Copy(notify(ready), io.Discard) }()
	go func() { _, err := e.Wait(ctx, id); failed["Wait"] <- err }()
	<-ready
	<-ready
	p.die()
	go func() { failed["Stop"] <- e.Stop(ctx, id, time.Minute) }()
	for what, ch := range failed {
		if err := <-ch; err == nil || errors.Is(err, runner.ErrNotFound) || ctx.Err() != nil {
			t.Errorf("%s: error %v, want that of a lost engine", what, err)
		}
	}
	if err := e.Ping(ctx); err == nil {
		t.Error("Ping answers")
	}
}

// notify tells of every write.
type notify chan<- struct{}

func (n notify) Write(p []byte) (int, error) {
	select {
	case n <- struct{}{}:
	default:
	}
	return len(p), nil
}
