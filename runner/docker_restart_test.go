package runner_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

const dockerReason = "the Docker engine restarted"

// newDaemonScenario makes a job of steps on an engine of its own.
func newDaemonScenario(t *testing.T, d *runnertest.Daemon, steps ...pipeline.Step) *scenario {
	t.Helper()
	image := d.Image()
	for i := range steps {
		steps[i].Image, steps[i].NetworkMode = image, "none"
	}
	return newScenarioOn(t, docker.New(d.Client(), docker.Options{Subnets: netip.MustParsePrefix("10.199.0.0/16"), SandboxBinary: runnertest.SandboxBinary(t)}), steps...)
}

// TestDockerEngineIsKilled: what the engine ends when it is back, whatever exit
// code comes of it, is not the step's doing; what ended by itself meanwhile is.
func TestDockerEngineIsKilled(t *testing.T) {
	d, shared := runnertest.NewDaemon(t), t.TempDir()
	s := newDaemonScenario(t, d,
		with(step("killed"), commands("trap 'exit 0' TERM", "echo up", "while true; do sleep 0.1; done")),
		with(step("retried"), commands("echo up; test -e /slipway/src/repo/second || { touch second; sleep 300; }"), retried(2, pipeline.RetryInfrastructure)),
		with(step("ends"), commands("trap 'echo > /shared/ended' EXIT", "echo up", "read -r _ < /shared/end", "exit 4"),
			func(p *pipeline.Step) {
				p.Volumes = []pipeline.Mount{{Kind: pipeline.MountHost, Source: shared, Target: "/shared"}}
			}),
	)
	// Pipes: nobody but the step can tell of what it does while its engine is dead.
	end, ended := filepath.Join(shared, "end"), filepath.Join(shared, "ended")
	for _, pipe := range []string{end, ended} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.start()
	for _, name := range []string{"killed", "retried", "ends"} {
		s.printed(name, "up")
	}
	d.Kill()
	over := make(chan error, 1)
	go func() {
		err := os.WriteFile(end, []byte("now\n"), 0)
		if err == nil {
			_, err = os.ReadFile(ended)
		}
		over <- err
	}()
	select {
	case err := <-over:
		if err != nil {
			t.Fatal(err)
		}
	case <-s.ctx.Done():
		t.Fatal("the step does not end")
	}
	d.Start()
	s.wait()
	s.wantStep("ends", runner.Failure, "exit code 4")
	s.wantStep("killed", runner.Error, dockerReason)
	s.wantStep("retried", runner.Success, "")
	s.wantJob(runner.Error, "step killed failed: "+dockerReason, "killed")
}

// TestDockerEngineIsStopped: as an upgrade of the engine does, which still
// answers while it stops its containers.
func TestDockerEngineIsStopped(t *testing.T) {
	d := runnertest.NewDaemon(t)
	s := newDaemonScenario(t, d, with(step("build"), commands("echo up", "while true; do sleep 0.1; done")))
	s.start()
	s.printed("build", "up")
	d.Stop()
	d.Start()
	s.wait()
	got := s.ledger.state.Results[1]
	if got.Status != runner.Error || got.Reason != dockerReason && got.Reason != "its container was stopped from outside, or the Docker engine was" {
		t.Errorf("step build: %s %q", got.Status, got.Reason)
	}
}

// TestDockerEngineIsStoppedMeanwhile: the machine was restarted, and with it the
// server.
func TestDockerEngineIsStoppedMeanwhile(t *testing.T) {
	d := runnertest.NewDaemon(t)
	s := newDaemonScenario(t, d, with(step("build"), commands("echo up", "while true; do sleep 0.1; done")))
	s.start()
	s.printed("build", "up")
	s.ledger.kill()
	s.cancel(runner.ErrDetach)
	s.wait()
	d.Stop()
	d.Start()
	s.renew()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Error, "step build failed: "+dockerReason, "build")
}

// TestDockerEngineWithLiveRestore: the container runs on without its engine, and
// nothing of it is lost.
func TestDockerEngineWithLiveRestore(t *testing.T) {
	d, shared := runnertest.NewDaemon(t, "--live-restore"), t.TempDir()
	s := newDaemonScenario(t, d, with(step("build"), commands("echo up", "until test -e /shared/back; do sleep 0.1; done", "echo late", "kill -9 $$"),
		func(p *pipeline.Step) {
			p.Volumes = []pipeline.Mount{{Kind: pipeline.MountHost, Source: shared, Target: "/shared"}}
		}))
	s.start()
	s.printed("build", "up")
	d.Kill()
	d.Start()
	if err := os.WriteFile(filepath.Join(shared, "back"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.wait()
	s.wantJob(runner.Failure, "step build failed: exit code 137 (killed)", "build")
	s.wantOutput("build", "$ echo up [-1]", "up", "$ until test -e /shared/back; do sleep 0.1; done [0]", "$ echo late [0]", "late", "$ kill -9 $$ [0]")
}
