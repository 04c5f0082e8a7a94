package runner_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// newDockerScenario makes a job of steps on a Docker engine; steps without an
// image of their own get a busybox.
func newDockerScenario(t *testing.T, steps ...pipeline.Step) *scenario {
	t.Helper()
	image := runnertest.Image(t)
	for i := range steps {
		if strings.HasPrefix(steps[i].Image, "image-") {
			steps[i].Image = image
		}
	}
	s := newScenarioOn(t, docker.New(runnertest.Docker(t), docker.Options{SandboxBinary: runnertest.SandboxBinary(t)}), steps...)
	s.job.Server = "test" + strings.ToLower(ulid.Make().String())
	t.Cleanup(func() { // of what a failed test leaves
		s.cancel(runner.ErrCancel)
		<-s.done
		ctx := context.Background()
		left, err := s.engine.List(ctx, map[string]string{runner.LabelServer: s.job.Server})
		if err != nil {
			t.Error(err)
		}
		for _, r := range left {
			if r.Kind == runner.ResourceContainer {
				_ = s.engine.RemoveContainer(ctx, r.ID)
			}
		}
		for _, r := range left {
			switch r.Kind {
			case runner.ResourceNetwork:
				_ = s.engine.RemoveNetwork(ctx, r.ID)
			case runner.ResourceVolume:
				_ = s.engine.RemoveVolume(ctx, r.ID)
			}
		}
	})
	return s
}

// tree is a source of one file.
func tree(name, content string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		var b bytes.Buffer
		t := tar.NewWriter(&b)
		for _, dir := range []string{"src/", "src/repo/"} {
			if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o777}); err != nil {
				return nil, err
			}
		}
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "src/repo/" + name, Mode: 0o666, Size: int64(len(content))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(t, content); err != nil {
			return nil, err
		}
		return io.NopCloser(&b), t.Close()
	}
}

func TestDockerRunsCommandsOnTheSource(t *testing.T) {
	s := newDockerScenario(t,
		with(step("build"), commands("pwd", "cat hello.txt", "echo built > out.txt")),
		with(step("test", "build"), commands("cat out.txt; echo $CI_STEP_NAME", "exit 3")),
	)
	s.job.Source = tree("hello.txt", "hello from git\n")
	s.run()
	s.wantJob(runner.Failure, "step test failed: exit code 3", "test")
	s.wantOutput("build", "$ pwd [-1]", "/slipway/src/repo", "$ cat hello.txt [0]", "hello from git", "$ echo built > out.txt [0]")
	s.wantOutput("test", "$ cat out.txt; echo $CI_STEP_NAME [-1]", "built", "test", "$ exit 3 [0]")
}

func TestDockerImageWithAUser(t *testing.T) {
	user := runnertest.UserImage(t)
	own := func(p *pipeline.Step) { p.Image = user }
	s := newDockerScenario(t,
		with(step("write"), own, commands("id -u", "touch new", "mkdir -p sub/dir", "touch sub/dir/x")),
		with(step("below", "write"), own, commands("pwd", "touch y"), func(p *pipeline.Step) { p.Directory = "made/by/us" }),
	)
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("write", "$ id -u [-1]", "1000", "$ touch new [0]", "$ mkdir -p sub/dir [0]", "$ touch sub/dir/x [0]")
	s.wantOutput("below", "$ pwd [-1]", "/slipway/src/repo/made/by/us", "$ touch y [0]")
}

func TestDockerServiceByName(t *testing.T) {
	s := newDockerScenario(t, with(step("ask"), commands(
		"i=0; while ! nc -w 1 web 8000 </dev/null >answer 2>/dev/null; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.1; done", "cat answer")))
	s.services(with(step("web"), commands("while true; do echo served | nc -l -p 8000; done")))
	s.job.Workflow.Services[0].Image = runnertest.Image(t)
	s.run()
	s.wantJob(runner.Success, "", "")
	if rows := s.ledger.output(2); !strings.Contains(rows, "\nserved\n") {
		t.Errorf("output of ask:\n%s", rows)
	}
	s.wantStep("web", runner.Success, "stopped with the job")
}

func TestDockerReasons(t *testing.T) {
	for _, tt := range []struct{ command, reason string }{
		{"no-such-command", "exit code 127 (command not found)"},
		{"/etc", "exit code 126 (command cannot be executed)"},
		{"kill -9 $$", "exit code 137 (killed)"},
	} {
		t.Run(tt.command, func(t *testing.T) {
			s := newDockerScenario(t, with(step("build"), commands("mkdir -p /etc", tt.command)))
			s.run()
			s.wantJob(runner.Failure, "step build failed: "+tt.reason, "build")
		})
	}
}

func TestDockerCancel(t *testing.T) {
	s := newDockerScenario(t, with(step("build"), commands("trap 'echo stopped; exit 9' TERM", "echo up", "while true; do sleep 0.1; done")))
	s.start()
	s.printed("build", "up")
	s.cancel(fmt.Errorf("%w by alice", runner.ErrCancel))
	s.wait()
	s.wantJob(runner.Canceled, "canceled by alice", "build")
	if out := s.ledger.output(1); !strings.Contains(out, "\nstopped\n") {
		t.Errorf("output:\n%s", out)
	}
}

// printed waits until a line stands in the log of a step.
func (s *scenario) printed(name, text string) {
	s.Helper()
	err := s.ledger.until(s.ctx, s.number(name), func(lines []runner.Line, _ map[runner.Stream]string) bool {
		for _, l := range lines {
			if l.Kind == runner.LineOutput && string(l.Text) == text {
				return true
			}
		}
		return false
	})
	if err != nil {
		s.Fatalf("step %s did not print %q: %v", name, text, err)
	}
}

// TestDockerProcessDies: a build of many lines whose runner dies and comes back.
func TestDockerProcessDies(t *testing.T) {
	s := newDockerScenario(t,
		with(step("build"), commands("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", "sleep 1; echo late", "printf end")),
		with(step("test", "build"), commands("echo tested")),
	)
	s.start()
	s.printed("build", "line 5")
	s.ledger.kill()
	s.wait()
	s.resume(s.ledger.revive())
	s.printed("build", "line 2500")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	s.renew()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Success, "", "")
	var want strings.Builder
	want.WriteString("$ i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done [-1]\n")
	for i := range 3000 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	want.WriteString("$ sleep 1; echo late [0]\nlate\n$ printf end [0]\nend\n")
	if got := s.ledger.output(1); got != want.String() {
		t.Errorf("output of %d bytes is not the %d wanted; it ends %q", len(got), want.Len(), got[max(0, len(got)-100):])
	}
	s.wantOutput("test", "$ echo tested [-1]", "tested")
}

func TestDockerImageMissing(t *testing.T) {
	s := newDockerScenario(t, with(step("build"), commands("true"), func(p *pipeline.Step) {
		p.Image, p.Pull = "slipway/no-such-image:test", pipeline.PullNever
	}))
	s.run()
	if s.err != nil || s.result.Status != runner.Error || !strings.Contains(s.result.Reason, "slipway/no-such-image:test") {
		t.Errorf("job ended %+v, %v", s.result, s.err)
	}
	s.wantNothingLeft()
}

func TestDockerSecretNeverShows(t *testing.T) {
	s := newDockerScenario(t, with(step("build"), commands(`printf 'pass'; sleep 0.2; echo word`, `echo "$TOKEN"`), func(p *pipeline.Step) {
		p.Environment = map[string]string{"TOKEN": "password"}
	}))
	s.job.Secrets = []string{"password", "slipway"}
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "$ printf 'pass'; sleep 0.2; echo word [-1]", "********", `$ echo "$TOKEN" [0]`, "********")
}
