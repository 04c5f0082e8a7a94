package rules

import (
	"strings"
)

var (
	goFail    = lazy(`^\s*(?:---|===) FAIL: (?:\S+ )??(\S+)(?: \([\d.]+s\))?$`)
	goRun     = lazy(`^\s*=== (?:RUN|CONT|NAME) +(\S+)$`)
	goMessage = lazy(`^\s+[\w.-]+\.go:\d+:(?: (.+))?$`)
	// goWrong are words with which a test says that something is wrong; what it
	// only logs looks the same otherwise.
	goWrong = lazy(`(?i)\b(?:want|got|expected?|fail(?:ed|ure)?|errors?|unexpected|mismatch|diff|should|must|cannot|can't|could not|not equal|invalid|no such)\b|!=|\bError Trace:`)

	testifyTrace = lazy(`^\s+Error Trace:`)
	testifyError = lazy(`^\s+Error: +\t?(.+)`)
	testifySide  = lazy(`^\s+(expected|actual) *: (.+)`)
)

// goTestMessage finds what a test said that failed, from the row with its name:
// below it; above it with -v; and for a panic at the end of what is below.
func goTestMessage(w *window, at int) int {
	end := w.goTestEnd(at)
	if end < len(w.texts) && strings.HasPrefix(w.texts[end], "panic: ") {
		return end
	}
	failed := at // of tests with subtests the innermost that failed first
	for i := at + 1; i < end; i++ {
		if inner := submatch(goFail, w.texts[i]); strings.HasPrefix(inner, submatch(goFail, w.texts[failed])+"/") {
			failed = i
		}
	}
	for name := submatch(goFail, w.texts[failed]); name != ""; name, _ = cutLast(name, "/") {
		said := w.goSaidAbove(at, name)
		for i := failed + 1; i < end && submatch(goFail, w.texts[i]) == ""; i++ {
			if goMessage.MatchString(w.texts[i]) {
				said = append(said, i)
			}
		}
		if len(said) > 0 {
			return w.goWorst(said)
		}
		failed = max(at, w.before(failed, failed-at, goFail.MatchString))
	}
	return failed
}

// goTestEnd returns the row behind those that belong to a test below its name:
// they are indented, and under the headings of gotestsum reach to its next one.
func (w *window) goTestEnd(at int) int {
	heading := strings.HasPrefix(w.texts[at], "=== ")
	i := at + 1
	for ; i < len(w.texts) && w.output(i); i++ {
		switch text := w.texts[i]; {
		case strings.HasPrefix(text, "panic: "), strings.HasPrefix(text, "=== "):
			return i
		case !heading && !strings.HasPrefix(text, " "):
			return i
		}
	}
	return i
}

// goSaidAbove returns the messages that the test of that name wrote before the
// row at. Those of tests that run at once are mixed, with headings between them or,
// of `go test -json`, a name in each row.
func (w *window) goSaidAbove(at int, name string) (said []int) {
	of, isEvent := goEventOf(w.rows[at].Text)
	running := ""
	for i := range at {
		if event, ok := goEventOf(w.rows[i].Text); ok != isEvent {
			continue
		} else if ok {
			if event.Package != of.Package {
				continue
			}
			running = event.Test
		}
		if header := submatch(goRun, w.texts[i]); header != "" {
			running = header
			if header == name && strings.Contains(w.texts[i], "=== RUN") {
				said = nil // it runs once more
			}
		}
		if running == name && goMessage.MatchString(w.texts[i]) {
			said = append(said, i)
		}
	}
	return said
}

// goWorst returns the message that says what is wrong, by its words; else the
// last, as with it a test usually gives up.
func (w *window) goWorst(said []int) int {
	for _, i := range said {
		if goWrong.MatchString(w.texts[i]) || i+1 < len(w.texts) && testifyTrace.MatchString(w.texts[i+1]) {
			return i
		}
	}
	return said[len(said)-1]
}

// goTestTitle puts the test's name before its message.
func goTestTitle(w *window, at int) string {
	if name := submatch(goFail, w.texts[at]); name != "" {
		return join(name, w.goExample(at))
	}
	if event, ok := goEventOf(w.rows[at].Text); ok && event.Test != "" {
		return join(event.Test, w.goWords(at))
	}
	for i := at - 1; i >= 0; i-- {
		for _, heads := range []*expression{goFail, goRun} {
			if name := submatch(heads, w.texts[i]); name != "" {
				return join(name, w.goWords(at))
			}
		}
	}
	return w.goWords(at)
}

// goWords is what a message or a panic says. Where the message is testify's, its
// row has the place only.
func (w *window) goWords(at int) string {
	if strings.HasPrefix(w.texts[at], "panic: ") {
		return goPanicTitle(w, at)
	}
	place := strings.TrimSuffix(w.text(at), ":")
	if !goMessage.MatchString(w.texts[at]) || submatch(goMessage, w.texts[at]) != "" {
		return w.text(at)
	}
	i := w.after(at, 12, testifyError.MatchString)
	if i < 0 {
		return join(place, w.text(w.after(at, 1, filled)))
	}
	why := strings.TrimSuffix(strings.TrimSpace(submatch(testifyError, w.texts[i])), ":")
	for range 2 {
		if i = w.after(i, 2, testifySide.MatchString); i < 0 {
			break
		}
		m := testifySide.FindStringSubmatch(w.texts[i])
		why += ", " + m[1] + " " + m[2]
	}
	return join(place, why)
}

// goExample is what an example printed that failed, and what it should have.
func (w *window) goExample(at int) string {
	if at+1 >= len(w.texts) || w.texts[at+1] != "got:" {
		return ""
	}
	want := w.after(at+1, 40, func(text string) bool { return text == "want:" })
	if want < 0 {
		return ""
	}
	return "got " + w.text(at+2) + ", want " + w.text(w.after(want, 1, filled))
}

// cutLast cuts s around the last separator; before is "" if it has none.
func cutLast(s, separator string) (before, after string) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+len(separator):]
}
