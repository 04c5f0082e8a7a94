package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// newUnkillable makes the job that survives its processes on the engine. Its
// steps count their beginnings in a folder of the machine.
func newUnkillable(t *testing.T) *runnertest.Unkillable {
	t.Helper()
	dir, image := t.TempDir(), runnertest.Image(t)
	file := filepath.Join(dir, "begun")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	u := &runnertest.Unkillable{Engine: newEngine(t), Server: "test" + randomID()}
	u.Begun = func() map[string]int {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		n := map[string]int{}
		for _, step := range strings.Fields(string(text)) {
			n[step]++
		}
		return n
	}
	u.Change = func(j *runner.Job) {
		count := pipeline.Mount{Kind: pipeline.MountHost, Source: dir, Target: "/count"}
		for n := range j.Steps() {
			j.Step(n+1).Image, j.Step(n+1).Volumes = image, []pipeline.Mount{count}
		}
	}
	t.Cleanup(func() { runnertest.CleanUp(t, u.Engine, map[string]string{runner.LabelServer: u.Server}) })
	t.Cleanup(func() { runnertest.CleanUp(t, u.Engine, map[string]string{runner.LabelServer: u.Server + "-other"}) })
	if err := u.MakeForeign(t.Context()); err != nil {
		t.Fatal(err)
	}
	return u
}

// TestDeath is a part of what runnertest does to its own engine at every point.
func TestDeath(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string][]runnertest.End{
		"probe":  {{At: "exec 1-1 1 after"}, {At: "listening 2-1 1 after"}},
		"start":  {{At: "start 3-1 1 after"}, {At: "done start/4/1 1 before"}},
		"retry":  {{At: "done attempt/5/2 1 before"}, {At: "done create-container/5/2 1 before"}},
		"output": {{At: "append 3 1 after"}, {At: "append 7 1 before"}},
		"end":    {{At: "stop 1-1 1 after"}, {At: "job ended 1 after"}, {At: "remove network 1 before"}},
		"leave":  {{At: "done start/3/1 1 after", Detach: runner.ErrDetach}, {At: "intend start/7/1 1 after", Detach: runner.ErrDetach}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, broken := newUnkillable(t).Run(t.Context(), ends...)
			for _, b := range broken {
				t.Errorf("promise %d: %s", b.Promise, b.Text)
			}
		})
	}
}
