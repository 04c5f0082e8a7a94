package pipeline

import (
	"fmt"
	"strings"
	"testing"
)

// bombs are small files that stand for much. Each must end in a problem soon:
// a test of one that doesn't runs into go test's timeout or out of memory.
func bombs() map[string]string {
	lists := func(leaf string) string {
		var b strings.Builder
		b.WriteString("variables:\n  - &a0 " + leaf + "\n")
		for i := 1; i < 30; i++ {
			fmt.Fprintf(&b, "  - &a%d [%s]\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
		}
		return b.String()
	}
	maps := func() string {
		var b strings.Builder
		b.WriteString("variables:\n  - &m0 {k: v}\n")
		for i := 1; i < 30; i++ {
			prev := fmt.Sprintf("*m%d", i-1)
			fmt.Fprintf(&b, "  - &m%d {<<: [%s, %s, %s], k%d: v}\n", i, prev, prev, prev, i)
		}
		return b.String()
	}
	long := "variables:\n  - &s " + strings.Repeat("x", 500_000) + "\nsteps:\n  - name: a\n    image: b\n    commands: [" +
		strings.Repeat("*s,", 100_000) + "]\n"
	steps := "variables:\n  - &s {image: x}\nsteps:\n" + strings.Repeat("  - *s\n", 100_000)
	return map[string]string{
		"lists in settings":  lists("x") + "steps:\n  - {name: a, image: b, settings: {k: *a29}}\n",
		"lists as commands":  lists("x") + "steps:\n  - {name: a, image: b, commands: *a29}\n",
		"merged lists":       strings.ReplaceAll(lists("[x]"), "*", "<<: *") + "steps:\n  - {name: a, image: b, commands: *a29}\n",
		"merged maps":        maps() + "steps:\n  - {name: a, image: b, environment: *m29}\n",
		"long scalar":        long,
		"many steps":         steps,
		"many keys":          "labels:\n" + numbered("  k%d: v\n", 70_000) + "stepss: []\n",
		"many unknown keys":  numbered("commandz%d: v\n", 60_000),
		"many substitutions": "steps:\n  - name: a\n    image: b\n    settings:\n" + numbered("      k%d: '${CI_COMMIT_MESSAGE##*x*y}'\n", 18_000),
		"open expressions":   "steps:\n  - name: a\n    image: b\n    settings:\n      k: '" + strings.Repeat("${", 500_000) + "'\nx: 1\n",
		"nested expressions": "steps:\n  - name: a\n    image: b\n    settings:\n      k: '" + strings.Repeat("${CI_REPO:-", 90_000) + "'\nx: 1\n",
		"globs":              "when:\n  branch:\n" + numbered("    - '{%[1]da,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v}{a,b,c,d,e,f,g,h,i,j,k,l}{a,b,c,d,e,f,g,h,i}x'\n", 9_000),
		"dependencies":       dense(500),
		"matrix of steps":    matrixOf(256) + "variables:\n  - &s {image: x, commands: [a, b, c]}\nsteps:\n" + strings.Repeat("  - *s\n", 490),
		"matrix of text":     matrixOf(256) + "steps:\n  - image: x\n    commands:\n" + numbered("      - echo ${A} %d\n", 20_000),
		"matrix of messages": matrixOf(256) + "steps:\n  - image: x\n    settings:\n" + numbered("      k%d: '${CI_COMMIT_MESSAGE}'\n", 500),
		"axes":               "matrix:\n" + numbered("  A%d: [a, b, c, d, e, f, g, h]\n", 20_000) + oneStep(""),
		"values":             "matrix: {A: [" + strings.Repeat("a,", 200_000) + "]}\n" + oneStep(""),
		"expressions":        "when:\n" + numbered("  - evaluate: 'any(split(CI_COMMIT_MESSAGE, \"\"), # matches \"(x|y|%d)*z\")'\n", 9_000) + oneStep(""),
		"secrets":            "steps:\n  - image: x\n    settings:\n" + numbered("      k%d: {from_secret: a%[1]d}\n", 25_000),
		"paths":              "x: 1\nwhen:\n" + strings.Repeat("  - path: ['**/a*/**/b*/**/c*', '**/x*/**/y*/**/z*']\n", 15_000) + oneStep(""),
		"flow":               strings.Repeat("[", 1<<20),
		"blocks":             strings.Repeat("- ", 1<<19),
	}
}

// matrixOf is a matrix of n jobs.
func matrixOf(n int) string { return "matrix:\n  A: [" + strings.Repeat("a,", n) + "]\n" }

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// dense is n steps of which each depends on all the others.
func dense(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("s%d", i))
	}
	list := strings.Join(all, ",")
	return "variables:\n  - &all [" + list + "]\nsteps:\n" + numbered("  s%d: {image: x, depends_on: *all}\n", n)
}

func TestBombs(t *testing.T) {
	f := pushFacts()
	f.Commit.Message = strings.Repeat("xy ", 3000)
	for i := range 3000 {
		f.Changed.Files = append(f.Changed.Files, fmt.Sprintf("a/a/b/b/c/x/y/%d/%s", i, strings.Repeat("a/b/", 20)))
	}
	for name, text := range bombs() {
		t.Run(name, func(t *testing.T) {
			if len(text) > MaxFileBytes {
				t.Fatalf("%d bytes are more than a file may have", len(text))
			}
			_, err := Compile(single(text), f)
			ps, ok := err.(Problems)
			if !ok || len(ps) == 0 {
				t.Fatalf("got %v, want Problems", err)
			}
			if len(ps) > maxProblems+1 {
				t.Errorf("%d problems are told", len(ps))
			}
		})
	}
}

func TestParseBounds(t *testing.T) {
	filler := strings.Repeat("#", MaxFileBytes-100)
	var files []File
	for i := range 3 {
		files = append(files, File{Path: fmt.Sprintf(".slipway/%d.yml", i), Data: []byte(oneStep("") + filler)})
	}
	_, err := Parse(files)
	if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], ".slipway/2.yml: makes the pipeline files larger than 2048 KiB together") {
		t.Errorf("too much together: got %v", got)
	}
	if _, err := Parse(files[:2]); err != nil {
		t.Errorf("the most together: %v", err)
	}
	_, err = Parse([]File{{Path: ".slipway.yml", Data: make([]byte, MaxFileBytes+1)}})
	if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], ".slipway.yml: is larger than 1024 KiB") {
		t.Errorf("too large: got %v", got)
	}
	_, err = Parse(make([]File, MaxFiles+1))
	if got := lines(err); len(got) != MaxFiles+1 || !strings.Contains(got[MaxFiles], "is one of more than 100 pipeline files") {
		t.Errorf("too many: got %d problems", len(got))
	}
}
