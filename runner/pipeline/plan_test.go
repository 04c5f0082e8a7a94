package pipeline

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPlan compares the plan of every file in testdata/plan, made for a push to
// main, with the golden file beside it.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := ".slipway/" + filepath.Base(file)
			if strings.Contains(file, "woodpecker") {
				path = ".woodpecker/" + filepath.Base(file)
			}
			plan, err := Compile([]File{{Path: path, Data: data}}, pushFacts())
			if err != nil {
				t.Fatal(lines(err))
			}
			checkGolden(t, strings.TrimSuffix(file, ".yml")+".golden.json", plan)
		})
	}
}

func checkGolden(t *testing.T, file string, plan *Plan) {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(plan); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("plan (-want +got), -update writes it:\n%s", diff)
	}
}

func TestWorkflowNames(t *testing.T) {
	for path, want := range map[string]string{
		".slipway.yml": "main", ".slipway.yaml": "main", ".woodpecker.yaml": "main",
		".slipway/test.yml": "test", ".slipway/test.linux.yaml": "test.linux", ".woodpecker/.lint.yml": "lint",
	} {
		if got := workflowName(path); got != want {
			t.Errorf("%s is named %q, want %q", path, got, want)
		}
	}
	_, err := Compile([]File{{Path: ".slipway/..yml", Data: []byte(oneStep(""))}}, pushFacts())
	if diff := cmp.Diff([]string{".slipway/..yml: the file's name makes the workflow's name ``, which is empty; rename the file"}, lines(err)); diff != "" {
		t.Error(diff)
	}
}

func TestWorkflowDependsOn(t *testing.T) {
	files := []File{
		{Path: ".slipway/deploy.yml", Data: []byte("depends_on: [test, lint, test]\nruns_on: failure\n" + oneStep(""))},
		{Path: ".slipway/lint.yml", Data: []byte(oneStep(""))},
		{Path: ".slipway/test.yml", Data: []byte(oneStep(""))},
	}
	plan, err := Compile(files, pushFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	w := plan.Workflows[0]
	if diff := cmp.Diff([]string{"test", "lint"}, w.DependsOn); diff != "" {
		t.Errorf("depends on (-want +got):\n%s", diff)
	}
	if w.OnSuccess || !w.OnFailure {
		t.Errorf("runs on success %v, failure %v; want failure alone", w.OnSuccess, w.OnFailure)
	}
	if got := plan.Workflows[2].Environment["CI_WORKFLOW_NUMBER"]; got != "3" {
		t.Errorf("CI_WORKFLOW_NUMBER is %q", got)
	}
}

func TestWorkspace(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             string
	}{
		{"default", ".slipway.yml", "", "/slipway/src"},
		{"default of Woodpecker", ".woodpecker.yml", "", "/woodpecker/src/github.com/octo/app"},
		{"base alone", ".slipway.yml", "workspace: {base: /go}\n", "/go/src"},
		{"path alone", ".woodpecker.yml", "workspace: {path: a/../b}\n", "/woodpecker/b"},
		{"path is base", ".slipway.yml", "workspace: {path: .}\n", "/slipway"},
		{"variable", ".slipway.yml", "workspace: {path: 'src/${CI_REPO_NAME}'}\n", "/slipway/src/app"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.text + oneStep("settings: {dir: '${CI_WORKSPACE}'}")
			plan, err := Compile([]File{{Path: tt.path, Data: []byte(text)}}, pushFacts())
			if err != nil {
				t.Fatal(lines(err))
			}
			w := plan.Workflows[0]
			got := []string{w.Workspace.Dir(), w.Environment["CI_WORKSPACE"], w.Steps[0].Environment["PLUGIN_DIR"]}
			if diff := cmp.Diff([]string{tt.want, tt.want, tt.want}, got); diff != "" {
				t.Errorf("plan, variable, substituted (-want +got):\n%s", diff)
			}
		})
	}
}

// Names come from outside and must not lead out of the volume.
func TestWorkspaceStaysInside(t *testing.T) {
	f := pushFacts()
	f.Repo.Owner = "../../.."
	plan, err := Compile([]File{{Path: ".woodpecker.yml", Data: []byte(oneStep(""))}}, f)
	if err != nil {
		t.Fatal(lines(err))
	}
	if got := plan.Workflows[0].Workspace.Dir(); got != "/woodpecker/src" {
		t.Errorf("workspace is %s", got)
	}
}

// A Config may be planned many times: nothing of one event is left for the next.
func TestConfigIsReusable(t *testing.T) {
	c, err := Parse(single("when: {event: push}\n" + oneStep("environment: {E: '${CI_PIPELINE_EVENT}'}")))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Facts{pushFacts(), tagFacts(), pushFacts()} {
		plan, err := c.Plan(f)
		if err != nil {
			t.Fatal(lines(err))
		}
		w := plan.Workflows[0]
		if got := w.Steps[0].Environment["E"]; got != string(f.Event) {
			t.Errorf("E is %q for %s", got, f.Event)
		}
		if plan.Runs() != (f.Event == EventPush) {
			t.Errorf("Runs is %v for %s", plan.Runs(), f.Event)
		}
	}
}
