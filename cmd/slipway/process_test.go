package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// asProgram makes the test binary the program itself, so that tests can start
// and kill a real process.
const asProgram = "SLIPWAY_TEST_AS_PROGRAM"

// programVariable names a program to start in its place.
const programVariable = "SLIPWAY_TEST_PROGRAM"

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
	atOnce()
	os.Exit(m.Run())
}

// atOnce lets more tests run at a time than there are processors, unless the
// command line says how many: they wait for containers nearly all the time.
func atOnce() {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.NumCPU())) // it is a number
	}
}

// program is the program with arguments and an environment of its own.
func program(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, cmp.Or(os.Getenv(programVariable), os.Args[0]), args...)
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), sandboxVariable + "=" + os.Getenv(sandboxVariable)}, env...)
	return cmd
}

func TestRefusesToStart(t *testing.T) {
	t.Parallel()
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
			t.Parallel()
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
	t.Parallel()
	out, err := program(t.Context(), nil, "server", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"SLIPWAY_ADDR", "SLIPWAY_URL", "SLIPWAY_DATA", "SLIPWAY_GITHUB_URL", "SLIPWAY_GITHUB_TOKEN",
		"SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_ADMIN_TOKEN", "SLIPWAY_MAX_JOBS", "SLIPWAY_MAX_STEPS", "SLIPWAY_DRAIN", "DOCKER_HOST", "/webhook", "--drain", "second signal"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("--help lacks %s:\n%s", want, out)
		}
	}
}

func TestDemoOnce(t *testing.T) {
	t.Parallel()
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

// freeAddr returns an address that stays free while the server is down that
// listens there. On 127.0.0.1 any test of this machine may be given its port
// then, so that it is one of the other addresses of the loopback interface.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
