package runner_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestDockerSecretsAreInNoCommandLine: wherever a pipeline may have a secret, the
// machine's list of processes does not.
func TestDockerSecretsAreInNoCommandLine(t *testing.T) {
	const file = `
steps:
  - name: deploy
    image: IMAGE
    environment: {TOKEN: {from_secret: token}}
    commands: ['test -n "$TOKEN"', {from_secret: script}]
    tmpfs: [{from_secret: path}]
    extra_hosts: [{from_secret: host}]
    dns_search: [{from_secret: domain}]
`
	plan, err := pipeline.Compile([]pipeline.File{{Path: ".slipway.yml", Data: []byte(strings.ReplaceAll(file, "IMAGE", runnertest.Image(t)))}},
		pipeline.Facts{Event: pipeline.EventPush, AnySecret: true, Repo: pipeline.RepoFacts{Owner: "octo", Name: "app", DefaultBranch: "main",
			Trust: pipeline.Trust{Network: true, Volumes: true, Security: true}},
			Commit: pipeline.CommitFacts{SHA: strings.Repeat("1", 40), Ref: "refs/heads/main", Branch: "main"}})
	if err != nil {
		t.Fatal(err)
	}
	word := strings.ToLower(ulid.Make().String())
	s := newDockerScenario(t)
	s.job.Workflow, s.job.Grace = plan.Workflows[0], time.Millisecond
	s.job.Secret = vault(map[string]string{"token": word, "script": "echo up; sleep 300; echo " + word, "path": "/" + word,
		"host": word + ".internal:192.0.2.1", "domain": word + ".internal"})
	s.start()
	s.printed("deploy", "up")
	seen := 0
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		line, err := os.ReadFile(p)
		if err != nil {
			continue // it has ended
		}
		if bytes.Contains(line, []byte("SLIPWAY_COMMAND_2")) {
			seen++
		}
		if bytes.Contains(line, []byte(word)) {
			t.Errorf("%s: %q", p, bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	if seen == 0 {
		t.Error("the step's shell is not among the machine's processes")
	}
	s.cancel(runner.ErrCancel)
	s.wait()
}
