package runner_test

import (
	"net/netip"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestDockerUserNamespace: on an engine that maps users a step is root of its own
// container only, with its source and its network; a repository that may has none
// of that.
func TestDockerUserNamespace(t *testing.T) {
	d := runnertest.NewDaemon(t, "--userns-remap=default")
	image := d.Image()
	engine := docker.New(d.Client(), docker.Options{Subnets: netip.MustParsePrefix("10.199.0.0/16"), SandboxBinary: runnertest.SandboxBinary(t)})
	for userns, want := range map[string]string{"": "mapped", "host": "not mapped"} {
		t.Run(want, func(t *testing.T) {
			s := newScenarioOn(t, engine,
				with(step("build"), commands(
					`read a root b < /proc/self/uid_map; [ $root != 0 ] || echo -n "not "; echo mapped`,
					"id -u; cat hello.txt; echo built > out.txt; grep -c eth0 /proc/net/dev")),
				with(step("test", "build"), commands("cat out.txt; rm out.txt")))
			for i := range s.job.Workflow.Steps {
				s.job.Workflow.Steps[i].Image = image
			}
			s.job.Isolation = runner.Isolation{UserNS: userns}
			s.job.Source = tree("hello.txt", "hello\n")
			s.run()
			s.wantJob(runner.Success, "", "")
			s.wantNothingLeft()
			build := s.job.Workflow.Steps[0].Commands
			s.wantOutput("build", "$ "+build[0]+" [-1]", want, "$ "+build[1]+" [0]", "0", "hello", "1")
			s.wantOutput("test", "$ cat out.txt; rm out.txt [-1]", "built")
		})
	}
}
