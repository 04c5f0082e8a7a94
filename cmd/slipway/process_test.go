package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// asProgram makes the test binary the program itself, so that tests can start
// and kill a real process.
const asProgram = "SLIPWAY_TEST_AS_PROGRAM"

// sandboxVariable names the program of sandboxes to it: the test binary is not
// static.
const sandboxVariable = "SLIPWAY_SANDBOX_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	path, err := runnertest.BuildSandboxBinary()
	if err == nil {
		err = os.Setenv(sandboxVariable, path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// program is the program with arguments and an environment of its own.
func program(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), sandboxVariable + "=" + os.Getenv(sandboxVariable)}, env...)
	return cmd
}

func TestRefusesToStart(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := []string{"SLIPWAY_WEBHOOK_SECRET_FILE=" + secret, "SLIPWAY_GITHUB_TOKEN=t", "SLIPWAY_DATA=" + t.TempDir(), "SLIPWAY_ADDR=127.0.0.1:0"}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		want []string
	}{
		{"NothingSet", nil, []string{"server"}, []string{"no webhook secret", "SLIPWAY_WEBHOOK_SECRET", "no GitHub credential", "SLIPWAY_GITHUB_TOKEN"}},
		{"SecretTwice", append([]string{"SLIPWAY_WEBHOOK_SECRET=x"}, all...), []string{"server"}, []string{"both SLIPWAY_WEBHOOK_SECRET and SLIPWAY_WEBHOOK_SECRET_FILE"}},
		{"BadURL", append([]string{"SLIPWAY_URL=ci.example"}, all...), []string{"server"}, []string{`SLIPWAY_URL is "ci.example"`}},
		{"BadSize", append([]string{"SLIPWAY_STEP_MEMORY=much"}, all...), []string{"server"}, []string{`"much" is not a size`}},
		{"NoDocker", append([]string{"DOCKER_HOST=unix:///nowhere/docker.sock"}, all...), []string{"server"}, []string{"/nowhere/docker.sock"}},
		{"UnknownCommand", nil, []string{"sever"}, []string{"sever", "slipway --help"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := program(t.Context(), tt.env, tt.args...).CombinedOutput()
			if err == nil {
				t.Fatalf("it started:\n%s", out)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("the message lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	out, err := program(t.Context(), nil, "server", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"SLIPWAY_ADDR", "SLIPWAY_URL", "SLIPWAY_DATA", "SLIPWAY_GITHUB_URL", "SLIPWAY_GITHUB_TOKEN",
		"SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_ADMIN_TOKEN", "SLIPWAY_MAX_JOBS", "SLIPWAY_MAX_STEPS", "DOCKER_HOST", "/webhook"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("--help lacks %s:\n%s", want, out)
		}
	}
}

// process is a running `slipway server`.
type process struct {
	*testing.T
	cmd  *exec.Cmd
	done chan error
}

// startProcess starts the program and returns when it listens.
func startProcess(t *testing.T, env []string) *process {
	t.Helper()
	p := &process{T: t, cmd: program(context.WithoutCancel(t.Context()), env, "server"), done: make(chan error, 1)}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	up := make(chan bool, 1)
	go func() {
		sc := bufio.NewScanner(stderr)
		for sc.Scan() {
			fmt.Fprintln(t.Output(), sc.Text())
			if strings.Contains(sc.Text(), "slipway is up") {
				up <- true
			}
		}
		close(up)
		p.done <- p.cmd.Wait()
	}()
	if !<-up {
		t.Fatalf("the server did not start: %v", <-p.done)
	}
	return p
}

// signal sends a signal and returns when the process has ended.
func (p *process) signal(s syscall.Signal) error {
	_ = p.cmd.Process.Signal(s) // it may have ended
	err := <-p.done
	p.done <- err // for who asks again
	return err
}

func TestKilledServerLosesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	gh, err := githubtest.New(githubtest.Options{Token: testToken, WebhookSecret: testSecret, AnonymousPush: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gh.Close() }()
	if err := gh.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	data := filepath.Join(t.TempDir(), "data")
	env := []string{"SLIPWAY_WEBHOOK_SECRET=" + testSecret, "SLIPWAY_GITHUB_TOKEN=" + testToken, "SLIPWAY_ADMIN_TOKEN=" + testAdmin,
		"SLIPWAY_DATA=" + data, "SLIPWAY_ADDR=" + addr, "SLIPWAY_GITHUB_URL=" + gh.URL(), "SLIPWAY_JOB_NETWORKS=10.175.0.0/16"}
	p := startProcess(t, env)
	if err := gh.AddWebhook("http://" + addr + "/webhook"); err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, ctx: ctx, github: gh, image: runnertest.Image(t), addr: addr}
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: long
    image: IMAGE
    commands:
      - for i in $(seq 60); do echo tick $i; usleep 100000; done
  - {name: after, image: IMAGE, commands: echo after}
`))
	w.waitStatus(r, sha, "running")
	for _, line := range []string{"tick 5", "tick 20"} { // and again while it is adopted
		w.follow(r, 1, 1, 1, line)
		_ = p.signal(syscall.SIGKILL)
		p = startProcess(t, env)
	}
	w.wantVerdict(r, sha, "success: passed in …")
	log := w.log(r, 1, 1, 1)
	for i := 1; i <= 60; i++ {
		if n := strings.Count(log, fmt.Sprintf("tick %d\n", i)); n != 1 {
			t.Fatalf("line \"tick %d\" stands %d times in the log:\n%s", i, n, log)
		}
	}

	// A second server on the same data refuses to start.
	out, err := program(ctx, append(env, "SLIPWAY_ADDR=127.0.0.1:0"), "server").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another slipway server uses "+data) {
		t.Errorf("a second server on the data directory: %v\n%s", err, out)
	}
	if out, err := program(ctx, env, "healthcheck").CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v %s", err, out)
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if err := program(ctx, env, "healthcheck").Run(); err == nil {
		t.Error("healthcheck of a server that is down succeeds")
	}
	s, err := store.Open(ctx, filepath.Join(data, "slipway.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if w.serverID, err = s.ServerID(ctx); err != nil {
		t.Fatal(err)
	}
	w.wantNothingLeft()
}

func TestDemoOnce(t *testing.T) {
	out, err := program(t.Context(), []string{"TMPDIR=" + t.TempDir()}, "demo", "--once", "--addr=127.0.0.1:0", "--image="+runnertest.Image(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"git push", "step     smoke", "GitHub has the verdict", "success passed in"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the story lacks %q:\n%s", want, out)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
