package rules

import (
	"regexp"
	"strings"
)

var goRules = []rule{
	{ // the compiler, go vet, staticcheck, golangci-lint
		rank: exact, needles: []string{".go:", ".go\x1b"},
		line:   re(`^(?:vet: )?[\w@./\\-]+\.go:\d+:\d+: (.+)`),
		title:  wholeRow,
		before: 1, after: 6,
	},
	{
		rank: exact, needles: []string{"--- fail: ", "=== fail: "},
		line:   re(`^\s*(?:---|===) FAIL: (.+)`),
		refine: goTestMessage, title: goTestTitle,
		before: 1, after: 6,
	},
	{
		rank: exact, needles: []string{"panic: ", "fatal error: "},
		line:  re(`^((?:panic|fatal error): .+)`),
		not:   regexp.MustCompile(`^fatal error: (?:.+ file not found|too many errors)`), // of a C compiler
		after: 10, long: true,
	},
	{
		rank: exact, needles: []string{"warning: data race"},
		line:  re(`^WARNING: (DATA RACE)`),
		title: withNext(func(string) string { return "data race" }),
		after: 11, long: true,
	},
	{
		rank: tool, needles: []string{"fail\t"},
		line:   re(`^FAIL\t(.+)`),
		before: 5,
	},
	{
		rank: tool, needles: []string{"go: "},
		line:  re(`^go: ((?:.+@.+: |.+requires .+|.+requires go|errors parsing|cannot |updates to go\.mod|inconsistent|missing|go\.mod file not found|.*unknown revision|.*no matching versions).*)`),
		not:   regexp.MustCompile(`^go: (?:downloading|finding|extracting|upgraded|added) `),
		after: 3,
	},
}

// wholeRow is a title that keeps the place in the source.
func wholeRow(w *window, at int) string { return strings.TrimPrefix(w.text(at), "./") }

var (
	goFail    = regexp.MustCompile(`^\s*(?:---|===) FAIL: (?:\S+ )??(\S+)(?: \([\d.]+s\))?$`)
	goRun     = regexp.MustCompile(`^\s*=== (?:RUN|CONT|NAME) +(\S+)$`)
	goMessage = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: (.+)`)
)

// goTestMessage finds what a test said that failed: below its name, or with -v
// above it. Of a test with subtests it is the first of these that failed.
func goTestMessage(w *window, at int) int {
	if at+1 < len(w.texts) && strings.HasPrefix(w.texts[at+1], "panic: ") {
		return at + 1
	}
	failed, said := at, -1
	for i := at + 1; i < len(w.texts) && w.output(i) && strings.HasPrefix(w.texts[i], " "); i++ {
		switch {
		case goFail.MatchString(w.texts[i]) && failed == at:
			failed, said = i, -1 // what the test itself said was said in passing
		case goMessage.MatchString(w.texts[i]) && said < 0:
			said = i
		}
	}
	if said >= 0 {
		return said
	}
	name := submatch(goFail, w.texts[failed])
	for i := at - 1; i >= 0 && w.output(i); i-- {
		if submatch(goRun, w.texts[i]) == name && goMessage.MatchString(w.texts[i+1]) {
			return i + 1
		}
	}
	return failed
}

// goTestTitle puts the test's name before its message.
func goTestTitle(w *window, at int) string {
	if name := submatch(goFail, w.texts[at]); name != "" {
		return name
	}
	for i := at - 1; i >= 0; i-- {
		for _, heads := range []*regexp.Regexp{goFail, goRun} {
			if name := submatch(heads, w.texts[i]); name != "" {
				return join(name, w.text(at))
			}
		}
	}
	return w.text(at)
}

// submatch returns what an expression's first group fits, "" if it does not.
func submatch(expression *regexp.Regexp, text string) string {
	if m := expression.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
