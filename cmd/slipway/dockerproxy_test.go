package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// lossOf says what becomes of a call of the Docker engine whose caller dies.
type lossOf string

const (
	requestLost lossOf = "request lost" // it never reaches the engine
	answerLost  lossOf = "answer lost"  // the engine has done it
	requestLate lossOf = "request late" // it reaches the engine when the next server runs
)

// dockerProxy stands between a server and the Docker engine. It can hold a call,
// so that the server dies in the midst of it.
type dockerProxy struct {
	target string

	mu    sync.Mutex // guards what follows
	held  *heldCall
	conns []net.Conn
}

// heldCall is a call to be held.
type heldCall struct {
	call    *regexp.Regexp // method and URI
	nth     int            // of those, from 1
	loss    lossOf
	reached chan struct{} // closed when it is held
	release chan struct{} // to be closed when it may go on
}

// newDockerProxy returns a proxy for the machine's engine, and the address at
// which it listens.
func newDockerProxy(t testing.TB) (p *dockerProxy, host string) {
	t.Helper()
	socket, ok := strings.CutPrefix(runnertest.Docker(t).DaemonHost(), "unix://")
	if !ok {
		t.Fatal("this test needs a local Docker engine")
	}
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	p = &dockerProxy{target: socket}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(near) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		serving.Wait()
	})
	return p, "unix://" + path
}

// hold holds the nth call from now on that matches.
func (p *dockerProxy) hold(call string, nth int, loss lossOf) *heldCall {
	h := &heldCall{call: regexp.MustCompile(call), nth: nth, loss: loss, reached: make(chan struct{}), release: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = h
	return h
}

// take returns what is to become of a call, nil for most.
func (p *dockerProxy) take(r *http.Request) *heldCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.held
	if h == nil || !h.call.MatchString(r.Method+" "+r.URL.RequestURI()) {
		return nil
	}
	if h.nth--; h.nth > 0 {
		return nil
	}
	p.held = nil
	return h
}

// wait holds the call.
func (h *heldCall) wait() {
	close(h.reached)
	<-h.release
}

// serve passes on the calls of one connection, one after the other.
func (p *dockerProxy) serve(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	p.mu.Lock()
	p.conns = append(p.conns, near, far)
	p.mu.Unlock()
	nearReader, farReader := bufio.NewReader(near), bufio.NewReader(far)
	for {
		req, err := http.ReadRequest(nearReader)
		if err != nil {
			return
		}
		h := p.take(req)
		if h != nil && h.loss != answerLost {
			h.wait()
			if h.loss == requestLost {
				return
			}
		}
		if req.Write(far) != nil {
			return
		}
		resp, err := http.ReadResponse(farReader, req)
		if err != nil {
			return
		}
		upgraded := resp.StatusCode == http.StatusSwitchingProtocols
		if h != nil && h.loss == answerLost && !upgraded {
			h.wait()
			return
		}
		if resp.Write(near) != nil {
			return
		}
		if upgraded {
			joinStreams(near, nearReader, far, farReader)
			if h != nil {
				h.wait()
			}
			return
		}
	}
}

// joinStreams passes on what two sides say until the far one has ended.
func joinStreams(near net.Conn, nearReader io.Reader, far net.Conn, farReader io.Reader) {
	var said sync.WaitGroup
	said.Go(func() {
		_, _ = io.Copy(far, nearReader) // to its end, or until either is gone
		_ = far.(*net.UnixConn).CloseWrite()
	})
	_, _ = io.Copy(near, farReader)
	_ = near.(*net.UnixConn).CloseRead()
	said.Wait()
}
