package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changed are facts of a push that changed these files.
func changed(files ...string) Facts {
	f := pushFacts()
	f.Changed.Files = files
	return f
}

func eventFacts(k EventKind) Facts {
	f := pushFacts()
	f.Event = k
	return f
}

// TestFilters has every filter that is not an event or a branch.
func TestFilters(t *testing.T) {
	many := []string{"a", "b", "c", "d", "e"}
	unknown := pushFacts()
	unknown.Changed.Unknown = "the commit before the push is gone"
	all := changed("docs/a")
	all.Commit.Message = "fix [ALL]"
	nightly := eventFacts(EventCron)
	nightly.Cron = "nightly"
	platform := pushFacts()
	platform.System.Platform, platform.System.Instance = "linux/arm64", "blue"
	pull := pullRequestFacts()
	pull.Changed.Files = []string{"src/a.go"}
	tests := []struct {
		name, when string
		facts      Facts
		skip       string
	}{
		{"ref", "{ref: refs/heads/*}", pushFacts(), ""},
		{"another ref", "{ref: refs/tags/v*}", pushFacts(), "ref is refs/heads/main, wants refs/tags/v*"},
		{"repo", "{repo: octo/*}", pushFacts(), ""},
		{"another repo", "{repo: {exclude: octo/app}}", pushFacts(), "repo is octo/app, wants anything but octo/app"},
		{"instance", "{instance: '*.example.com'}", pushFacts(), ""},
		{"instance that has a name", "{instance: ci.example.com}", platform, "instance is blue, wants ci.example.com"},
		{"platform", "{platform: [linux/*, darwin/*]}", platform, ""},
		{"platform that is not known", "{platform: linux/amd64}", pushFacts(), "platform is not known, wants linux/amd64"},
		{"cron", "{cron: night*}", nightly, ""},
		{"another cron", "{cron: weekly}", nightly, "cron is nightly, wants weekly"},
		{"cron without one", "{cron: weekly}", pushFacts(), ""},
		{"merge group", "{event: merge_group}", eventFacts(EventMergeGroup), ""},
		{"release", "{event: [release, deployment]}", eventFacts(EventRelease), ""},
		{"manual", "{event: manual}", eventFacts(EventManual), ""},
		{"closed", "{event: pull_request_closed}", eventFacts(EventPullRequestClosed), ""},

		{"path", "{path: 'src/**'}", changed("docs/a", "src/x/y.go"), ""},
		{"paths", "{path: ['*.md', 'src/**']}", changed("src/y.go"), ""},
		{"another path", "{path: 'src/*'}", changed("docs/a", "src/x/y.go"), "no changed file counts (docs/a, src/x/y.go), wants src/*"},
		{"many files", "{path: x}", changed(many...), "no changed file counts (a, b, c and 2 more), wants x"},
		{"path of a pull request", "{path: 'src/**'}", pull, ""},
		{"exclude", "{path: {exclude: 'docs/**'}}", changed("docs/a", "docs/b"), "no changed file counts (docs/a, docs/b), wants anything but docs/**"},
		{"exclude not all", "{path: {exclude: 'docs/**'}}", changed("docs/a", "x"), ""},
		{"exclude by two", "{path: {exclude: ['docs/**', x]}}", changed("docs/a", "x"), "no changed file counts (docs/a, x), wants anything but docs/** or x"},
		{"include and exclude", "{path: {include: '**/*.go', exclude: 'gen/**'}}", changed("gen/a.go"), "no changed file counts (gen/a.go), wants **/*.go, but not gen/**"},
		{"include and not all excluded", "{path: {include: '**/*.go', exclude: 'gen/**'}}", changed("gen/a.go", "README"), ""},
		{"no files", "{path: x}", changed(), ""},
		{"no files, on_empty", "{path: {include: x, on_empty: false}}", changed(), "no changed file counts (no files), wants x"},
		{"unknown files", "{path: {include: x, on_empty: false}}", unknown, ""},
		{"message", "{path: {include: x, ignore_message: '[all]'}}", all, ""},
		{"another message", "{path: {include: x, ignore_message: '[none]'}}", all, "no changed file counts (docs/a), wants x"},
		{"files of a tag", "{path: {include: x, on_empty: false}}", tagFacts(), ""},
		{"files of a schedule", "{path: {include: x, on_empty: false}}", nightly, ""},
		{"files of a merge group", "{path: x}", func() Facts { f := changed("y"); f.Event = EventMergeGroup; return f }(), "no changed file counts (y), wants x"},

		{"expression", `{evaluate: 'CI_PIPELINE_EVENT == "push" && CI_COMMIT_BRANCH == CI_REPO_DEFAULT_BRANCH'}`, pushFacts(), ""},
		{"false expression", `{evaluate: 'CI_COMMIT_AUTHOR != "mona"'}`, pushFacts(), "`CI_COMMIT_AUTHOR != \"mona\"` is false: CI_COMMIT_AUTHOR is \"mona\""},
		{"expression over what is not set", `{evaluate: 'SKIP != "true" and not (CI_COMMIT_TAG contains "v")'}`, pushFacts(), ""},
		{"expression with a predicate", `{evaluate: 'any(fromJSON(CI_PIPELINE_FILES), # startsWith "src/")'}`, changed("src/a"), ""},
		{"expression with a name", `{evaluate: 'let m = lower(CI_COMMIT_MESSAGE); m matches "^fix "'}`, pushFacts(), ""},
		{"matrix without one", "{matrix: {GO: 1.26}}", pushFacts(), "matrix.GO is not known, wants 1.26"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustCompile(t, "when: "+tt.when+"\n"+oneStep(""), tt.facts).Skip; got != tt.skip {
				t.Errorf("workflow's reason is %q, want %q", got, tt.skip)
			}
			if got := mustCompile(t, oneStep("when: "+tt.when), tt.facts).Steps[0].Skip; got != tt.skip {
				t.Errorf("step's reason is %q, want %q", got, tt.skip)
			}
		})
	}
}

// TestTraces has what the trace of a condition says that holds.
func TestTraces(t *testing.T) {
	unknown := pushFacts()
	unknown.Changed.Unknown = "the commit before the push is gone"
	tests := []struct {
		name, when string
		facts      Facts
		want       []Condition
	}{
		{"path", "{path: {include: [x, 'b*'], exclude: y}}", changed("a", "b1"),
			[]Condition{{Key: "path", Want: []string{"x", "b*", "not y"}, Got: "b1", Result: true}}},
		{"unknown files", "{path: x}", unknown,
			[]Condition{{Key: "path", Want: []string{"x"}, Got: "every file: the commit before the push is gone", Result: true}}},
		{"path of a tag", "{path: x}", tagFacts(), []Condition{{Key: "path", Want: []string{"x"}, Got: "no files, a tag", Result: true}}},
		{"cron of a push", "{cron: x}", pushFacts(), []Condition{{Key: "cron", Want: []string{"x"}, Got: "none, a push", Result: true}}},
		{"expression", "{evaluate: 'CI_REPO_NAME == \"app\" || X == \"\"'}", pushFacts(),
			[]Condition{{Key: "evaluate", Want: []string{`CI_REPO_NAME == "app" || X == ""`}, Got: `true: CI_REPO_NAME is "app", X is ""`, Result: true}}},
		{"order", "{evaluate: 'true', ref: '**', event: push}", pushFacts(), []Condition{
			{Key: "event", Want: []string{"push"}, Got: "push", Result: true},
			{Key: "ref", Want: []string{"**"}, Got: "refs/heads/main", Result: true},
			{Key: "evaluate", Want: []string{"true"}, Got: "true", Result: true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := mustCompile(t, "when: "+tt.when+"\n"+oneStep(""), tt.facts)
			if diff := cmp.Diff(tt.want, w.Why); diff != "" {
				t.Errorf("why (-want +got):\n%s", diff)
			}
		})
	}
}

// Woodpecker does not apply `matrix` to a whole workflow.
func TestMatrixFilterOfWoodpecker(t *testing.T) {
	text := "matrix: {A: [1, 2]}\nwhen: {matrix: {A: 1}}\n" + oneStep("when: {matrix: {A: 1}}")
	plan, err := Compile([]File{{Path: ".woodpecker.yml", Data: []byte(text)}}, pushFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	w := plan.Workflows[1]
	if w.Why != nil || w.Skip != "no step runs: matrix.A is 2, wants 1" {
		t.Errorf("skipped because %q, why %v", w.Skip, w.Why)
	}
}

func TestEvaluateProblems(t *testing.T) {
	for text, want := range map[string]string{
		`CI_REPO ==`:                    "unexpected token EOF (at column ",
		`CI_REPO`:                       "expected bool, but got string",
		`"a" + 1 == "b"`:                "invalid operation: + (mismatched types string and int)",
		`len(1..100000000) > 1`:         "`..` is not supported",
		`replace(CI_REPO, "", CI_REPO)`: "there is no such function (at column ",
		`repeat("x", 99) == ""`:         "there is no such function (at column ",
		`now().Year() > 1`:              "there is no such function (at column ",
		`[1][5] == 1`:                   "index out of range",
	} {
		_, err := Compile(single(oneStep("when: {evaluate: '"+text+"'}")), pushFacts())
		got := lines(err)
		if len(got) != 1 || !strings.HasPrefix(got[0], ".slipway.yml:4:22: the expression cannot be evaluated: ") || !strings.Contains(got[0], want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	_, err := Compile(single(oneStep("when: {evaluate: '"+strings.Repeat("true && ", 300)+"true'}")), pushFacts())
	if got := lines(err); len(got) != 1 || !strings.Contains(got[0], "the expression is longer than 2000 bytes") {
		t.Errorf("long: %q", got)
	}
}

// What an expression can do is bounded, whatever the message is.
func TestEvaluateBounds(t *testing.T) {
	f := pushFacts()
	f.Commit.Message = strings.Repeat("ab ", 10_000)
	doubling := `["xxxxxxxx"]`
	for range 40 {
		doubling = "map(" + doubling + ", # + #)"
	}
	lets := "let v0 = CI_COMMIT_MESSAGE; "
	for i := range 40 {
		lets += fmt.Sprintf("let v%d = v%d + v%d; ", i+1, i, i)
	}
	for name, text := range map[string]string{
		"nested predicates":   `all(split(CI_COMMIT_MESSAGE, ""), all(split(CI_COMMIT_MESSAGE, ""), # != "y"))`,
		"regular expressions": `all(split(CI_COMMIT_MESSAGE, ""), CI_COMMIT_MESSAGE matches "(a|b| )*y?")`,
		"doubling":            "len(" + doubling + "[0]) > 1",
		"doubling names":      lets + "true",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evaluate(text, factVariables(f), map[string]bool{}, new(int))
			if err == nil || !strings.Contains(err.Error(), errExpressionWork.Error()) {
				t.Errorf("got %.200v, want %v", err, errExpressionWork)
			}
		})
	}
}

// Files that would take too long to compare all count as changed.
func TestPathBounds(t *testing.T) {
	f := pushFacts()
	for i := range 10_000 {
		f.Changed.Files = append(f.Changed.Files, fmt.Sprintf("%s/%d", strings.Repeat("a/", 100), i))
	}
	var when strings.Builder
	for i := range 100 {
		fmt.Fprintf(&when, "  - path: '**/x%d*'\n", i)
	}
	w := mustCompile(t, "when:\n"+when.String()+oneStep(""), f)
	last := w.Why[len(w.Why)-1]
	if w.Skip != "" || last.Got != "every file: 10000 are too many to be compared" || w.Why[0].Result {
		t.Errorf("skipped because %.100q, first %.100v, last %v", w.Skip, w.Why[0], last)
	}
}

// A commit message is a value in an expression, never a part of it.
func TestEvaluateInjectsNothing(t *testing.T) {
	f := pushFacts()
	f.Commit.Message = `x" == "x" || "`
	for _, path := range []string{".slipway.yml", ".woodpecker.yml"} {
		_, err := Compile([]File{{Path: path, Data: []byte(oneStep(`when: {evaluate: '"${CI_COMMIT_MESSAGE}" == "y"'}`))}}, f)
		plan, _ := Compile([]File{{Path: path, Data: []byte(oneStep(`when: {evaluate: '"${CI_COMMIT_MESSAGE}" == "y"'}`))}}, f)
		if err == nil && plan.Workflows[0].Skip == "" {
			t.Errorf("%s: the message made the expression true", path)
		}
	}
}
