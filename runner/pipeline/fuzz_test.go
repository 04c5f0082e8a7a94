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
	for file, text := range seeds(f, "testdata/plan/*.yml") {
		f.Add(text, "Fix it", strings.Contains(file, "woodpecker"))
	}
	for _, value := range hostile {
		f.Add(oneStep("commands: ['${CI_COMMIT_MESSAGE}']\nsettings: {a: '${CI_COMMIT_MESSAGE/a/b}'}"), value, false)
	}
	f.Add("a: &a [*a]\n<<: *a\n", "", true)
	f.Add("matrix: {A: [1, 2], B: ['${CI_REPO}']}\nwhen: {evaluate: 'any(split(CI_COMMIT_MESSAGE, \" \"), # == A)', path: {include: a}}\nsteps: {a: {image: '${A}'}}", "x 1", false)
	f.Add(withSecrets, "", false)
	f.Add("services: {a: {image: x, ports: [1, 53/udp], healthcheck: {command: [a]}}}\nconcurrency: {limit: 2}\n"+oneStep("retry: {on: [infrastructure]}\nvolumes: ['/a:/b']\nresources: {memory: 1g}"), "", true)
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
		facts := trustedFacts()
		facts.Commit.Message, facts.Changed.Files = message, []string{"a", "b/c.go"}
		plan, err := Compile([]File{{Path: path, Data: []byte(text)}}, facts)
		if err != nil {
			checkProblems(t, err, text)
			return
		}
		checkPlan(t, plan)
	})
}

// seeds are the texts of files, by their paths.
func seeds(f *testing.F, pattern string) map[string]string {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files %s, %v", len(files), pattern, err)
	}
	texts := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		texts[file] = string(data)
	}
	return texts
}

// FuzzSubstitute checks that nothing makes it panic, that text without a dollar
// or a backslash stays, and that what reaches a shell has no more of a value in
// it than a word.
func FuzzSubstitute(f *testing.F) {
	for _, s := range []string{"${CI_COMMIT_MESSAGE}", "$${A}", "${A:-${CI_REPO}}", "${{ x }}", "${a[0]}", "${CI_REPO//o/${CI_COMMIT_MESSAGE}}", "${CI_REPO:1:-1}", `\\/`} {
		f.Add(s, "$(id)", true)
		f.Add(s, "a b", false)
	}
	f.Fuzz(func(t *testing.T, text, message string, ours bool) {
		d := woodpecker
		if ours {
			d = slipway
		}
		if len(text) > 1<<12 || strings.Contains(text, "OWNED") {
			return
		}
		vars := map[string]string{"CI_COMMIT_MESSAGE": "OWNED " + message, "CI_REPO": "octo/app"}
		for _, u := range []use{plain, shell} {
			got, faults := newSubstituter(vars, d).expand(text, u, false)
			if !strings.ContainsAny(text, "$\\") && (got != text || len(faults) > 0) {
				t.Errorf("%q became %q, %v", text, got, faults)
			}
			if u == shell && strings.Contains(got, "OWNED ") {
				t.Errorf("%q hands the message to a shell: %q", text, got)
			}
		}
	})
}

// FuzzEvaluate checks that no expression over a hostile message panics, and that
// all of them together stay within their budget.
func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{
		`CI_COMMIT_MESSAGE == "x"`, `any(split(CI_COMMIT_MESSAGE, " "), # matches "a+")`, `let a = CI_REPO + CI_REPO; a contains "x"`,
		`filter([1, 2], # > 1)[0] == 2`, `fromJSON("[1]")[0] == 1`, `get({"a": 1}, "a") == 1`, `CI_REPO?.x ?? true`, `1 in [1] and "a" startsWith "b"`,
	} {
		f.Add(s, "a b c")
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		if len(text) > maxExpressionText || len(message) > maxVariable {
			return
		}
		spent := 0
		// Whatever it is, it is a value or an error.
		_, _ = evaluate(text, map[string]string{"CI_COMMIT_MESSAGE": message, "CI_REPO": "octo/app"}, map[string]bool{}, &spent)
		if spent > maxExpressionWork {
			t.Errorf("%q spent %d", text, spent)
		}
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
