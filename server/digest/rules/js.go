package rules

import (
	"strings"
)

var jsRules = []rule{
	{ // tsc, and what checks with it
		rank: exact, needles: []string{"error ts", "error\x1b"},
		line:   re(`^\s*(?:\[\w+\] |ERROR in )?(?:.*\S(?:\(\d+,\d+\)|:\d+:\d+)(?:: | - ))?(error TS\d+: .+)`),
		title:  wholeRow,
		before: 0, after: 8, long: true,
	},
	{ // jest
		rank: exact, needles: []string{"●"},
		line:  re(`^\s*● (.+)`),
		not:   lazy(`● (?:Console|.*Warning:|.*[Dd]eprecat.*|Cannot log after tests are done.*|Process complete|process\.\w+ called.*)$`),
		title: withNext(func(text string) string { return strings.TrimSpace(strings.Replace(text, "●", "", 1)) }),
		after: 11, long: true,
	},
	{ // vitest
		rank: exact, needles: []string{"fail "},
		line:  re(`^\s*FAIL\s+(?:\|\S+\| +)?(\S+\.\S+ (?:> .+|\[ \S+ \]))$`),
		title: withNext(func(text string) string { return vitestName.ReplaceAllString(text, "") }),
		after: 11, long: true,
	},
	{ // mocha, cypress
		rank: exact, needles: []string{" failing"},
		line:   re(`^\s+\d+ failing\b`),
		refine: func(w *window, at int) int { return orSelf(w.after(at, 4, mochaCase.MatchString), at) },
		title:  mochaTitle,
		after:  11, long: true,
	},
	{ // playwright
		rank: exact, needles: []string{" › "},
		line:  re(`^\s+1\) ((?:\[\w[\w -]*\] › )?\S+:\d+:\d+ › .+?)[ ─]*$`),
		title: withNext(func(text string) string { return strings.Trim(playwrightName.ReplaceAllString(text, ""), " ─") }),
		after: 11, long: true,
	},
	{ // eslint
		rank: exact, needles: []string{"error ", "error\x1b"},
		line:   re(`^\s+\d+:\d+\s+error\s+(.+)`),
		before: 1, after: 4,
		title: eslintTitle,
	},
	{ // TAP: node --test, tap, ava, bats
		rank: exact, needles: []string{"not ok "},
		line:  re(`^\s*not ok \d+ (?:- )?(.+)`),
		not:   lazy(`(?i) # *(?:todo|skip)`),
		title: tapTitle,
		after: 10,
	},
	{ // node --test, as people read it
		rank: exact, needles: []string{"✖ failing", "failed tests:"},
		line:   re(`^(✖ failing tests:|Failed tests:)$`),
		refine: func(w *window, at int) int { return orSelf(w.after(at, 6, nodeTest.MatchString), at) },
		title:  withNext(func(text string) string { return nodeTest.ReplaceAllString(strings.TrimSpace(text), "$1") }),
		after:  10, long: true,
	},
	{ // webpack, esbuild
		rank: exact, needles: []string{"error in ", "✘ ["},
		line:  re(`^\s*(?:ERROR in|✘ \[ERROR\]) (.+)`),
		title: webpackTitle,
		after: 8, long: true,
	},
	{ // vite
		rank: exact, needles: []string{"error during build"},
		line:   re(`^(error during build:)`),
		refine: func(w *window, at int) int { return orSelf(w.after(at, 2, filled), at) },
		title:  func(w *window, at int) string { return w.text(at) },
		after:  6,
	},
	{ // an error that nobody caught: node, deno, bun; and Python's
		rank: trace, needles: []string{"error"},
		line:   re(`^((?:Uncaught )?(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)(?: \[\w+\])?: .+|AssertionError)$`),
		not:    lazy(`^(?:error|Error): (?:Process completed|Command failed)`),
		refine: nil, before: 6, after: 5,
	},
	{ // npm, pnpm, yarn
		rank: tool, needles: []string{"npm err", "npm \x1b", "npm\x1b"},
		line:  re(`^npm (?:ERR!|error) (.+)`),
		not:   lazy(`^npm (?:ERR!|error) (?:code|errno|path|syscall|dest|signal|command|workspace|location|cwd|node|npm) `),
		after: 6,
	},
	{
		rank: tool, needles: []string{"err_pnpm_", "elifecycle", "yn00", "error command failed"},
		line:   re(`^(?:\S+ )?(\s*(?:ERR_PNPM_\w+|ELIFECYCLE)\s+.+|➤ YN00(?:28|01|09|35): .+|error Command failed .+)`),
		before: 5, after: 4,
	},
}

var (
	vitestName     = lazy(`^\s*FAIL\s+(?:\|\S+\| +)?(?:\S+ > )?`)
	mochaCase      = lazy(`^\s+1\) `)
	mochaError     = lazy(`^\s+(?:(?:Uncaught )?\w*(?:Error|Exception)\b.*|.*expected .+)`)
	playwrightName = lazy(`^\s+1\) (?:\[[\w -]+\] › )?`)
	nodeTest       = lazy(`^✖ (.+?)(?: \([\d.]+ms\))?$`)
	tapError       = lazy(`^\s+(?:error|message): *['"|>]*-? *(.*?)['"]?$`)
	tapName        = lazy(`^\s*not ok \d+ (?:- )?`)
	batsError      = lazy("^#   `(.+)' failed")
	unindented     = lazy(`^\S`)
)

// orSelf returns found, or at if nothing was found.
func orSelf(found, at int) int {
	if found < 0 {
		return at
	}
	return found
}

// mochaTitle is the names of the suites and of the test, and the error.
func mochaTitle(w *window, at int) string {
	failed := w.after(at, 12, mochaError.MatchString)
	var names []string
	for i := at; i < len(w.texts) && (failed < 0 && i < at+3 || i < failed) && w.texts[i] != ""; i++ {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(w.text(i), "1) "), ":"))
	}
	return join(strings.Join(names, " › "), w.text(failed))
}

// eslintTitle puts the file's name, which stands above, before the message.
func eslintTitle(w *window, at int) string {
	fields := strings.Fields(w.texts[at])
	message := strings.Join(fields[2:], " ")
	if file := w.before(at, 30, unindented.MatchString); file >= 0 {
		return w.text(file) + ":" + fields[0] + ": " + message
	}
	return fields[0] + ": " + message
}

// tapTitle adds the error, which is in a block of YAML or in comments below.
func tapTitle(w *window, at int) string {
	name := tapName.ReplaceAllString(w.texts[at], "")
	if i := w.after(at, 12, batsError.MatchString); i >= 0 {
		return join(name, batsError.FindStringSubmatch(w.texts[i])[1])
	}
	i := w.after(at, 12, tapError.MatchString)
	if i < 0 {
		return name
	}
	if why := tapError.FindStringSubmatch(w.texts[i])[1]; why != "" {
		return join(name, why)
	}
	return join(name, w.sentence(w.after(i, 2, filled)))
}

// webpackTitle adds the error where the row has only the place of it.
func webpackTitle(w *window, at int) string {
	text := strings.TrimSpace(w.texts[at])
	for _, head := range []string{"ERROR in ", "✘ [ERROR] "} {
		if rest, ok := strings.CutPrefix(text, head); ok {
			if head == "ERROR in " {
				return join(rest, w.text(w.after(at, 1, filled)))
			}
			return rest
		}
	}
	return text
}
