package rules

import (
	"strings"
)

var javaRules = []rule{
	{ // javac, kotlinc and checkstyle in Maven
		rank: exact, needles: []string{".java:[", ".kt:[", ".scala:", ".groovy:["},
		line:  re(`^\[ERROR\] (\S+\.(?:java|kt|scala|groovy):(?:\[\d+(?:,\d+)?\]|\d+:) .+)`),
		after: 4,
	},
	{ // surefire
		rank: exact, needles: []string{"<<< failure!", "<<< error!"},
		line: re(`^(?:\[ERROR\] +)?(\S.+?)(?: --)? +Time elapsed: .+ <<< (?:FAILURE|ERROR)!`),
		not:  lazy(`^(?:\[ERROR\] +)?Tests run:`),
		title: func(w *window, at int) string {
			name, _, _ := strings.Cut(strings.TrimPrefix(w.texts[at], "[ERROR]"), "Time elapsed")
			return join(strings.TrimRight(strings.TrimSpace(name), " -"), w.text(w.after(at, 1, filled)))
		},
		after: 6,
	},
	{ // kotlinc in Gradle
		rank: exact, needles: []string{"e: "},
		line:  re(`^e: ((?:file://)?\S+\.kts?:\d+:\d+:? .+)`),
		after: 3,
	},
	{ // tests in Gradle
		rank: exact, needles: []string{" failed"},
		line:  re(`^(\S.* > \S.*) FAILED$`),
		not:   lazy(`^> Task `),
		title: withNext(func(text string) string { return strings.TrimSuffix(text, " FAILED") }),
		after: 6,
	},
	{ // JUnit's own console
		rank: exact, needles: []string{"=> "},
		line:   re(`^\s+=> (\S+(?:Error|Exception|Failure)\S*.*)`),
		before: 2, after: 5,
	},
	{
		rank: exact, needles: []string{"exception in thread"},
		line:  re(`^Exception in thread "[^"]*" (.+)`),
		after: 8,
	},
	{
		rank: tool, needles: []string{"* what went wrong"},
		line:   re(`^(\* What went wrong:)`),
		refine: func(w *window, at int) int { return orSelf(w.after(at, 2, filled), at) },
		title: func(w *window, at int) string {
			return join(w.text(at), strings.TrimPrefix(w.text(w.after(at, 1, filled)), "> "))
		},
		after: 5,
	},
	{
		rank: tool, needles: []string{"[error] ", "[fatal] ", "error\x1b"},
		line:  re(`^\[(?:ERROR|FATAL)\] ((?:Failed to execute goal|Non-resolvable|Unknown lifecycle phase|No plugin found|The goal you specified|Malformed POM|Plugin \S+ or one of its dependencies|The project \S+ .*has \d+ error|'\S+' is missing).*)`),
		after: 4,
	},
	{ // a stack trace, which tests that pass print too
		rank: word, needles: []string{"exception", "error", "failure"},
		line:  re(`^((?:[a-z_]\w*\.){2,}[A-Z]\w*(?:Exception|Error|Failure)(?:: .*)?)$`),
		after: 6,
	},
}
