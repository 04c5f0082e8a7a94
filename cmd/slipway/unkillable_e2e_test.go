package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	r := m.repo("app")
	sha := m.push(r, m.files(`
steps:
  - name: long
    image: IMAGE
    commands:
      - for i in $(seq 60); do echo tick $i; usleep 100000; done
  - {name: after, image: IMAGE, commands: echo after}
`))
	m.waitStatus(r, sha, "running")
	for _, line := range []string{"tick 5", "tick 20"} { // and again while it is adopted
		m.follow(r, 1, 1, 1, line)
		m.crash()
	}
	m.wantVerdict(r, sha, "success: passed in …")
	log := m.log(r, 1, 1, 1)
	for i := 1; i <= 60; i++ {
		if n := strings.Count(log, fmt.Sprintf("tick %d\n", i)); n != 1 {
			t.Fatalf("line \"tick %d\" stands %d times in the log:\n%s", i, n, log)
		}
	}

	// A second server on the same data refuses to start.
	out, err := program(m.ctx, append(m.env, "SLIPWAY_ADDR=127.0.0.1:0"), "server").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another slipway server uses "+m.config.Data) {
		t.Errorf("a second server on the data directory: %v\n%s", err, out)
	}
	if out, err := program(m.ctx, m.env, "healthcheck").CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v %s", err, out)
	}
	m.shutdown()
	if err := program(m.ctx, m.env, "healthcheck").Run(); err == nil {
		t.Error("healthcheck of a server that is down succeeds")
	}
}

// waitsForFile is a pipeline whose step ends when the test lets it.
const waitsForFile = `
steps:
  - name: long
    image: IMAGE
    commands:
      - echo begun
      - until test -e /tmp/go; do usleep 50000; done
  - {name: after, image: IMAGE, commands: echo after}
`

// TestUpgradeInMidBuild stops the server in each of the ways that there are.
func TestUpgradeInMidBuild(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		args    []string
		signals []syscall.Signal // two kinds, since one kind is told once
		drains  bool
	}{
		{"Leave", nil, []syscall.Signal{syscall.SIGTERM}, false},
		{"SecondSignalDrains", nil, []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, true},
		{"Drain", []string{"--drain"}, []syscall.Signal{syscall.SIGTERM}, true},
		{"SecondSignalLeaves", []string{"--drain"}, []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			_ = m.p.signal(syscall.SIGTERM)
			m.boot(tt.args...)
			r := m.repo("app")
			sha := m.push(r, m.files(waitsForFile))
			m.waitStatus(r, sha, "running")
			m.follow(r, 1, 1, 1, "begun")
			m.p.signalAtOnce(tt.signals...)
			if tt.drains {
				if !m.p.logged(m.ctx, "jobs that run have ended") || !m.p.logged(m.ctx, `jobs="acme/app #1`) {
					t.Fatal("it does not say what it waits for")
				}
				// It waits for GitHub as well, which has the verdict before the next start.
				hang := m.github.Hang(githubtest.ScopeStatuses, 1)
				m.touch(r, 1, "/tmp/go")
				if err := hang.Wait(m.ctx, 1); err != nil {
					t.Fatal(err)
				}
				hang.Release()
				m.wantVerdict(r, sha, "success: passed in …")
			}
			if err := m.p.wait(); err != nil {
				t.Errorf("the server ended with %v", err)
			}
			if !tt.drains {
				m.touch(r, 1, "/tmp/go") // it runs on without a server
			}
			m.boot()
			m.wantVerdict(r, sha, "success: passed in …")
			if got := m.build(r, 1).steps(); got != "long=success after=success" {
				t.Errorf("steps: %s", got)
			}
			m.shutdown()
		})
	}
}

// TestStopsThoughTheEngineHangs: what an engine that does not answer was asked is
// seen to by the next start.
func TestStopsThoughTheEngineHangs(t *testing.T) {
	t.Parallel()
	m, p := newKillable(t)
	r := m.repo("app")
	h := p.hold(`^DELETE \S+/volumes/`, 1, requestLate)
	m.wantVerdict(r, m.push(r, m.files(oneStep)), "success: passed in …")
	<-h.reached
	if err := m.p.signal(syscall.SIGTERM); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if !m.p.logged(m.ctx, "the Docker engine has not answered") {
		t.Error("it does not say what it left")
	}
	close(h.release)
	m.boot()
	m.waitSwept()
	m.shutdown()
}
