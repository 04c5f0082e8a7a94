package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const examplesDir = "../../examples"

// examples returns the pipeline files of every example, by its folder's name.
func examples(t *testing.T) map[string][]File {
	t.Helper()
	entries, err := os.ReadDir(examplesDir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]File{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		files, err := Find(os.DirFS(filepath.Join(examplesDir, e.Name())))
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = files
	}
	return out
}

// TestExamples plans every example for every event, and asks the schema.
func TestExamples(t *testing.T) {
	schema := compileSchema(t)
	all := examples(t)
	for _, name := range []string{"go", "node", "matrix", "plugin", "retry", "paths", "optional", "failure", "monorepo"} {
		if len(all[name]) == 0 {
			t.Errorf("there is no example %s", name)
		}
	}
	for name, files := range all {
		t.Run(name, func(t *testing.T) {
			for _, kind := range EventKinds() {
				f := eventFacts(kind)
				if kind == EventTag {
					f = tagFacts()
				}
				plan, err := Compile(files, f)
				if err != nil {
					t.Fatalf("%s: %v", kind, lines(err))
				}
				if len(plan.Warnings) > 0 {
					t.Errorf("%s: warnings %v", kind, lines(plan.Warnings))
				}
			}
			for _, f := range files {
				if dialectOf(f.Path) != slipway {
					continue
				}
				if err := schema.Validate(instance(t, string(f.Data))); err != nil {
					t.Errorf("the schema refuses %s: %v", f.Path, err)
				}
			}
		})
	}
}

// ran returns the steps that run, as workflow/step.
func ran(t *testing.T, files []File, f Facts) []string {
	t.Helper()
	plan, err := Compile(files, f)
	if err != nil {
		t.Fatal(lines(err))
	}
	var out []string
	for _, w := range plan.Workflows {
		for _, s := range w.Steps {
			if w.Skip == "" && s.Skip == "" {
				out = append(out, w.Name+"/"+s.Name)
			}
		}
	}
	return out
}

// TestExamplesDoWhatTheySay has what the comments in the examples promise.
func TestExamplesDoWhatTheySay(t *testing.T) {
	all := examples(t)
	words := changed("docs/a.md", "README.md")
	said := changed("Makefile")
	said.Commit.Message = "build [all]"
	labelled := pullRequestFacts()
	labelled.PullRequest.Labels, labelled.Changed.Files = []string{"database"}, []string{"x.sql"}
	unknown := pushFacts()
	unknown.Changed.Unknown = "the commit before the push is gone"
	tests := []struct {
		name, example string
		facts         Facts
		want          []string
	}{
		{"go file", "paths", changed("a/b.go"), []string{"main/backend"}},
		{"words", "paths", words, nil},
		{"message", "paths", said, []string{"main/backend"}},
		{"nothing of a part", "paths", changed("Makefile"), nil},
		{"nothing", "paths", changed(), nil},
		{"snapshots", "paths", changed("web/a.snap", "web/b.snap"), nil},
		{"front and back", "paths", changed("web/a.ts", "go.mod"), []string{"main/backend", "main/frontend"}},
		{"label", "paths", labelled, []string{"main/migrations"}},
		{"unknown", "paths", unknown, []string{"main/backend", "main/frontend", "main/migrations"}},
		{"tag", "plugin", tagFacts(), []string{"main/release"}},
		{"push", "plugin", pushFacts(), []string{"main/image"}},
		{"api", "monorepo", changed("api/main.go"), []string{"api/test", "end-to-end/compose", "end-to-end/changelog"}},
		{"shared", "monorepo", changed("shared/x"), []string{"api/test", "end-to-end/compose", "end-to-end/changelog", "web/install", "web/test"}},
		{"matrix", "matrix", pushFacts(), []string{
			"main (1.25, postgres:16-alpine)/vet", "main (1.25, postgres:16-alpine)/test",
			"main (1.25, postgres:17-alpine)/vet", "main (1.25, postgres:17-alpine)/test",
			"main (1.26, postgres:16-alpine)/vet", "main (1.26, postgres:16-alpine)/test", "main (1.26, postgres:16-alpine)/race",
			"main (1.26, postgres:17-alpine)/vet", "main (1.26, postgres:17-alpine)/test", "main (1.26, postgres:17-alpine)/race",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.example+" "+tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ran(t, all[tt.example], tt.facts)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}
