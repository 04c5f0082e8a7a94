package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// slipway runs the program in dir, with the settings of this process, and returns
// its exit code and what it wrote.
func slipway(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	settings := slices.DeleteFunc(os.Environ(), func(v string) bool { return !strings.HasPrefix(v, "SLIPWAY_") })
	cmd := program(t.Context(), settings, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLintShowsThePlace(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, ".slipway.yml", "steps:\n  - name: x\n    image: y\n    comands: [a]\n")
	code, out, _ := slipway(t, dir, "lint")
	want := `.slipway.yml:4:5 error: ` + "`comands` is not a key of a step" + `
4 |     comands: [a]
  |     ^
        did you mean ` + "`commands`?\n"
	if code != 1 || out != want {
		t.Errorf("exit code %d, output:\n%s\nwant:\n%s", code, out, want)
	}
	code, out, _ = slipway(t, dir, "lint", "--format", "github")
	if want := "::error file=.slipway.yml,line=4,col=5::`comands` is not a key of a step%0Adid you mean `commands`?\n"; code != 1 || out != want {
		t.Errorf("exit code %d, output:\n%s", code, out)
	}
	code, out, _ = slipway(t, dir, "lint", "--format", "json")
	var got struct{ Problems pipeline.Problems }
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || len(got.Problems) != 1 || got.Problems[0].Line != 4 {
		t.Errorf("exit code %d, output:\n%s (%v)", code, out, err)
	}
}

func TestLintTellsWhyNot(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, ".slipway.yml", `
steps:
  - {name: test, image: busybox, commands: "true"}
  - {name: deploy, image: busybox, commands: "true", when: {event: push, branch: main}}
`)
	code, out, _ := slipway(t, dir, "lint", "--event", "push", "--branch", "x")
	for _, want := range []string{"runs  step test", "skip  step deploy", `no  branch is "x", wants main`, `yes event is "push", wants push`} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, output lacks %q:\n%s", code, want, out)
		}
	}
}

func TestLintWithoutAFile(t *testing.T) {
	if code, _, errs := slipway(t, t.TempDir(), "lint"); code != 1 || !strings.Contains(errs, "write a .slipway.yml") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestLintPlansWhatNoDeliveryAnnounces(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, ".slipway.yml", `
steps:
  - {name: nightly, image: busybox, commands: "true", when: {event: cron, cron: nightly}}
  - {name: docs, image: busybox, commands: "true", when: {path: "docs/**"}}
  - {name: mounted, image: busybox, commands: "true", volumes: ["/cache:/cache"]}
`)
	code, out, _ := slipway(t, dir, "lint")
	if code != 1 || !strings.Contains(out, ".slipway.yml:5:64 error: `volumes` needs the trust `volumes`") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	code, out, _ = slipway(t, dir, "lint", "--trust", "volumes", "--event", "cron", "--cron", "nightly")
	if code != 0 || !strings.Contains(out, "runs  step nightly") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	code, out, _ = slipway(t, dir, "lint", "--trust", "volumes", "--path", "src/main.go")
	if code != 0 || !strings.Contains(out, "skip  step docs") || !strings.Contains(out, `no  path is "src/main.go", wants docs/**`) {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	code, _, errs := slipway(t, dir, "lint", "--event", "psh")
	if code != 1 || !strings.Contains(errs, "there is no such event") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestSchemaIsPrinted(t *testing.T) {
	code, out, _ := slipway(t, t.TempDir(), "schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(out), &schema); err != nil || code != 0 || schema["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("exit code %d, $schema %v (%v)", code, schema["$schema"], err)
	}
}
