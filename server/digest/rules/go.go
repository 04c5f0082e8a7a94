package rules

import (
	"strings"
)

var goRules = []rule{
	{ // the compiler, go vet, staticcheck, golangci-lint
		rank: exact, needles: []string{".go:", ".go\x1b"},
		line:   re(`^(?:vet: )?[\w@./\\-]+\.go:\d+:\d+: (.+)`),
		title:  func(w *window, at int) string { return strings.TrimPrefix(wholeRow(w, at), "vet: ") },
		before: 1, after: 6,
	},
	{ // go generate
		rank: exact, needles: []string{": running "},
		line:  re(`^\S+\.go:\d+: (running ".+": .+)`),
		title: wholeRow,
	},
	{ // what the compiler is not even asked about
		rank: exact, needles: []string{"import cycle", "is not in std", ": build constraints "},
		line:   re(`^\s*(imports .+: import cycle not allowed.*|package \S+(?: is not in std|: build constraints ).*)`),
		title:  wholeRow,
		before: 5,
	},
	{
		rank: exact, needles: []string{"--- fail: ", "=== fail: "},
		line:   re(`^\s*(?:---|===) FAIL: (.+)`),
		refine: goTestMessage, title: goTestTitle,
		before: 1, after: 10,
	},
	{
		rank: exact, needles: []string{"panic: ", "fatal error: ", "sigquit: ", "sigabrt: ", "sigsegv: "},
		line:  re(`^((?:panic|fatal error|SIG(?:QUIT|ABRT|SEGV)): .+)`),
		not:   lazy(`^fatal error: (?:.+ file not found|too many errors)`), // of a C compiler
		title: goPanicTitle,
		after: 10, long: true,
	},
	{
		rank: exact, needles: []string{"warning: data race"},
		line:  re(`^WARNING: (DATA RACE)`),
		title: goRaceTitle,
		after: 11, long: true,
	},
	{
		rank: tool, needles: []string{"fail\t", `fail\t`},
		line:   re(`^FAIL\t(.+)`),
		title:  goPackageTitle,
		before: 5,
	},
	{
		rank: tool, needles: []string{"go: "},
		line:  re(`^go: ((?:.+@.+: |.+requires .+|.+requires go|errors parsing|cannot |updates to go\.mod|inconsistent|missing|go\.mod file not found|.*unknown revision|.*no matching versions).*)`),
		not:   lazy(`^go: (?:downloading|finding|extracting|upgraded|added) `),
		after: 3,
	},
}

// wholeRow is a title that keeps the place in the source.
func wholeRow(w *window, at int) string { return strings.TrimPrefix(w.text(at), "./") }

var (
	goFrame    = lazy(`^\s+(\S+\.go:\d+)(?: \+0x[0-9a-f]+)?$`)
	goStandard = lazy(`(?:^|/src/)(?:runtime|testing|reflect|sync|internal|time)/|^_testmain\.go`)
	goAgain    = lazy(` \[recovered(?:, repanicked)?\]$`)
	goRunning  = lazy(`^\s+\S+ \([\dhms.]+\)$`)
	goDuration = lazy(`\s+(?:\(cached\)|[\d.]+s)$`)
	goNoReason = lazy(`^(?:FAIL|PASS|ok|\?|coverage:|exit status|# |=== |\s*--- )`)
)

// goPlace returns the file and line of the first frame of a stack, within the
// rows behind at, that is not of the standard library's inside; "" for none.
func (w *window) goPlace(at, n int) string {
	i := w.after(at, n, func(text string) bool {
		m := submatch(goFrame, text)
		return m != "" && !goStandard.MatchString(m)
	})
	if i < 0 {
		return ""
	}
	_, file := cutLast(submatch(goFrame, w.texts[i]), "/")
	return file
}

// goPanicTitle is the panic and where it was, or the tests that took too long.
func goPanicTitle(w *window, at int) string {
	title := goAgain.ReplaceAllString(w.text(at), "")
	if strings.Contains(title, "test timed out") {
		return join(title, w.text(w.after(at, 3, goRunning.MatchString)))
	}
	stack := w.after(at, 6, func(text string) bool { return strings.HasPrefix(text, "goroutine ") })
	if stack < 0 {
		return title
	}
	n := rowsAfter
	if end := w.after(stack, n, func(text string) bool { return text == "" }); end >= 0 {
		n = end - stack
	}
	return withPlace(title, w.goPlace(stack, n))
}

func withPlace(title, place string) string {
	if place == "" {
		return title
	}
	return title + " (" + place + ")"
}

// goRaceTitle is the two places that race.
func goRaceTitle(w *window, at int) string {
	first := at + 1
	second := w.after(first, 30, func(text string) bool { return strings.HasPrefix(text, "Previous ") })
	if second < 0 {
		return join("data race", w.text(w.after(at, 4, filled)))
	}
	access := func(i, n int) string {
		what, _, _ := strings.Cut(w.text(i), " at 0x")
		return strings.TrimSpace(strings.ToLower(what) + " at " + w.goPlace(i, n))
	}
	return join("data race", access(first, second-first)+", "+access(second, 30))
}

// goPackageTitle is the package and, if nothing else is known, the last that was
// said before it failed: a TestMain's reason to give up, for one.
func goPackageTitle(w *window, at int) string {
	name := goDuration.ReplaceAllString(strings.TrimPrefix(w.text(at), "FAIL\t"), "")
	if at == 0 || !w.output(at-1) || goNoReason.MatchString(w.texts[at-1]) {
		return name
	}
	return join(name, w.text(at-1))
}

// submatch returns what an expression's first group fits, "" if it does not.
func submatch(expression *expression, text string) string {
	if m := expression.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
