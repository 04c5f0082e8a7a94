package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// process is a running `slipway server`.
type process struct {
	testing.TB
	cmd  *exec.Cmd
	done chan error

	mu      sync.Mutex // guards what follows
	text    strings.Builder
	ended   bool
	changed chan struct{} // closed and made anew with each line of the log
}

// startProcess starts the program and returns when it listens.
func startProcess(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := launchProcess(t, env, args...)
	if !p.logged(t.Context(), "slipway is up") {
		t.Fatalf("the server did not start: %v", p.wait())
	}
	return p
}

// launchProcess starts the program and returns at once.
func launchProcess(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{TB: t, cmd: program(context.WithoutCancel(t.Context()), env, append([]string{"server"}, args...)...),
		done: make(chan error, 1), changed: make(chan struct{})}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	go p.read(stderr)
	return p
}

// read keeps the process's log until it has ended.
func (p *process) read(stderr io.Reader) {
	for sc := bufio.NewScanner(stderr); sc.Scan(); {
		fmt.Fprintln(p.Output(), sc.Text())
		p.add(sc.Text()+"\n", false)
	}
	err := p.cmd.Wait()
	p.add("", true)
	p.done <- err
}

func (p *process) add(text string, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.WriteString(text)
	p.ended = ended
	close(p.changed)
	p.changed = make(chan struct{})
}

// logged waits until the text stands in the process's log, and reports false if
// it ends before.
func (p *process) logged(ctx context.Context, text string) bool {
	for {
		p.mu.Lock()
		found, ended, changed := strings.Contains(p.text.String(), text), p.ended, p.changed
		p.mu.Unlock()
		if found || ended {
			return found
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// signal sends a signal and returns when the process has ended.
func (p *process) signal(s syscall.Signal) error {
	_ = p.cmd.Process.Signal(s) // it may have ended
	return p.wait()
}

// signalAtOnce sends signals and returns at once. No time is between them,
// however slow the machine is: the process stands still until all are sent.
func (p *process) signalAtOnce(signals ...syscall.Signal) {
	p.Helper()
	for _, s := range slices.Concat([]syscall.Signal{syscall.SIGSTOP}, signals, []syscall.Signal{syscall.SIGCONT}) {
		if err := p.cmd.Process.Signal(s); err != nil {
			p.Fatal(err)
		}
	}
}

// wait returns when the process has ended, and how.
func (p *process) wait() error {
	err := <-p.done
	p.done <- err // for who asks again
	return err
}

// machine is a world whose server is a process of its own, which can be killed.
type machine struct {
	*world
	env []string
	p   *process
}

// newMachine starts both. env is added to the server's environment.
func newMachine(t testing.TB, env ...string) *machine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	gh, err := githubtest.New(githubtest.Options{Token: testToken, WebhookSecret: testSecret, AnonymousPush: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gh.Close() })
	if err := gh.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, ctx: ctx, github: gh, image: runnertest.Image(t), addr: freeAddr(t)}
	w.config.Data = filepath.Join(t.TempDir(), "data")
	m := &machine{world: w, env: append([]string{"SLIPWAY_WEBHOOK_SECRET=" + testSecret, "SLIPWAY_GITHUB_TOKEN=" + testToken,
		"SLIPWAY_ADMIN_TOKEN=" + testAdmin, "SLIPWAY_DATA=" + w.config.Data, "SLIPWAY_ADDR=" + w.addr, "SLIPWAY_GITHUB_URL=" + gh.URL(),
		"SLIPWAY_JOB_NETWORKS=10.175.0.0/16"}, env...)}
	m.boot()
	if err := gh.AddWebhook("http://" + w.addr + "/webhook"); err != nil {
		t.Fatal(err)
	}
	m.readServerID()
	return m
}

// readServerID asks the server's database.
func (m *machine) readServerID() {
	m.Helper()
	s, err := store.Open(m.ctx, filepath.Join(m.config.Data, "slipway.db"), store.Options{})
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if m.serverID, err = s.ServerID(m.ctx); err != nil {
		m.Fatal(err)
	}
}

// boot starts the server, with arguments beside its environment.
func (m *machine) boot(args ...string) {
	m.Helper()
	m.p = startProcess(m.TB, m.env, args...)
}

// crash kills the server and starts the next.
func (m *machine) crash() {
	m.Helper()
	_ = m.p.signal(syscall.SIGKILL)
	m.boot()
}

// shutdown ends the server in order and checks that nothing is left of its jobs.
func (m *machine) shutdown() {
	m.Helper()
	if err := m.p.signal(syscall.SIGTERM); err != nil {
		m.Errorf("after SIGTERM: %v", err)
	}
	m.wantNothingLeft()
}

// pause lets some time pass before a server is asked again that may be down, or
// an engine that tells nobody of what it removed.
func (m *machine) pause() {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-m.ctx.Done():
	}
}

// waitSwept waits until the server that runs has removed what no job owns.
func (m *machine) waitSwept() {
	e := m.dockerEngine()
	for {
		found, err := e.List(m.ctx, map[string]string{runner.LabelServer: m.serverID})
		if err != nil {
			m.Fatal(err)
		}
		left := slices.DeleteFunc(found, func(r runner.Resource) bool { return strings.Contains(r.Name, "-pool-") })
		if len(left) == 0 {
			return
		}
		if m.ctx.Err() != nil {
			m.Fatalf("left behind: %v", left)
		}
		m.pause()
	}
}
