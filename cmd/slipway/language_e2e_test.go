package main

import (
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// jobs is each job's workflow and status, "a=success b=skipped".
func (b build) jobs() string {
	var out []string
	for _, j := range b.Jobs {
		out = append(out, j.Workflow+"="+j.Status)
	}
	return strings.Join(out, " ")
}

func TestMatrixWithAServiceThatBecomesHealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	// The service listens only after a while; the step must not start before.
	sha := w.push(r, w.files(`
matrix:
  GREETING: [hello, goodbye]
services:
  - name: web
    image: IMAGE
    commands:
      - mkdir -p /tmp/www && echo "${GREETING} from the service" > /tmp/www/index.html
      - usleep 700000
      - httpd -f -p 8000 -h /tmp/www
    ports: [8000]
  - name: db
    image: IMAGE
    commands: [usleep 300000, touch /tmp/ready, sleep 600]
    healthcheck: {command: "test -e /tmp/ready", interval: 100ms}
steps:
  - name: test
    image: IMAGE
    commands: wget -q -O- http://web:8000/ | grep "^${GREETING} from"
`))
	w.wantVerdict(r, sha, "success: passed in …")
	if got := w.build(r, 1).jobs(); got != "main (hello)=success main (goodbye)=success" {
		t.Errorf("jobs: %s", got)
	}
	w.wantLines(w.log(r, 1, 1, 3), "hello from the service")
	w.wantLines(w.log(r, 1, 2, 3), "goodbye from the service")
}

func TestPluginGetsItsSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.image = runnertest.PluginImage(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: publish
    image: IMAGE
    settings:
      repo: acme/app
      tags: [latest, "1.0"]
      dry-run: true
      build_args: {A: 1, B: [x]}
`))
	w.wantVerdict(r, sha, "success: passed in …")
	w.wantLines(w.log(r, 1, 1, 1), `PLUGIN_BUILD_ARGS={"A":1,"B":["x"]}`, "PLUGIN_DRY_RUN=true", "PLUGIN_REPO=acme/app", "PLUGIN_TAGS=latest,1.0")
}

func TestRetryTimeoutAndIgnoredFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: flaky
    image: IMAGE
    commands: test -e second || { touch second; exit 1; }
    retry: {attempts: 2}
  - name: slow
    image: IMAGE
    commands: sleep 600
    timeout: 1s
    failure: ignore
  - name: after
    image: IMAGE
    commands: echo after
`))
	w.wantVerdict(r, sha, "success: passed in …")
	b := w.build(r, 1)
	if got := b.steps(); got != "flaky=success slow=failure after=success" {
		t.Errorf("steps: %s", got)
	}
	if got := b.Jobs[0].Steps[1].Error; got != "timed out after 1s" {
		t.Errorf("the slow step: %s", got)
	}
	if log := w.log(r, 1, 1, 1); strings.Count(log, "+ test -e second") != 2 {
		t.Errorf("log of two attempts:\n%s", log)
	}
}

func TestWorkflowsDependOnEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	workflow := func(more, command string) string {
		return strings.ReplaceAll(more+"\nsteps:\n  - {name: x, image: IMAGE, commands: ['"+command+"']}\n", "IMAGE", w.image)
	}
	sha := w.push(r, map[string]string{
		".slipway/build.yml":  workflow("", "true"),
		".slipway/test.yml":   workflow("depends_on: [build]", "exit 1"),
		".slipway/docs.yml":   workflow("when: {path: docs/**}", "true"),
		".slipway/deploy.yml": workflow("depends_on: [test, {name: docs, optional: true}]", "true"),
		".slipway/tell.yml":   workflow("depends_on: [test]\nruns_on: [failure]", "true"),
		"src/a":               "1",
	})
	w.wantVerdict(r, sha, "failure: workflow test: step x failed: exit code 1")
	w.wantVerdict(r, w.push(r, map[string]string{"docs/a": "1"}), "failure: workflow test: …")
	first, second := w.build(r, 1).jobs(), w.build(r, 2).jobs()
	if want := "build=success deploy=skipped docs=success tell=success test=failure"; second != want {
		t.Errorf("a push that changes docs: %s, want %s", second, want)
	}
	// The first push made the branch: compared with what the default branch had, every file is new.
	if want := "build=success deploy=skipped docs=success tell=success test=failure"; first != want {
		t.Errorf("the first push: %s, want %s", first, want)
	}
	w.wantVerdict(r, w.push(r, map[string]string{"src/a": "2"}), "failure: workflow test: …")
	if third, want := w.build(r, 3).jobs(), "build=success deploy=skipped docs=skipped tell=success test=failure"; third != want {
		t.Errorf("a push that changes sources: %s, want %s", third, want)
	}
}

func TestPathFilterOfAPullRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	files := w.files(oneStep + "  - {name: docs, image: IMAGE, commands: ['true'], when: {event: pull_request, path: 'docs/**'}}\n" +
		"  - {name: code, image: IMAGE, commands: ['true'], when: {event: pull_request, path: 'src/**'}}\n")
	w.wantVerdict(r, w.push(r, files), "success: passed in …")
	head := w.pushChange(r, githubtest.Change{Branch: "feature", Files: map[string]string{"docs/a": "1"}})
	w.wantVerdict(r, head, "success: passed in …")
	// What main does meanwhile is not the pull request's.
	w.wantVerdict(r, w.push(r, map[string]string{"src/a": "1"}), "success: passed in …")
	w.openPull(r, githubtest.PullRequest{Title: "Docs", Head: "feature"})
	w.outcome("pull_request")
	w.waitBuild(r, 4, store.Success)
	if got := w.build(r, 4).steps(); got != "test=success docs=success code=skipped" {
		t.Errorf("steps: %s", got)
	}
}
