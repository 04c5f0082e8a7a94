package pipeline

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzCompile checks what holds for every file and every commit message: no
// panic, an error is Problems with places in the file, a plan is whole.
func FuzzCompile(f *testing.F) {
	seeds, err := filepath.Glob("testdata/plan/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range seeds {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), "Fix it", strings.Contains(file, "woodpecker"))
	}
	for _, value := range hostile {
		f.Add(oneStep("commands: ['${CI_COMMIT_MESSAGE}']\nsettings: {a: '${CI_COMMIT_MESSAGE/a/b}'}"), value, false)
	}
	f.Add("a: &a [*a]\n<<: *a\n", "", true)
	f.Add("steps: {a: {<<: [{image: x}, {image: y}], commands: [<<: [b]]}}", "", false)
	f.Add("steps: [{image: '${CI_COMMIT_SHA:3:-2}${CI_X', depends_on: [step-1]}]", "\x00\xff", true)
	f.Fuzz(func(t *testing.T, text, message string, compat bool) {
		if len(text) > 1<<14 {
			return // large files are TestBombs' business
		}
		path := ".slipway.yml"
		if compat {
			path = ".woodpecker.yml"
		}
		facts := pushFacts()
		facts.Commit.Message = message
		plan, err := Compile([]File{{Path: path, Data: []byte(text)}}, facts)
		if err != nil {
			checkProblems(t, err, text)
			return
		}
		checkPlan(t, plan)
	})
}

func checkProblems(t *testing.T, err error, text string) {
	var ps Problems
	if !errors.As(err, &ps) || len(ps) == 0 {
		t.Fatalf("error is %v, want Problems", err)
	}
	for _, p := range ps {
		if p.Warning || p.Message == "" || p.Line < 0 || p.Line > strings.Count(text, "\n")+2 || len(p.Text) > maxText+8 {
			t.Errorf("problem is %+v", p)
		}
	}
}

func checkPlan(t *testing.T, plan *Plan) {
	w := plan.Workflows[0]
	if len(w.Steps) == 0 {
		t.Error("no steps")
	}
	names := map[string]bool{}
	for _, s := range append(w.Services, w.Steps...) {
		if s.Name == "" || s.Image == "" && s.Skip == "" || names[s.Name] || s.Pull == "" || s.Failure == "" {
			t.Errorf("step is %+v", s)
		}
		names[s.Name] = true
	}
	for _, s := range w.Steps {
		for _, dep := range s.DependsOn {
			if !names[dep] || dep == s.Name {
				t.Errorf("%s depends on %s", s.Name, dep)
			}
		}
	}
	if _, err := json.Marshal(plan); err != nil {
		t.Errorf("marshal: %v", err)
	}
}

func BenchmarkCompile(b *testing.B) {
	data, err := os.ReadFile("testdata/plan/grammar.yml")
	if err != nil {
		b.Fatal(err)
	}
	files, facts := []File{{Path: ".slipway.yml", Data: data}}, pushFacts()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(files, facts); err != nil {
			b.Fatal(lines(err))
		}
	}
}
