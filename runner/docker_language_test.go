package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// dockerService adds a service whose commands run in a busybox.
func (s *scenario) dockerService(service pipeline.Step) {
	s.Helper()
	service.Image = runnertest.Image(s.T)
	s.services(service)
}

func TestDockerWaitsForAPort(t *testing.T) {
	s := newDockerScenario(t, with(step("test"), commands("wget -q -O - http://web:8000/")))
	s.dockerService(with(step("web"), commands("until test -e /asked; do sleep 0.1; done; mkdir /www; echo served > /www/index.html; httpd -f -p 8000 -h /www"),
		ports(pipeline.Port{Number: 8000, Protocol: "tcp"})))
	s.start()
	s.waits("waiting for web to answer on 8000")
	web := runner.ContainerName(s.job.Server, s.job.ID, s.number("web"), 1)
	if res, err := s.engine.Exec(s.ctx, web, []string{"touch", "/asked"}); err != nil || res.ExitCode != 0 {
		t.Fatal(res, err)
	}
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("test", "$ wget -q -O - http://web:8000/ [-1]", "served")
}

func TestDockerWaitsForACommand(t *testing.T) {
	check := pipeline.Healthcheck{Command: []string{"/bin/sh", "-c", "echo not yet; test -e /ready"}, Interval: 50 * time.Millisecond, Timeout: 10 * time.Second, Retries: 100}
	healthy := func(p *pipeline.Step) { p.Healthcheck = &check }
	t.Run("that succeeds", func(t *testing.T) {
		s := newDockerScenario(t, with(step("ask"), commands("true")))
		s.dockerService(with(step("db"), commands("sleep 1", "touch /ready; sleep 300"), healthy))
		s.run()
		s.wantJob(runner.Success, "", "")
		s.wantOutput("db", "$ sleep 1 [-1]", "$ touch /ready; sleep 300 [0]")
	})
	t.Run("that fails", func(t *testing.T) {
		check.Retries = 2
		s := newDockerScenario(t, with(step("ask"), commands("true")))
		s.dockerService(with(step("db"), commands("exec sleep 300"), healthy))
		s.run()
		s.wantJob(runner.Error, "service db failed: failed its healthcheck 2 times, the last with: exit code 1: not yet", "db")
	})
}

func TestDockerRetry(t *testing.T) {
	s := newDockerScenario(t, with(step("flaky"), retried(3, pipeline.RetryFailure),
		commands("echo try >> tries; wc -l < tries", "test $(wc -l < tries) -ge 2")))
	s.run()
	s.wantJob(runner.Success, "", "")
	if got, want := s.notices("flaky"), "attempt 2 of 3: attempt 1 failed: exit code 1"; got != want {
		t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
	command, test := "$ echo try >> tries; wc -l < tries [-1]", "$ test $(wc -l < tries) -ge 2 [0]"
	s.wantOutput("flaky", command, "1", test, command, "2", test)
}

func TestDockerTimeout(t *testing.T) {
	s := newDockerScenario(t, with(step("hang"), timeout(500*time.Millisecond), commands("echo up; exec sleep 300")))
	s.run()
	s.wantJob(runner.Failure, "step hang failed: timed out after 500ms", "hang")
	s.wantOutput("hang", "$ echo up; exec sleep 300 [-1]", "up")
}

func TestDockerFailureCancels(t *testing.T) {
	s := newDockerScenario(t, with(step("lint"), cancels, commands("while [ ! -e ../up ]; do sleep 0.05; done", "exit 2")),
		with(step("build"), commands("touch ../up; exec sleep 300")))
	s.run()
	s.wantJob(runner.Failure, "step lint failed: exit code 2", "lint")
	s.wantStep("build", runner.Canceled, "step lint failed")
}

func TestDockerWhatAStepAsksFor(t *testing.T) {
	s := newDockerScenario(t,
		with(step("write"), commands("id -u", "echo $TOKEN", "echo shared > /share/x", "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"),
			secretEnv("TOKEN", "token"), func(p *pipeline.Step) {
				p.User, p.Resources = "0:0", &pipeline.Resources{MemoryBytes: 64 << 20}
				p.Volumes = []pipeline.Mount{{Kind: pipeline.MountTemp, Source: "share", Target: "/share"}}
			}),
		with(step("read", "write"), commands("cat /share/x", "ls /sys/class/net"), func(p *pipeline.Step) {
			p.NetworkMode = "none"
			p.Volumes = []pipeline.Mount{{Kind: pipeline.MountTemp, Source: "share", Target: "/share", ReadOnly: true}}
		}),
	)
	s.job.Secret = vault(map[string]string{"token": "hunter2"})
	s.run()
	s.wantJob(runner.Success, "", "")
	if out := s.ledger.output(1); !strings.Contains(out, "\n********\n") || !strings.Contains(out, "\n67108864\n") {
		t.Errorf("output of write:\n%s", out)
	}
	s.wantOutput("read", "$ cat /share/x [-1]", "shared", "$ ls /sys/class/net [0]", "lo")
}
