package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// workTree makes a checkout with a pipeline in which IMAGE stands for the test
// image, and with a file that was never committed.
func workTree(t *testing.T, pipeline string) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, ".slipway.yml", strings.ReplaceAll(pipeline, "IMAGE", runnertest.Image(t)))
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "-b", "trunk", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writeFile(t, dir, "new.txt", "not committed\n")
	return dir
}

const threeSteps = `
steps:
  - {name: one, image: IMAGE, commands: [cat new.txt, echo one > one.txt]}
  - {name: two, image: IMAGE, commands: ['echo "two on $CI_COMMIT_BRANCH with $EXTRA"', 'ls']}
  - {name: three, image: IMAGE, commands: [exit 3]}
`

func wantOutput(t *testing.T, out string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestRunTakesTheWorkingTree(t *testing.T) {
	t.Parallel()
	code, out, errs := slipway(t, workTree(t, threeSteps), "run", "--env", "EXTRA=more")
	if code != 1 || errs != "" {
		t.Errorf("exit code %d, %s", code, errs)
	}
	wantOutput(t, out, "one  not committed", "two  two on trunk with more", "two  one.txt", "workflow main failure: step three failed: exit code 3")
}

func TestRunSomeSteps(t *testing.T) {
	t.Parallel()
	dir := workTree(t, threeSteps)
	code, out, _ := slipway(t, dir, "run", "--step", "two", "--branch", "x")
	if code != 0 || strings.Contains(out, "not committed") || strings.Contains(out, "one.txt") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	wantOutput(t, out, "two  two on x", "one  skipped  not asked for", "workflow main success")

	code, out, _ = slipway(t, dir, "run", "--from", "two")
	if code != 1 || strings.Contains(out, "one  +") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	wantOutput(t, out, "one  skipped  before two", "two  two on trunk", "three  failure")

	code, _, errs := slipway(t, dir, "run", "--step", "tow")
	if code != 1 || !strings.Contains(errs, "has no step tow; it has one, two, three") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestRunShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, ".slipway.yml", "steps:\n  - {name: x, image: y, comands: a}\n")
	code, _, errs := slipway(t, dir, "run")
	if code != 1 || !strings.Contains(errs, ".slipway.yml:2:25") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestRunKeepsTheWorkspace(t *testing.T) {
	t.Parallel()
	_, out, _ := slipway(t, workTree(t, threeSteps), "run", "--keep")
	m := regexp.MustCompile(`docker volume rm (slipway-\S+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the volume is not named:\n%s", out)
	}
	cli := runnertest.Docker(t)
	if _, err := cli.VolumeInspect(t.Context(), m[1]); err != nil {
		t.Errorf("the volume is not kept: %v", err)
	}
	if err := docker.New(cli, docker.Options{}).RemoveVolume(t.Context(), m[1]); err != nil {
		t.Error(err)
	}
}

func TestShellIsOpenedInTheStep(t *testing.T) {
	t.Parallel()
	dir := workTree(t, threeSteps)
	cmd := program(t.Context(), nil, "run", "--shell", "two", "--env", "EXTRA=more")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader("pwd; cat one.txt; echo \"$CI_STEP_NAME has $EXTRA\"\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantOutput(t, string(out), "a shell in step two", "/slipway/src\none\ntwo has more\n")
	if strings.Contains(string(out), "three") && !strings.Contains(string(out), "three  skipped") {
		t.Errorf("a step after the shell's ran:\n%s", out)
	}
}

func TestRunFeedsSecrets(t *testing.T) {
	t.Parallel()
	dir := workTree(t, `
steps:
  - name: use
    image: IMAGE
    environment: {TOKEN: {from_secret: token}}
    commands: ['test "$TOKEN" = "s3cret value"', 'echo "it is $TOKEN"']
`)
	code, _, errs := slipway(t, dir, "run")
	if code != 1 || !strings.Contains(errs, "token") {
		t.Errorf("without the secret: exit code %d: %s", code, errs)
	}
	writeFile(t, dir, "secrets", "# for tests\n\ntoken=s3cret value\n")
	code, out, errs := slipway(t, dir, "run", "--secret-file", "secrets")
	if code != 0 || strings.Contains(out, "s3cret") {
		t.Errorf("exit code %d: %s\n%s", code, errs, out)
	}
	wantOutput(t, out, "use  it is ********")
	writeFile(t, dir, "secrets", "token\n")
	code, _, errs = slipway(t, dir, "run", "--secret-file", "secrets")
	if code != 1 || !strings.Contains(errs, "secrets:1: write NAME=VALUE") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// A secret can stand for any value that a container gets. Neither the log nor the
// arguments of a shell tell it.
func TestRunPutsSecretsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	dir := workTree(t, `
services:
  - name: db
    image: IMAGE
    commands: [touch /tmp/ready, sleep 600]
    healthcheck: {from_secret: check}
steps:
  - name: use
    image: {from_secret: image}
    commands:
      - cat /proc/*/cmdline | tr '\0' ' ' | grep -c "hunte[r]2" || echo "no process tells"
      - {from_secret: script}
    depends_on: [db]
`)
	writeFile(t, dir, "secrets", "image="+runnertest.Image(t)+"\nscript=KEY=hunter2; echo \"key $KEY\"\ncheck=test -e /tmp/ready\n")
	code, out, errs := slipway(t, dir, "run", "--secret-file", "secrets")
	if code != 0 || strings.Contains(out, "hunter2;") {
		t.Errorf("exit code %d: %s\n%s", code, errs, out)
	}
	wantOutput(t, out, "use  no process tells", `use  + eval "$SLIPWAY_COMMAND_2"`, "use  key hunter2")
}

func TestRunIsInterrupted(t *testing.T) {
	t.Parallel()
	dir := workTree(t, "steps:\n  - {name: slow, image: IMAGE, commands: [echo waiting, sleep 600]}\n  - {name: next, image: IMAGE, commands: 'true'}\n")
	cmd := program(t.Context(), nil, "run")
	cmd.Dir = dir
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		fmt.Fprintln(&out, lines.Text())
		if strings.Contains(lines.Text(), "slow  waiting") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ends with %v", err)
	}
	wantOutput(t, out.String(), "canceling; once more kills", "slow  canceled", "next  canceled", "workflow main canceled")
}
