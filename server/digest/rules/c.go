package rules

import (
	"strings"
)

var cRules = []rule{
	{ // gcc, clang, javac, mypy and whoever else names a place and says "error"
		rank: exact, needles: []string{"error: ", "error\x1b", "error:\x1b"},
		line:  re(`^(?:\[ERROR\] )?[^\s:][^:]*(?::\d+){1,2}: (?:fatal |internal compiler )?error: (.+)`),
		title: wholeRow,
		after: 4,
	},
	{ // the same, as MSVC and Boost write it
		rank: exact, needles: []string{"): "},
		line:  re(`^\S+\.\w+\(\d+(?:,\d+)?\): (?:fatal )?error\b.*: (.+)`),
		title: wholeRow,
		after: 4,
	},
	{ // ld
		rank: exact, needles: []string{"undefined reference to", "multiple definition of", "cannot find -l", "undefined symbol"},
		line:   re("^(?:\\S+: )*(?:\\S+: in function .+: ?|error: )?((?:undefined reference to|multiple definition of|cannot find -l|undefined symbol: ).+)"),
		before: 1, after: 4,
	},
	{
		rank: exact, needles: []string{"cmake error"},
		line:  re(`^CMake Error(?: at (.+))?: ?`),
		title: cmakeTitle,
		after: 7, long: true,
	},
	{ // GoogleTest
		rank: exact, needles: []string{": failure"},
		line:   re(`^(\S+:\d+: Failure)$`),
		title:  gtestTitle,
		before: 1, after: 7,
	},
	{ // Catch2, doctest
		rank: exact, needles: []string{": failed", ": error: "},
		line:   re(`^(\S+:\d+: (?:FAILED:|ERROR: (?:CHECK|REQUIRE).*))`),
		title:  withNext(strings.TrimSpace),
		before: 4, after: 7,
	},
	{
		rank: exact, needles: []string{"sanitizer: "},
		line:  re(`^(?:=+\d+=+ ?(?:ERROR|WARNING)|WARNING): ((?:Address|Leak|Memory|Thread|HWAddress)Sanitizer: .+?)(?: on (?:unknown )?address.*| \(pid=\d+\))?$`),
		after: 8, long: true,
	},
	{
		rank: exact, needles: []string{": runtime error: "},
		line:  re(`^\S+:\d+:\d+: runtime error: (.+)`),
		title: wholeRow,
		after: 6,
	},
	{
		rank: exact, needles: []string{"assertion "},
		line: re("^(\\S+: \\S+:\\d+: .*Assertion [`'].+' failed\\.?)"),
	},
	{
		rank: exact, needles: []string{"terminate called", "smashing detected", "free(): ", "corrupted ", "malloc(): "},
		line: re(`^(terminate called .+|\*\*\* stack smashing detected.*|(?:free|malloc|munmap_chunk)\(\): .+|corrupted (?:size|double).+|double free or corruption.*)`),
		title: func(w *window, at int) string {
			return join(w.text(at), strings.TrimPrefix(w.text(w.after(at, 1, cppWhat.MatchString)), "what():  "))
		},
		after: 3,
	},
	{ // ctest
		rank: tool, needles: []string{"***"},
		line:   re(`^\s*\d+/\d+ Test +#\d+: (\S+ \.*\*\*\*.+?) +[\d.]+ sec`),
		title:  func(w *window, at int) string { return ctestDots.ReplaceAllString(w.text(at), "$1: $2") },
		before: 0, after: 8, long: true,
	},
	{ // make, ninja
		rank: tool, needles: []string{"*** ", "failed: ", "ninja: error"},
		line:   re(`^(?:\S*make(?:\[\d+\])?: \*\*\* (.+)|FAILED: .+|ninja: error: .+)`),
		title:  func(w *window, at int) string { return w.text(at) },
		before: 5, after: 4,
	},
	{
		rank: tool, needles: []string{"collect2: error", "linker command failed"},
		line:   re(`^((?:collect2|clang(?:\+\+)?(?:-\d+)?|ld\.lld): error: .+)`),
		before: 4,
	},
}

var cppWhat = lazy(`^\s+what\(\):  `)

var ctestDots = lazy(`^\d+/\d+ Test +#\d+: (\S+) \.*\*\*\*(.+?) +[\d.]+ sec.*$`)

// cmakeTitle is the place and the message, which stands below it, indented.
func cmakeTitle(w *window, at int) string {
	head, message, _ := strings.Cut(strings.TrimPrefix(w.text(at), "CMake Error"), "): ")
	head = strings.TrimPrefix(head, " at ")
	if rest, ok := strings.CutPrefix(head, ": "); ok {
		return rest
	}
	head, _, _ = strings.Cut(head, " (")
	if message = strings.TrimSuffix(strings.TrimSpace(message), ":"); message == "" {
		message = w.text(w.after(at, 2, filled))
	}
	return join(head, message)
}

// gtestTitle is the test, the place and what was expected.
func gtestTitle(w *window, at int) string {
	place := strings.TrimSuffix(w.text(at), ": Failure")
	why := w.text(w.after(at, 1, filled))
	if run := w.before(at, 40, gtestRun.MatchString); run >= 0 {
		return join(strings.TrimSpace(gtestRun.ReplaceAllString(w.texts[run], "")), join(place, why))
	}
	return join(place, why)
}

var gtestRun = lazy(`^\[ RUN +\] `)
