package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustPlan plans one .slipway.yml.
func mustPlan(t *testing.T, text string, f Facts) *Plan {
	t.Helper()
	plan, err := Compile(single(text), f)
	if err != nil {
		t.Fatalf("Compile: %v", lines(err))
	}
	return plan
}

func jobNames(plan *Plan) []string {
	var out []string
	for _, w := range plan.Workflows {
		out = append(out, w.Name)
	}
	return out
}

func TestMatrixNames(t *testing.T) {
	tests := []struct {
		name, matrix string
		want         []string
	}{
		{"none", "~", []string{"main"}},
		{"one axis", "{GO: [1.25, 1.26]}", []string{"main (1.25)", "main (1.26)"}},
		{"one value", "{GO: tip}", []string{"main (tip)"}},
		{"product", "{os: [linux, mac], GO: [1, 2]}", []string{"main (linux, 1)", "main (linux, 2)", "main (mac, 1)", "main (mac, 2)"}},
		{"include", "{include: [{A: 1, B: x}, {B: y}]}", []string{"main (1, x)", "main (y)"}},
		{"the same twice", "{A: [x, x], B: ['y']}", []string{"main (x, y)", "main (x, y) #2"}},
		{"not a name", "{A: [" + strings.Repeat("x", 100) + ", 'b ']}", []string{"main (1)", "main (b )"}},
		{"variable", "{A: ['${CI_REPO_NAME}']}", []string{"main (app)"}},
		{"empty combination", "{include: [{}]}", []string{"main ()"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, jobNames(mustPlan(t, "matrix: "+tt.matrix+"\n"+oneStep(""), pushFacts()))); diff != "" {
				t.Errorf("jobs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatrixValues(t *testing.T) {
	const text = `
matrix:
  GO: [1.25, 1.26]
  DB: ['postgres:17', 'a; id']
labels: {platform: 'go${GO}'}
services: {db: {image: x, when: {matrix: {DB: 'postgres*'}}}}
steps:
  - name: test
    image: golang:${GO}
    commands: ['echo ${GO} ${DB}']
    environment: {URL: '${DB}/x'}
  - name: newest
    image: x
    when: {matrix: {GO: 1.26}}
`
	plan := mustPlan(t, text, pushFacts())
	w := plan.Workflows[3] // 1.26, "a; id"
	if diff := cmp.Diff(map[string]string{"GO": "1.26", "DB": "a; id"}, w.Matrix); diff != "" || w.BaseName() != "main" {
		t.Errorf("matrix of %s (-want +got):\n%s", w.BaseName(), diff)
	}
	if w.Environment["GO"] != "1.26" || w.Environment["CI_WORKFLOW_NAME"] != "main" || w.Environment["CI_WORKFLOW_NUMBER"] != "4" || w.Labels["platform"] != "go1.26" {
		t.Errorf("environment %v, labels %v", w.Environment, w.Labels)
	}
	s := w.Steps[0]
	if s.Image != "golang:1.26" || s.Environment["URL"] != "a; id/x" {
		t.Errorf("step is %+v", s)
	}
	// A value that a shell would read as more than a word is left to it.
	if s.Commands[0] != "echo 1.26 ${DB}" {
		t.Errorf("command is %q", s.Commands[0])
	}
	if got := plan.Workflows[0].Steps[1]; got.Skip != "matrix.GO is 1.25, wants 1.26" {
		t.Errorf("the step for 1.26 is skipped on 1.25 because %q", got.Skip)
	}
	if got := w.Services[0].Skip; got != "matrix.DB is a; id, wants postgres*" {
		t.Errorf("the service is skipped because %q", got)
	}
	if w.Steps[0].Services != nil || plan.Workflows[2].Steps[0].Services == nil {
		t.Error("a skipped service is waited for, or another is not")
	}
}

// A variable that only some combinations set is ours, and empty in the others.
func TestMatrixVariableThatIsNotSet(t *testing.T) {
	plan := mustPlan(t, "matrix: {include: [{A: 1}, {B: 2}]}\n"+oneStep("settings: {a: '[${A}${B:-none}]'}"), pushFacts())
	for i, want := range []string{"[1none]", "[2]"} {
		if got := plan.Workflows[i].Steps[0].Environment["PLUGIN_A"]; got != want {
			t.Errorf("job %d: got %q, want %q", i, got, want)
		}
	}
}

// A workflow's own `when` keeps combinations out.
func TestMatrixOfWorkflowWhen(t *testing.T) {
	text := "matrix: {os: [linux, mac], GO: [1, 2]}\nwhen: {matrix: {exclude: {os: mac, GO: 1}}}\n" + oneStep("")
	plan := mustPlan(t, text, pushFacts())
	var skips []string
	for _, w := range plan.Workflows {
		skips = append(skips, w.Skip)
	}
	if diff := cmp.Diff([]string{"", "", "matrix is os=mac, GO=1, wants anything but os=mac, GO=1", ""}, skips); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if c := plan.Workflows[0].Concurrency; c != nil {
		t.Errorf("concurrency is %v", c)
	}
}

func TestMatrixProblems(t *testing.T) {
	values := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("x,", n), ",") + "]" }
	tests := []struct{ matrix, want string }{
		{"[a]", "1:9: `matrix` must be a map, this is a list"},
		{"{A: []}", "1:13: `A` of the matrix has no values; add values, or remove it"},
		{"{a-b: [1]}", "1:10: `a-b` is not the name of a variable; use letters, digits and `_`"},
		{"{CI_REPO: [1]}", "1:10: `CI_REPO` is a variable that slipway sets; give it another name"},
		{"{A: [1], include: [{B: 1}]}", "1:27: a matrix has either `include` or lists of values; name all combinations in `include`, or remove it"},
		{"{include: {A: 1}}", "1:19: `include` must be a list of maps, this is a map"},
		{"{include: [1]}", "1:20: a combination must be a map, this is a single value"},
		{"{include: []}", "1:19: `include` is empty: the workflow would never run; add a combination, or remove `matrix`"},
		{"{A: " + values(16) + ", B: " + values(17) + "}", "1:9: the matrix makes 272 jobs (16 × 17), at most 256 are run; name the combinations that matter in `include`"},
		{"{A: " + values(64) + ", B: " + values(64) + ", C: " + values(10) + "}", "1:9: the matrix makes 40,960 jobs (64 × 64 × 10), at most 256 are run; name the combinations that matter in `include`"},
		{"{include: [" + strings.Repeat("{A: 1},", 257) + "]}", "1:19: the matrix makes 257 jobs, at most 256 are run; name the combinations that matter in `include`"},
	}
	for _, tt := range tests {
		_, err := Compile(single("matrix: "+tt.matrix+"\n"+oneStep("")), pushFacts())
		if diff := cmp.Diff([]string{".slipway.yml:" + tt.want}, lines(err)); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
	}
	var files []File
	for i := range 2 {
		files = append(files, File{Path: fmt.Sprintf(".slipway/%d.yml", i), Data: []byte("matrix: {A: " + values(129) + "}\n" + oneStep(""))})
	}
	_, err := Compile(files, pushFacts())
	if diff := cmp.Diff([]string{".slipway/1.yml: makes the jobs of the build more than 256; make a matrix smaller"}, lines(err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// What is wrong in every combination is told once.
func TestMatrixTellsProblemsOnce(t *testing.T) {
	_, err := Compile(single("matrix: {A: [1, 2, 3]}\n"+oneStep("comands: x\nimage: 'a ${A}'")), pushFacts())
	want := []string{
		".slipway.yml:5:5: `comands` is not a key of a step; did you mean `commands`?",
		".slipway.yml:6:5: `image` stands here twice, first on line 4; remove one of them",
	}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestDependenciesOfMatrix(t *testing.T) {
	files := []File{
		{Path: ".slipway/deploy.yml", Data: []byte("depends_on: [test, {name: lint, optional: true}, {name: test, optional: true}]\n" + oneStep(""))},
		{Path: ".slipway/test.yml", Data: []byte("matrix: {A: [1, 2]}\ndepends_on: build\n" + oneStep(""))},
		{Path: ".slipway/build.yml", Data: []byte("matrix: {B: [x, y]}\n" + oneStep(""))},
	}
	plan, err := Compile(files, pushFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	got := map[string][]string{}
	for _, w := range plan.Workflows {
		got[w.Name] = w.DependsOn
	}
	want := map[string][]string{
		"deploy": {"test (1)", "test (2)"}, "build (x)": nil, "build (y)": nil,
		"test (1)": {"build (x)", "build (y)"}, "test (2)": {"build (x)", "build (y)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
	files[0].Data = []byte("depends_on: [tests]\n" + oneStep(""))
	_, err = Compile(files, pushFacts())
	if diff := cmp.Diff([]string{".slipway/deploy.yml:1:14: there is no workflow `tests` to depend on; did you mean `test`?"}, lines(err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestDependenciesOfSteps(t *testing.T) {
	const text = `
services: {db: {image: x}, cache: {image: x}, old: {image: x, when: {event: tag}}}
steps:
  a: {image: x}
  b: {image: x, depends_on: [db]}
  c: {image: x, depends_on: [a, cache, db, db, old]}
  d: {image: x, depends_on: [{name: gone, optional: true}, {name: b, optional: true}]}
  e: {image: x, depends_on: [old]}
`
	type needs struct{ Steps, Services []string }
	got := map[string]needs{}
	for _, s := range mustCompile(t, text, pushFacts()).Steps {
		got[s.Name] = needs{s.DependsOn, s.Services}
	}
	want := map[string]needs{
		"a": {nil, []string{"db", "cache"}}, "b": {nil, []string{"db"}}, "c": {[]string{"a"}, []string{"cache", "db"}},
		"d": {[]string{"b"}, []string{"db", "cache"}}, "e": {nil, nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}
