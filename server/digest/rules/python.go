package rules

import (
	"strings"
)

var pythonRules = []rule{
	{ // pytest
		rank: exact, needles: []string{"e   "},
		line:   re(`^E {3,}(\S.*)`),
		before: 5, after: 6,
	},
	{ // unittest
		rank: exact, needles: []string{"fail: ", "error: "},
		line: re(`^(?:FAIL|ERROR): (\w+ \([\w.]+\).*)`),
		title: func(w *window, at int) string {
			name := strings.TrimPrefix(strings.TrimPrefix(w.texts[at], "FAIL: "), "ERROR: ")
			why := w.after(at, 40, pythonError.MatchString)
			if strings.Contains(w.text(why), "Failed to import test module") { // for the reason that is below
				why = orSelf(w.after(why, 40, pythonError.MatchString), why)
			}
			return join(name, w.text(why))
		},
		after: 11, long: true,
	},
	{ // ruff, flake8, pylint, pycodestyle
		rank: exact, needles: []string{".py:", ".py\x1b"},
		line:  re(`^\S+\.pyi?:\d+:\d+: [A-Z]+\d+:? (.+)`),
		not:   lazy(`:\d+: [CRWI]\d{4}: `), // pylint's that are no errors
		title: wholeRow,
		after: 7,
	},
	{ // ruff, the long way
		rank: exact, needles: []string{"--> "},
		above:  lazy(`^(?:[A-Z]{1,6}\d{3,4}|SyntaxError|invalid-syntax)\b:? `),
		line:   re(`^\s*--> \S+\.pyi?:\d+:\d+$`),
		refine: func(_ *window, at int) int { return max(0, at-1) },
		title:  func(w *window, at int) string { return join(place(w, at+1), w.text(at)) },
		after:  8, long: true,
	},
	{
		rank: exact, needles: []string{"would reformat"},
		line:  re(`^(would reformat \S+)`),
		after: 4,
	},
	{ // pytest's and ruff's summary, pip
		rank: tool, needles: []string{"failed ", "error "},
		line:  re(`^((?:FAILED|ERROR) \S+(?:::\S+|\.py)(?: - .+)?)$`),
		after: 4,
	},
	{
		rank: trace, needles: []string{"group: "},
		line:  re(`^\s+\| ((?:\w+\.)*(?:Base)?ExceptionGroup: .+)`),
		after: 8,
	},
	{
		rank: tool, needles: []string{": no module named "},
		line: re(`^\S*python[\d.]*(?:\.exe)?: (No module named .+)`),
	},
	{
		rank: tool, needles: []string{"internalerror>"},
		line:  re(`^INTERNALERROR> (.+)`),
		after: 11,
	},
}

var (
	pythonError = lazy(`^(?:\w+\.)*\w*(?:Error|Exception|Failure|Interrupt|Exit|Warning)\b(?:: .*)?$`)
	arrow       = lazy(`^\s*--> (.+)$`)
)

// place is where an arrow points to, in the row at i.
func place(w *window, i int) string {
	if i >= len(w.texts) {
		return ""
	}
	if m := arrow.FindStringSubmatch(w.texts[i]); m != nil {
		return m[1]
	}
	return ""
}
