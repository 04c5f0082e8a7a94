package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// standIns are the images of the examples and what stands in for each: nothing
// can be pulled in a test, and the names on the machine belong to its owner.
func standIns(t *testing.T) map[*regexp.Regexp]string {
	t.Helper()
	return map[*regexp.Regexp]string{
		regexp.MustCompile(`\b(golang|node|alpine(/git)?|curlimages/curl|golangci/golangci-lint):[^\s/]+`): runnertest.Image(t),
		regexp.MustCompile(`\bpostgres:[0-9][^\s,\]]*`):                                                    runnertest.ServiceImage(t),
		regexp.MustCompile(`\bwoodpeckerci/plugin-[^\s]+`):                                                 runnertest.PluginImage(t),
	}
}

// tools are the programs that the examples call, which say what they were asked
// and succeed; but the linter fails, and a build the first time in a repository
// that has the file flaky.
var tools = map[string]string{
	"gofmt": "exit 0", "pg_isready": "", "git": "",
	"go":            `[ "$1" != build ] || mkdir -p bin`,
	"npm":           `[ "$*" != "run build" ] || [ -e dist ] || { mkdir dist; [ ! -e flaky ]; }`,
	"golangci-lint": "exit 1",
}

// exampleTree makes a checkout of an example, with the scripts that it calls.
func exampleTree(t *testing.T, name string, scripts ...string) string {
	t.Helper()
	dir, from := t.TempDir(), filepath.Join("..", "..", "examples", name)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	images := standIns(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yml") {
			return err
		}
		text, err := os.ReadFile(path)
		for pattern, image := range images {
			text = pattern.ReplaceAllLiteral(text, []byte(image))
		}
		if err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	program := func(path, body string) {
		writeFile(t, dir, path, "#!/bin/sh\n"+body+"\n")
		if err := os.Chmod(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for tool, body := range tools {
		if body != "exit 0" {
			body = "echo \"" + tool + " $*\"\n" + body
		}
		program(filepath.Join(".tools", tool), body)
	}
	for _, s := range scripts {
		program(s, `echo "${0##*/} $*"`)
	}
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "-b", "main", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// TestExamplesRun runs every example on Docker, with stand-ins for its images.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		scripts []string // that are in the repository
		args    []string
		want    []string
	}{
		{"failure", []string{"remove-test-accounts"}, nil, []string{"lint  failure", "clean-up  remove-test-accounts", "tell  skipped", "workflow main success"}},
		{"go", nil, nil, []string{"vet  go vet ./...", "test  go test -race -count=1 ./...", "build  go build -trimpath", "workflow main success"}},
		{"matrix", nil, nil, []string{"race  go test -race ./...", "workflow main (1.26, slipway/busybox:service) #2 success", "race  skipped"}},
		{"monorepo", []string{"end-to-end", "api/x", "web/x"}, nil, []string{"test  go test ./...", "install  npm ci", "compose  end-to-end", "changelog  git log --oneline", "workflow end-to-end success"}},
		{"node", nil, nil, []string{"lint  npm run lint", "test  npm test", "build  npm run build", "workflow main success"}},
		{"optional", []string{"deploy"}, nil, []string{"test  go test", "deploy  deploy production", "notify  local/", "workflow notify success"}},
		{"paths", []string{"check-migrations", "web/x"}, nil, []string{"backend  go test", "frontend  npm test", "migrations  check-migrations", "workflow main success"}},
		{"paths", nil, []string{"--path", "README.md"}, []string{"no workflow matches the event"}},
		{"plugin", nil, nil, []string{"image  PLUGIN_DRY_RUN=false", `image  PLUGIN_LABELS={"org.opencontainers.image.source":`, "image  PLUGIN_REGISTRY=ghcr.io", "workflow main success"}},
		{"plugin", nil, []string{"--event", "tag", "--tag", "v1.2"}, []string{"release  PLUGIN_TITLE=1.2", "release  PLUGIN_FILES=dist/*", "image  skipped"}},
		// The other step is for a network.
		{"retry", []string{"flaky"}, []string{"--step", "build"}, []string{"attempt 2 of 2: attempt 1 failed: exit code 1", "build  npm run build", "workflow main success"}},
	}
	// Not pipelines of their own: what the manual tells of, and TestDemo.
	tested := map[string]bool{"compose": true, "systemd": true, "demo": true}
	for _, tt := range tests {
		tested[tt.name] = true
		t.Run(strings.Join(append([]string{tt.name}, tt.args...), " "), func(t *testing.T) {
			t.Parallel()
			dir := exampleTree(t, tt.name, tt.scripts...)
			args := append([]string{"run", "--env", "PATH=/slipway/src/.tools:/bin:/usr/bin:/sbin"}, tt.args...)
			code, out, errs := slipway(t, dir, args...)
			if code != 0 || errs != "" {
				t.Errorf("exit code %d, %s\n%s", code, errs, out)
			}
			wantOutput(t, out, tt.want...)
		})
	}
	entries, err := os.ReadDir(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !tested[e.Name()] {
			t.Errorf("the example %s is not run", e.Name())
		}
	}
}
