package rules

import (
	"strings"
)

var rustRules = []rule{
	{ // rustc
		rank: exact, needles: []string{"error["},
		line:  re(`^(error\[E\d+\]: .+)`),
		title: rustTitle,
		after: 9, long: true,
	},
	{ // rustc and clippy, where the error has no code
		rank: exact, needles: []string{"--> "},
		above:  lazy(`^error: `),
		line:   re(`^\s*--> \S+\.rs:\d+:\d+$`),
		refine: func(_ *window, at int) int { return max(0, at-1) },
		title:  rustTitle,
		after:  9, long: true,
	},
	{ // cargo test, and a program that panics
		rank: exact, needles: []string{"panicked at "},
		line:  re(`^thread '.+' (?:\(\d+\) )?panicked at (.+)`),
		title: panicTitle, after: 8,
	},
	{ // cargo nextest
		rank: exact, needles: []string{" fail [", "fail\x1b"},
		line:  re(`^\s+(?:TRY \d+ )?FAIL \[\s*[\d.]+s\] (?:\(.+\) )?(.+)`),
		after: 8,
	},
	{
		rank: exact, needles: []string{"diff in "},
		line:  re(`^(Diff in \S+:\d+:)$`),
		after: 8,
	},
	{
		rank: exact, needles: []string{"error: linking with"},
		line:  re(`^error: (linking with .+ failed: .+)`),
		after: 11, long: true,
	},
	{
		rank: tool, needles: []string{"test result: failed"},
		line:   re(`^(test result: FAILED.+)`),
		before: 6,
	},
}

var rustPanic = lazy(`^thread '(.+)' (?:\(\d+\) )?panicked at (?:'(.+)', )?(\S+?):?$`)

// rustTitle puts the place, to which an arrow points, before the error.
func rustTitle(w *window, at int) string {
	return join(place(w, orSelf(w.after(at, 4, arrow.MatchString), at)), w.text(at))
}

// panicTitle is the thread, which a test has for its name, and the message.
func panicTitle(w *window, at int) string {
	m := rustPanic.FindStringSubmatch(w.texts[at])
	if m == nil {
		return w.text(at)
	}
	message := m[2]
	if message == "" {
		message = w.text(w.after(at, 1, filled))
	}
	if message == "" {
		message = "panicked at " + m[3]
	}
	return join(m[1], strings.TrimSpace(message))
}
