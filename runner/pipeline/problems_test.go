package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProblems(t *testing.T) {
	const step = "steps:\n  - {name: a, image: alpine, commands: 'true'}\n"
	tests := []struct {
		name string
		file string // ".slipway.yml" if empty
		text string
		want []string // without the file's name
	}{
		{"misspelt step key", "", "steps:\n  - name: a\n    image: alpine\n    comands: [x]\n",
			[]string{"4:5: `comands` is not a key of a step; did you mean `commands`?"}},
		{"swapped letters", "", "setps: []\n" + step,
			[]string{"1:1: `setps` is not a key of a workflow; did you mean `steps`?"}},
		{"key of another system", "", oneStep("script: [x]"),
			[]string{"4:5: `script` is not a key of a step; did you mean `commands`?"}},
		{"step's key on a service", "", "services:\n  - name: db\n    image: x\n    depends_on: a\n" + step,
			[]string{"4:5: `depends_on` is not a key of a service"}},
		{"keys that come later", "", "cache: [x]\n" + oneStep("artifacts: [x]\nreports: {junit: x}"),
			[]string{"1:1: `cache` is not a key of a workflow; known are `$schema`, `clone`, `concurrency`, `depends_on`, `labels`, `matrix`, `runs_on`, `services`, `skip_clone`, `steps`, `variables`, `when`, `workspace`", "5:5: `artifacts` is not a key of a step", "6:5: `reports` is not a key of a step"}},
		{"several in one pass", "", "steps:\n  - name: a\n    img: alpine\n    timeout: soon\n  - name: a\n    image: alpine\n    pull: sometimes\n",
			[]string{
				"2:5: step `a` has no image; add `image:` with the image to run it in",
				"3:5: `img` is not a key of a step; did you mean `image`?",
				"4:14: must be a duration, this is `soon`; write a number and its unit, for example `90s`, `10m` or `1h30m`",
				"5:11: the name `a` is taken already, on line 2; give one of the two another name",
				"7:11: `pull` cannot be `sometimes`; known are `always`, `false`, `if-not-present`, `never`, `true`",
			}},
		{"column counts runes", "", "steps:\n  - {name: \"äöü\", image: alpine, x: 1}\n",
			[]string{"2:34: `x` is not a key of a step"}},
		{"no steps", "", "labels: {a: b}\n",
			[]string{"1:1: the workflow has no steps; add `steps:` with a name, an image and commands"}},
		{"empty steps", "", "steps: []\n",
			[]string{"1:8: the workflow has no steps; add `steps:` with a name, an image and commands"}},
		{"empty file", "", "# nothing\n",
			[]string{": is empty; add `steps:` with a name, an image and commands"}},
		{"not a map", "", "- a\n", []string{"1:1: a workflow must be a map, this is a list"}},
		{"step is a word", "", "steps:\n  - make\n", []string{"2:5: a step must be a map, this is a single value"}},
		{"steps is a word", "", "steps: make\n", []string{
			"1:8: `steps` must be a list, or a map of names, of steps"}},
		{"duplicate key", "", "steps:\n  - name: a\n    image: alpine\n    image: debian\n",
			[]string{"4:5: `image` stands here twice, first on line 3; remove one of them"}},
		{"duplicate name in a map", "", "steps:\n  a: {image: alpine}\n  a: {image: alpine}\n",
			[]string{"3:3: `a` stands here twice, first on line 2; remove one of them"}},
		{"service and step of one name", "", "services: {a: {image: db}}\n" + step,
			[]string{"3:12: the name `a` is taken already, on line 1; give one of the two another name"}},
		{"name with a slash", "", "steps:\n  a/b: {image: alpine}\n",
			[]string{"2:3: the name `a/b` has `/` in it; use letters, digits, `-`, `_` and spaces"}},
		{"name with a dot", "", "steps:\n  a.b: {image: alpine}\n",
			[]string{"2:3: the name `a.b` has `.` in it; use letters, digits, `-`, `_` and spaces"}},
		{"service without a name", "", "services:\n  - image: db\n" + step,
			[]string{"2:5: a service has no name; add `name:`; the steps reach the service by it"}},
		{"service that is no host", "", "services: {my_db_: {image: db}}\n" + step,
			[]string{"1:12: the name `my_db_` of a service is not a host name; use letters, digits and `-`"}},
		{"image that is none", "", "steps: {a: {image: 'Alpine Linux'}}\n",
			[]string{"1:20: `Alpine Linux` is not the name of an image; write for example `alpine:3.22`"}},
		{"image of an unknown variable", "", "steps: {a: {image: 'go:${VERSION}'}}\n",
			[]string{"1:20: `go:${VERSION}` is not the name of an image; write for example `alpine:3.22`"}},
		{"depends on nothing known", "", "steps:\n  build: {image: x}\n  test: {image: x, depends_on: biuld}\n",
			[]string{"3:32: there is no step `biuld` to depend on; did you mean `build`?"}},
		{"depends on itself", "", "steps:\n  a: {image: x, depends_on: [a]}\n",
			[]string{"2:30: step `a` depends on itself; remove it"}},
		{"cycle", "", "steps:\n  a: {image: x, depends_on: c}\n  b: {image: x, depends_on: a}\n  c: {image: x, depends_on: b}\n",
			[]string{"2:29: steps wait for each other: a → c → b → a; remove one of these dependencies"}},
		{"two cycles", "", "steps:\n  a: {image: x, depends_on: b}\n  b: {image: x, depends_on: a}\n  c: {image: x, depends_on: [d, a]}\n  d: {image: x, depends_on: [c]}\n",
			[]string{
				"2:29: steps wait for each other: a → b → a; remove one of these dependencies",
				"4:30: steps wait for each other: c → d → c; remove one of these dependencies",
			}},
		{"settings and commands", "", oneStep("commands: [x]\nsettings: {a: b}"),
			[]string{"5:15: step `a` has both `commands` and `settings`; settings are for plugins, which run without commands; use `environment`"}},
		{"empty commands", "", oneStep("commands: []"),
			[]string{"4:15: `commands` of step `a` is empty; add a command, or remove the key to run what the image itself runs"}},
		{"unknown event", "", "when: {event: pull-request}\n" + step,
			[]string{"1:15: `pull-request` is not an event; did you mean `pull_request`?"}},
		{"unknown outcome", "", oneStep("when: {status: failed}"),
			[]string{"4:20: `failed` is not an outcome; did you mean `failure`?"}},
		{"filter that is none", "", "when: push\n" + step,
			[]string{"1:7: `when` must be a map, this is a single value"}},
		{"filter of nothing", "", "when: {branch: []}\n" + step,
			[]string{"1:16: is an empty list; name what it shall match, or remove the key"}},
		{"bad glob", "", "when: {branch: 'rel[ease'}\n" + step,
			[]string{"1:16: `rel[ease` is not a valid pattern; close every `[` and `{`, or write `\\[` for the character"}},
		{"glob that multiplies", "", "when: {branch: '{a,b}{a,b}{a,b}{a,b}'}\n" + step,
			[]string{"1:16: `{a,b}{a,b}{a,b}{a,b}` is too long a pattern; use several patterns, of at most 256 bytes and 3 {…} each"}},
		{"status of a workflow", "", "when: {status: failure}\n" + step,
			[]string{"1:16: `status` in a workflow's `when` has no meaning; use `runs_on`"}},
		{"runs on nothing", "", "runs_on: []\n" + step,
			[]string{"1:10: `runs_on` is empty: the workflow would never run; name `success`, `failure` or both"}},
		{"colon in a command", "", oneStep("commands:\n  - echo hello: world"),
			[]string{"5:9: must be a single value, this is a map; if it is one value, put it into quotes: the `: ` in it makes it a map"}},
		{"environment item without value", "", oneStep("environment: [HOME]"),
			[]string{"4:19: `HOME` has no value; write KEY=value"}},
		{"environment value is a list", "", oneStep("environment: {A: [1]}"),
			[]string{"4:22: must be a single value, this is a list"}},
		{"environment name", "", oneStep("environment: {'A B': 1}"),
			[]string{"4:19: `A B` is not a name of a variable; use letters, digits and _"}},
		{"secrets that are not known", "", oneStep("environment:\n  T: {from_secret: token}\nsettings:\n  p: {from_secret: pass}"),
			[]string{"5:24: there is no secret `token` for this event; add it to the secrets of the repository", "7:24: there is no secret `pass` for this event; add it to the secrets of the repository"}},
		{"one setting twice", "", oneStep("settings: {a-b: 1, a.b: 2}"),
			[]string{"4:24: `a.b` is PLUGIN_A_B, which another setting is already; remove one of them"}},
		{"boolean", "", oneStep("detach: maybe"), []string{"4:13: must be true or false, this is `maybe`"}},
		{"failure", "", oneStep("failure: ignor"), []string{"4:14: `failure` cannot be `ignor`; did you mean `ignore`?"}},
		{"depth", "", "clone: {depth: -1}\n" + step, []string{"1:16: must be a whole number, this is `-1`"}},
		{"depth is a word", "", "clone: {depth: all}\n" + step, []string{"1:16: must be a whole number, this is `all`"}},
		{"workspace", "", "workspace: {base: src, path: ../x}\n" + step, []string{
			"1:19: `base` must be an absolute path below /, this is `src`; write for example `/slipway`",
			"1:30: `path` must lead to a folder in `base`, this is `../x`; write for example `src`",
		}},
		{"syntax: colon", "", "steps:\n  - name: a: b\n",
			[]string{"2:12: is not valid YAML: mapping values are not allowed in this context; check the indentation, or put a value that has `: ` in it into quotes"}},
		{"syntax: tab", "", "steps:\n\t- name: a\n",
			[]string{"2:1: is not valid YAML: while scanning for the next token, found character that cannot start any token; indent with spaces, not with tabs"}},
		{"syntax: reserved", "", "steps: @a\n",
			[]string{"1:8: is not valid YAML: while scanning for the next token, found character that cannot start any token; put a value that begins with `@` into quotes"}},
		{"syntax: never closed", "", "labels: {a: b\nsteps: []\n",
			[]string{"2:6: is not valid YAML: while parsing a flow mapping that begins on line 1, did not find expected ',' or '}'"}},
		{"syntax: alias", "", "steps: *nope\n", []string{"1:8: is not valid YAML: unknown anchor 'nope' referenced"}},
		{"two documents", "", step + "---\n" + step,
			[]string{"3:1: has a second YAML document; make it a file of its own in .slipway/: a workflow is a file"}},
		{"not UTF-8", "", "steps:\n  - name: \"é\xff\"\n", []string{"2:13: has a byte that is no UTF-8; save the file as UTF-8"}},
		{"control character", "", "a: \x00\n", []string{"1:4: has the control character U+0000; remove it"}},
		{"contains itself", "", "variables: &v\n  - *v\n" + step, []string{"2:5: `*v` stands within what it stands for"}},
		{"nested", "", "variables: " + strings.Repeat("[", 101) + strings.Repeat("]", 101) + "\n" + step,
			[]string{"1:112: is nested more than 100 levels deep"}},

		{"Woodpecker: key of a filter that is unknown", ".woodpecker.yml", "when: {branch: {includes: x}}\n" + step,
			[]string{"1:17: `includes` is not a key of a filter; did you mean `include`?"}},
		{"Woodpecker: key of a path filter that is unknown", ".woodpecker.yml", "when: {path: {excludes: x}}\n" + step,
			[]string{"1:15: `excludes` is not a key of a path filter; did you mean `exclude`?"}},
		{"Woodpecker: filter that is unknown", ".woodpecker.yml", "when: {evnt: push}\n" + step,
			[]string{"1:8: `evnt` is not a key of `when`; did you mean `event`?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.file
			if path == "" {
				path = ".slipway.yml"
			}
			_, err := Compile([]File{{Path: path, Data: []byte(tt.text)}}, pushFacts())
			got := lines(err)
			for i := range got {
				got[i] = strings.TrimPrefix(strings.TrimPrefix(got[i], path+":"), " ")
			}
			for i, w := range tt.want {
				tt.want[i] = strings.TrimPrefix(w, ": ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProblemQuotesItsLine(t *testing.T) {
	_, err := Compile(single("steps:\r\n  - name: a\r\n    imgae: "+strings.Repeat("é", 200)+"\r\n"), pushFacts())
	ps, ok := err.(Problems)
	if !ok || len(ps) != 2 {
		t.Fatalf("got %v, want two problems", lines(err))
	}
	want := "    imgae: " + strings.Repeat("é", 94)
	if ps[1].Text != want {
		t.Errorf("text is %q, want %q", ps[1].Text, want)
	}
}

func TestProblemsOfSeveralFiles(t *testing.T) {
	files := []File{
		{Path: ".slipway/a.yml", Data: []byte("depends_on: [b, c, d]\nsteps: {x: {image: y}}\n")},
		{Path: ".slipway/b.yml", Data: []byte("steps: {\n")},
		{Path: ".slipway/c.yml", Data: []byte("depends_on: a\nsteps: {x: {}}\n")},
		{Path: ".slipway/c.yaml", Data: []byte("steps: {x: {image: y}}\n")},
	}
	_, err := Compile(files, pushFacts())
	want := []string{
		".slipway/a.yml:1:17: workflows wait for each other: a → c → a; remove one of these dependencies",
		".slipway/a.yml:1:20: there is no workflow `d` to depend on; did you mean `a`?",
		".slipway/b.yml:2:1: is not valid YAML: while parsing a flow node, did not find expected node content",
		".slipway/c.yml:2:9: step `x` has no image; add `image:` with the image to run it in",
		".slipway/c.yaml: makes the workflow `c`, as .slipway/c.yml does; rename one of the two files",
	}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestWoodpeckerWarnings(t *testing.T) {
	text := "clone:\n  git: {image: woodpeckerci/plugin-git, settings: {depth: 0, lfs: true, attempts: 3}}\n" +
		"when: {status: failure}\nsteps:\n  - name: a.b\n    image: x\n    comands: [y]\n"
	plan, err := Compile([]File{{Path: ".woodpecker/a.yml", Data: []byte(text)}}, pushFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	want := []string{
		".woodpecker/a.yml:2:73: `attempts` of the clone step has no effect; slipway fetches the source itself",
		".woodpecker/a.yml:3:16: `status` in a workflow's `when` has no meaning; use `runs_on`",
		".woodpecker/a.yml:7:5: `comands` is not a key of a step; did you mean `commands`?",
	}
	if diff := cmp.Diff(want, lines(plan.Warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Clone{Depth: CloneAll, LFS: true}, plan.Workflows[0].Clone); diff != "" {
		t.Errorf("clone (-want +got):\n%s", diff)
	}
}

// So many problems are told, and that there are more.
func TestMoreProblemsThanAreTold(t *testing.T) {
	for n, want := range map[int]string{
		maxProblems:      ".slipway.yml:53:5: `unknown49` is not a key of a step",
		maxProblems + 1:  ".slipway.yml:54:5: there are more problems than the 50 that are told, from here on; mend those first",
		40 * maxProblems: ".slipway.yml:54:5: there are more problems than the 50 that are told, from here on; mend those first",
	} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "    unknown%d: 1\n", i)
		}
		for _, matrix := range []string{"", "matrix: {A: [1, 2]}\n"} {
			_, err := Compile(single("steps:\n  - name: a\n    image: x\n"+b.String()+matrix), pushFacts())
			got := lines(err)
			if len(got) != min(n, maxProblems+1) || !strings.HasPrefix(got[len(got)-1], want) {
				t.Errorf("%d problems: told %d, the last %s", n, len(got), got[len(got)-1])
			}
		}
	}
}

// Warnings must not crowd out the error that says the plan is wrong.
func TestWarningsHideNoError(t *testing.T) {
	var b strings.Builder
	b.WriteString("steps:\n  - name: a\n    image: x\n")
	for i := range 3 * maxProblems {
		b.WriteString("    unknown" + strings.Repeat("x", i) + ": 1\n")
	}
	b.WriteString("    failure: perhaps\n")
	if _, err := Compile([]File{{Path: ".woodpecker.yml", Data: []byte(b.String())}}, pushFacts()); len(lines(err)) != 1 {
		t.Errorf("got %v, want the one error", lines(err))
	}
}

func TestOrderOfFewCandidates(t *testing.T) {
	if got := didYouMean("zzzzzz", []string{"b", "a"}); got != "known are `a`, `b`" {
		t.Errorf("got %q", got)
	}
}
