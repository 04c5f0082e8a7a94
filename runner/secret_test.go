package runner_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// vault is a lookup of secrets.
func vault(secrets map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := secrets[name]
		return v, ok
	}
}

func secretEnv(variable, name string) func(*pipeline.Step) {
	return func(s *pipeline.Step) { s.Secrets = map[string]string{variable: name} }
}

// printEnv prints variables of the container's environment.
func printEnv(names ...string) runnertest.Program {
	return func(p *runnertest.Process) int {
		for _, e := range p.Spec().Env {
			if name, value, _ := strings.Cut(e, "="); slices.Contains(names, name) {
				fmt.Fprintf(p.Stdout(), "%s has %d bytes: %s\n", name, len(value), value)
			}
		}
		return 0
	}
}

func TestSecretsReachTheStepAndNothingElse(t *testing.T) {
	s := newScenario(t,
		with(step("deploy"), secretEnv("TOKEN", "deploy_token"), func(p *pipeline.Step) {
			p.Environment = map[string]string{"USER": "alice"}
			p.Templates = map[string]pipeline.Template{"PLUGIN_AUTH": {Value: json.RawMessage(`{"key":{"from_secret":"quoted"}}`)}}
		}),
		step("other", "deploy"),
	)
	s.job.Secret = vault(map[string]string{"deploy_token": "hunter2", "quoted": `a"b"c"d`})
	s.runs("deploy", printEnv("TOKEN", "USER", "PLUGIN_AUTH"))
	s.runs("other", say("found hunter2 in a file\n"))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("deploy", `PLUGIN_AUTH has 20 bytes: {"key":"********"}`, "TOKEN has 7 bytes: ********", "USER has 5 bytes: alice")
	s.wantOutput("other", "found ******** in a file")
}

func TestSecretOfAService(t *testing.T) {
	s := newScenario(t, step("test"))
	s.services(with(step("db"), secretEnv("PASSWORD", "db_password")))
	s.job.Secret = vault(map[string]string{"db_password": "hunter2"})
	up := make(chan struct{})
	s.runs("db", func(p *runnertest.Process) int {
		code := printEnv("PASSWORD")(p)
		close(up)
		return code
	})
	s.runs("test", runnertest.Until(up, 0))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("db", "PASSWORD has 7 bytes: ********")
}

func TestMissingSecret(t *testing.T) {
	reason := "resolve TOKEN: there is no secret `deploy_token`"
	for name, lookup := range map[string]func(string) (string, bool){"none at all": nil, "another": vault(map[string]string{"other": "x"})} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, step("build"), with(step("deploy", "build"), secretEnv("TOKEN", "deploy_token")),
				with(step("kept-out", "build"), secretEnv("TOKEN", "nor this"), func(p *pipeline.Step) { p.Skip = "branch is not main" }))
			s.job.Secret = lookup
			s.run()
			s.wantStep("build", runner.Success, "")
			s.wantStep("deploy", runner.Error, reason)
			s.wantNotice("deploy", reason)
			s.wantStep("kept-out", runner.Skipped, "branch is not main")
			s.wantJob(runner.Error, "step deploy failed: "+reason, "deploy")
			if n := s.eng.Count("Start"); n != 1 {
				t.Errorf("%d containers started, want that of build", n)
			}
		})
	}
}

// TestSecretInAReason: an engine's words may quote what it was given.
func TestSecretInAReason(t *testing.T) {
	s := newScenario(t, with(step("deploy"), secretEnv("TOKEN", "deploy_token")))
	s.job.Secret = vault(map[string]string{"deploy_token": "hunter2"})
	s.eng.Fail("CreateContainer", 1, fmt.Errorf("bad variable TOKEN=hunter2"))
	s.run()
	s.wantJob(runner.Error, "step deploy failed: CreateContainer: bad variable TOKEN=********", "deploy")
}

// A secret can be the image, and a folder; what the log tells hides them.
func TestSecretsOutsideTheEnvironment(t *testing.T) {
	s := newScenario(t, with(step("deploy"), func(p *pipeline.Step) {
		p.Image, p.Tmpfs = "", map[string]string{"/a": ""}
		p.Places = []pipeline.Place{{Key: "image", Secret: "image"}, {Key: "tmpfs", Secret: "path"}}
	}))
	s.job.Secret = vault(map[string]string{"image": "registry.example.com/hidden/app:1", "path": "/hunter2"})
	var spec runner.ContainerSpec
	s.runs("deploy", func(p *runnertest.Process) int { spec = p.Spec(); return 0 })
	s.run()
	s.wantJob(runner.Success, "", "")
	if _, ok := spec.Tmpfs["/hunter2"]; spec.Image != "registry.example.com/hidden/app:1" || !ok {
		t.Errorf("it runs %s with %v", spec.Image, spec.Tmpfs)
	}
	for _, row := range s.ledger.rows(s.number("deploy")) {
		if strings.Contains(fmt.Sprint(row), "hidden") {
			t.Errorf("the log has %q", row)
		}
	}
}

// An image that is not known is not asked for, not even ahead.
func TestMissingSecretOfAnImage(t *testing.T) {
	s := newScenario(t, with(step("deploy"), func(p *pipeline.Step) {
		p.Image, p.Places = "", []pipeline.Place{{Key: "image", Secret: "image"}}
	}))
	s.run()
	s.wantJob(runner.Error, "step deploy failed: resolve image: there is no secret `image`", "deploy")
	if n := s.eng.Count("PullImage"); n != 0 {
		t.Errorf("%d images were pulled", n)
	}
}
