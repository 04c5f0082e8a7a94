package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostile are values that outsiders choose.
var hostile = []string{
	"$(touch /tmp/owned)", "`id`", "a; id", "a && id", "a\nid", "\"; id; \"", "'; id; '", "a b", "x: y", "- x",
	"${CI_COMMIT_SHA}", "$HOME", "a=b", "~", "*", "#x", "|x", "\\", "{a,b}", "!x", "<(id)", "a'b",
}

func TestSubstitute(t *testing.T) {
	tests := []struct {
		in, plain, shell string
	}{
		{"no variables", "no variables", "no variables"},
		{"${CI_COMMIT_SHA}", "0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef01234567"},
		{"v${CI_COMMIT_SHA:0:8}-${CI_PIPELINE_NUMBER}.", "v01234567-12.", "v01234567-12."},
		{"${CI_REPO##*/} ${CI_REPO%/*} ${CI_REPO_NAME^^}", "app octo APP", "app octo APP"},
		{"${CI_REPO_URL/https/ssh} ${#CI_REPO_NAME}", "ssh://github.com/octo/app 3", "ssh://github.com/octo/app 3"},
		{"${CI_COMMIT_TAG:-${CI_COMMIT_SHA:0:4}}", "0123", "0123"},
		{"[${CI_COMMIT_TAG}]", "[]", "[]"},
		{"${CI_COMMIT_TAG:-none}", "none", "none"},
		// The shell's own.
		{"$CI_COMMIT_SHA $HOME $$ $(id) $1", "$CI_COMMIT_SHA $HOME $$ $(id) $1", "$CI_COMMIT_SHA $HOME $$ $(id) $1"},
		{"${HOME} ${X:-y} ${CI_MINE}", "${HOME} ${X:-y} ${CI_MINE}", "${HOME} ${X:-y} ${CI_MINE}"},
		{"${HOME:-${CI_REPO_NAME}} ${CI_COMMIT_TAG:-${V}}", "${HOME:-${CI_REPO_NAME}} ${CI_COMMIT_TAG:-${V}}", "${HOME:-${CI_REPO_NAME}} ${CI_COMMIT_TAG:-${V}}"},
		{"${CI_COMMIT_MESSAGE}", "Fix it", "${CI_COMMIT_MESSAGE}"},
		{"${CI_COMMIT_MESSAGE,,}", "fix it", "${CI_COMMIT_MESSAGE,,}"},
		{"${CI_STEP_NAME}", "${CI_STEP_NAME}", "${CI_STEP_NAME}"},
		// Escapes.
		{"$${CI_COMMIT_SHA}", "${CI_COMMIT_SHA}", "${CI_COMMIT_SHA}"},
		{"$$${CI_REPO_NAME}", "$$app", "$$app"},
		{"$$$${CI_REPO_NAME}", "$$${CI_REPO_NAME}", "$$${CI_REPO_NAME}"},
		{`\\ \/ $$x`, `\\ \/ $$x`, `\\ \/ $$x`},
		{"$${V-d} $${{ x }} $${a[0]}", "${V-d} ${{ x }} ${a[0]}", "${V-d} ${{ x }} ${a[0]}"},
		// Not closed, not a name.
		{"${CI_REPO_NAME", "${CI_REPO_NAME", "${CI_REPO_NAME"},
		{"${1} ${CI_REPO_NAME", "${1} ${CI_REPO_NAME", "${1} ${CI_REPO_NAME"},
		{"${" + strings.Repeat("x", maxExpression) + "}", "${" + strings.Repeat("x", maxExpression) + "}", "${" + strings.Repeat("x", maxExpression) + "}"},
	}
	s := newSubstituter(factVariables(pushFacts()), slipway)
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			for u, want := range map[use]string{plain: tt.plain, shell: tt.shell} {
				got, faults := s.expand(tt.in, u, false)
				if got != want || len(faults) > 0 {
					t.Errorf("use %d: got %q, %v; want %q", u, got, faults, want)
				}
			}
		})
	}
}

// In a command, what envsubst gets wrong is the shell's, and no problem.
func TestSubstituteLeavesOperatorsToTheShell(t *testing.T) {
	for _, expr := range []string{"${CI_COMMIT_TAG:+x}", "${CI_COMMIT_TAG:?x}", "${X:+y}", "${CI_COMMIT_SHA:3:-2}"} {
		plan, err := Compile(single(oneStep("commands: ['echo "+expr+"']")), pushFacts())
		if err != nil || len(plan.Warnings) > 0 {
			t.Fatalf("%s: %v, %v", expr, lines(err), lines(plan.Warnings))
		}
		if got := plan.Workflows[0].Steps[0].Commands[0]; got != "echo "+expr {
			t.Errorf("got %q, want it untouched", got)
		}
	}
}

// What envsubst cannot read stays in slipway's own files, with a warning, and
// is an error in those of other systems.
func TestSubstituteUnreadable(t *testing.T) {
	for _, expr := range []string{"${V-d}", "${{ github.sha }}", "${a[0]}", "${CI_COMMIT_TAG-d}", "${CI_COMMIT_TAG+d}", "${}", "${!x}"} {
		for _, body := range []string{"commands: ['x " + expr + "']", "settings: {a: 'x " + expr + "'}"} {
			plan, err := Compile(single(oneStep(body)), pushFacts())
			if err != nil {
				t.Fatalf("%s: %v", body, lines(err))
			}
			s := plan.Workflows[0].Steps[0]
			if got := strings.Join(s.Commands, "") + s.Environment["PLUGIN_A"]; got != "x "+expr {
				t.Errorf("%s: got %q, want it untouched", body, got)
			}
			if got := lines(plan.Warnings); len(got) != 1 || !strings.HasSuffix(got[0], "`"+expr+"` is left as it is: it is not well-formed; write `$"+expr+"` if that is what you mean") {
				t.Errorf("%s: warnings %q", body, got)
			}
			_, err = Compile([]File{{Path: ".woodpecker.yml", Data: []byte(oneStep(body))}}, pushFacts())
			if got := lines(err); len(got) != 1 || !strings.Contains(got[0], "`"+expr+"` cannot be replaced: it is not well-formed") {
				t.Errorf("%s: problems of Woodpecker's %q", body, got)
			}
		}
	}
}

// Woodpecker's files get what envsubst itself makes of them.
func TestSubstituteAsWoodpecker(t *testing.T) {
	tests := []struct{ in, plain, shell string }{
		{"a${HOME}b", "ab", "ab"},
		{"${V:-d} ${V=d} ${CI_REPO_NAME:+x} ${CI_COMMIT_TAG:+x}", "d d app x", "d d app x"},
		{"$${HOME} $$HOME $HOME", "${HOME} $HOME $HOME", "${HOME} $HOME $HOME"},
		{`a\/b`, "a/b", "a/b"},
		{`a\\b`, `a\b`, `a\b`},
		{"${V:-${CI_COMMIT_MESSAGE}}", "Fix it", "${V:-${CI_COMMIT_MESSAGE}}"},
	}
	s := newSubstituter(factVariables(pushFacts()), woodpecker)
	for _, tt := range tests {
		for u, want := range map[use]string{plain: tt.plain, shell: tt.shell} {
			got, faults := s.expand(tt.in, u, false)
			if got != want || len(faults) > 0 {
				t.Errorf("%s, use %d: got %q, %v; want %q", tt.in, u, got, faults, want)
			}
		}
	}
}

// Whoever pushes must not be able to run commands, to add keys or to break the
// file through what a variable holds.
func TestSubstituteInjectsNothing(t *testing.T) {
	const text = `
steps:
  - name: a
    image: alpine
    commands:
      - echo "${CI_COMMIT_MESSAGE}" ${CI_COMMIT_BRANCH//x/y} ${CI_COMMIT_AUTHOR:-${CI_COMMIT_MESSAGE}}
      - "echo ${CI_COMMIT_MESSAGE##x}"
    environment: {M: "${CI_COMMIT_MESSAGE}"}
  - name: b
    image: plugin
    settings: {m: "${CI_COMMIT_MESSAGE}", n: ["${CI_COMMIT_MESSAGE}"], o: {p: "${CI_COMMIT_MESSAGE}"}}
`
	commands := []string{
		`echo "${CI_COMMIT_MESSAGE}" ${CI_COMMIT_BRANCH//x/y} ${CI_COMMIT_AUTHOR:-${CI_COMMIT_MESSAGE}}`,
		`echo ${CI_COMMIT_MESSAGE##x}`,
	}
	for _, value := range hostile {
		t.Run(value, func(t *testing.T) {
			f := pushFacts()
			f.Commit.Message, f.Commit.Branch, f.Commit.Author = value, value, value
			w := mustCompile(t, text, f)
			if diff := cmp.Diff(commands, w.Steps[0].Commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if got := w.Steps[0].Environment["M"]; got != value {
				t.Errorf("environment has %q, want %q", got, value)
			}
			if got := w.Steps[1].Environment["PLUGIN_M"]; got != value {
				t.Errorf("setting is %q, want %q", got, value)
			}
		})
	}
}

func TestSubstituteBounds(t *testing.T) {
	f := pushFacts()
	f.Commit.Message = strings.Repeat("a", maxVariable)
	w := mustCompile(t, oneStep("commands: ['echo ${CI_COMMIT_MESSAGE##*b*c}']"), f)
	if got := w.Steps[0].Commands[0]; got != "echo ${CI_COMMIT_MESSAGE##*b*c}" {
		t.Errorf("got %.60q, want it left to the shell", got)
	}
	for _, tt := range []struct{ settings, problem string }{
		{"{a: '${CI_COMMIT_MESSAGE//a/${CI_COMMIT_MESSAGE}}'}", "4:19: `${CI_COMMIT_MESSAGE//a/${CI_COMMIT_MESSAGE}}`"},
		{"{a: [" + strings.Repeat("'${CI_COMMIT_MESSAGE}',", 257) + "]}", "4:5908: `${CI_COMMIT_MESSAGE}`"},
	} {
		_, err := Compile(single(oneStep("settings: "+tt.settings)), f)
		want := ".slipway.yml:" + tt.problem + " cannot be replaced: it is too much work; do it in a command"
		if got := lines(err); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	// What is common goes with the longest message.
	w = mustCompile(t, oneStep("settings: {a: '${CI_COMMIT_MESSAGE##x}', b: '${CI_COMMIT_MESSAGE//a/b}', c: '${CI_COMMIT_MESSAGE:0:3}'}"), f)
	if got := w.Steps[0].Environment["PLUGIN_B"]; got != strings.Repeat("b", maxVariable) {
		t.Errorf("got %.60q", got)
	}
}
