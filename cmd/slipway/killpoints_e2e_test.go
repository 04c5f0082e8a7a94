package main

import (
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// killPipeline has a service, and steps that count how often they begin.
const killPipeline = `
services:
  - {name: db, image: IMAGE, commands: [echo up, sleep 600]}
steps:
  - name: build
    image: IMAGE
    commands: [echo build >> begun, "for i in 1 2 3 4 5; do echo line $i; usleep 50000; done"]
  - {name: after, image: IMAGE, commands: [echo after >> begun, sort begun | uniq -c | tr -s " "]}
`

// killPoints are calls of the engine in the midst of which the server dies. Each
// costs a restart, so that not all losses are tried at each.
var killPoints = []struct {
	name, call string
	nth        int
	loss       lossOf
}{
	{"create a container", `^POST \S+/containers/create\?\S*name=slipway-\w+-\d+-2-1\b`, 1, requestLate},
	{"copy the source", `^PUT \S+/archive`, 1, requestLost},
	{"start a container", `^POST \S+/containers/\w+/start`, 3, answerLost}, // after two sandboxes
	{"open the gate of a service", `^POST \S+/attach\?\S*stdin=1`, 1, requestLost},
	{"open the gate of a step", `^POST \S+/attach\?\S*stdin=1`, 2, answerLost},
}

// newKillable starts a server that has a proxy for its engine, and no networks
// ready, so that the calls for a job come in the same order each time.
func newKillable(t *testing.T) (*machine, *dockerProxy) {
	p, host := newDockerProxy(t)
	return newMachine(t, "DOCKER_HOST="+host, "SLIPWAY_POOL=0"), p
}

// killAt kills the server when the call is held, and starts the next.
func (m *machine) killAt(h *heldCall) {
	m.Helper()
	select {
	case <-h.reached:
	case <-m.ctx.Done():
		m.Fatal("the server does not make the call")
	}
	_ = m.p.signal(syscall.SIGKILL)
	if h.loss == requestLate {
		m.boot()
		close(h.release)
		return
	}
	close(h.release)
	m.boot()
}

func TestKilledInACall(t *testing.T) {
	t.Parallel()
	m, p := newKillable(t)
	r := m.repo("app")
	for i, at := range killPoints {
		number := int64(i + 1)
		t.Logf("build %d: %s: %s", number, at.name, at.loss)
		h := p.hold(at.call, at.nth, at.loss)
		sha := m.push(r, m.files(killPipeline, "number", at.name))
		m.killAt(h)
		m.wantVerdict(r, sha, "success: passed in …")
		if got := m.build(r, number).steps(); got != "db=success build=success after=success" {
			t.Errorf("steps: %s", got)
		}
		m.wantOutput(m.log(r, number, 1, 1), "up")
		m.wantOutput(m.log(r, number, 1, 2), "line 1", "line 2", "line 3", "line 4", "line 5")
		m.wantOutput(m.log(r, number, 1, 3), " 1 after", " 1 build")
	}
	m.shutdown()
}

// wantOutput checks that the lines of a log that no command and none of slipway's
// words are, are these.
func (m *machine) wantOutput(log string, want ...string) {
	m.Helper()
	var got []string
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if line == "up" || strings.HasPrefix(line, "line ") || strings.HasPrefix(line, " ") {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, want) {
		m.Errorf("output %q, want %q, in the log:\n%s", got, want, log)
	}
}

// TestKilledWhileCanceling: who asked for a cancel need not ask again.
func TestKilledWhileCanceling(t *testing.T) {
	t.Parallel()
	m, p := newKillable(t)
	r := m.repo("app")
	sha := m.push(r, m.files(waitsForFile))
	m.waitStatus(r, sha, "running")
	m.follow(r, 1, 1, 1, "begun")
	h := p.hold(`^POST \S+/containers/\w+/(stop|kill)`, 1, requestLost)
	if status, body := m.request(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", ""); status >= http.StatusBadRequest {
		t.Fatalf("cancel: %d %s", status, body)
	}
	m.killAt(h)
	m.wantVerdict(r, sha, "error: canceled…")
	if got := m.build(r, 1).steps(); got != "long=canceled after=canceled" {
		t.Errorf("steps: %s", got)
	}
	m.shutdown()
}
