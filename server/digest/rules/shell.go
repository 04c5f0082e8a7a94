package rules

// complaints are what shells and the system say at the end of a row.
const complaints = `(?:[Nn]ot found|[Pp]ermission denied|[Ss]yntax error.*|unbound variable|parameter (?:null or )?not set|` +
	`[Nn]o such file or directory|cannot execute.*|[Ee]xec format error|[Bb]ad (?:substitution|interpreter.*|fd number)|ambiguous redirect|` +
	`not a valid identifier|numeric argument required|[Tt]oo many arguments|[Ii]s a directory|division by 0.*|unexpected .+|` +
	`Text file busy|Argument list too long|No space left on device|Killed|Segmentation fault|Aborted|Bus error|Illegal instruction|` +
	`Floating point exception|Read-only file system|Connection refused|Could not resolve host.*|Operation not permitted|cannot .+)`

var shellRules = []rule{
	{ // a shell: "build.sh: line 3: tide: command not found"
		rank: trace, needles: []string{"sh: ", "environment: "},
		line:   re(`^(?:\S*(?:sh|bash|zsh|dash|ash)|\S+\.(?:sh|bash)|environment|main): (?:(?:line )?\d+: )?(.*` + complaints + `(?: \(core dumped\))?(?: .*)?)$`),
		title:  wholeRow,
		before: 3, after: 3,
	},
	{ // the same, of a script without an ending
		rank: trace, needles: []string{": line "},
		line:   re(`^(\S+: line \d+: .+)`),
		title:  wholeRow,
		before: 3, after: 3,
	},
	{ // what a shell says of a program that a signal ended
		rank: trace, needles: []string{"segmentation fault", "aborted", "bus error", "illegal instruction", "killed"},
		line:   re(`^((?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception|Killed)(?: +\(core dumped\))?)$`),
		before: 5,
	},
	{ // bats, as people read it
		rank: exact, needles: []string{"✗ "},
		line: re(`^ ✗ (.+)`),
		title: func(w *window, at int) string {
			name := batsName.ReplaceAllString(w.texts[at], "")
			if i := w.after(at, 4, batsFailed.MatchString); i >= 0 {
				return join(name, batsFailed.FindStringSubmatch(w.texts[i])[1])
			}
			return name
		},
		after: 6,
	},
	{ // shellcheck
		rank: exact, needles: []string{" line "},
		line: re(`^In (\S+ line \d+):$`),
		title: func(w *window, at int) string {
			where := shellcheckPlace.ReplaceAllString(w.texts[at], "$1:$2")
			if i := w.after(at, 6, shellcheck.MatchString); i >= 0 {
				return join(where, shellcheck.FindStringSubmatch(w.texts[i])[1])
			}
			return where
		},
		after: 4,
	},
	{ // perl's die
		rank: trace, needles: []string{" line "},
		line: re(`^(\S.* at \S+ line \d+\.)$`),
	},
	{ // git
		rank: tool, needles: []string{"fatal: "},
		line:   re(`^fatal: (.+)`),
		title:  wholeRow,
		before: 2, after: 2,
	},
	{ // a program: "cp: cannot stat 'x': No such file or directory"
		rank: errno, needles: []string{"no such file", "permission denied", "cannot ", "not found", "no space left", "connection refused", "could not resolve", "not permitted", "returned error: ", "curl: ("},
		line:   re(`^([\w./+-]+: (?:.*` + complaints + `|\(\d+\) .+))$`),
		before: 3, after: 3,
	},
	{ // anything that calls an error one
		rank: word, needles: []string{"error:", "fatal:", "error\x1b", "fatal\x1b"},
		line: re(`^(?:[Ee]rror|ERROR|[Ff]atal|FATAL|[Ff]atal error|##\[error\])(?: \[?\w+\]?)?: ?(\S.*)`),
		not: lazy(`(?i)^(?:error: (?:could not compile|aborting due to|test failed, to rerun|process didn't exit|pip's dependency resolver)|` +
			`errors?: *0\b|error: (?:none|null|false|no error|<nil>)\b)`),
		title:  wholeRow,
		before: 2, after: 6,
	},
}

var (
	batsName        = lazy(`^ ✗ `)
	batsFailed      = lazy("^   +`(.+)' failed")
	shellcheckPlace = lazy(`^In (\S+) line (\d+):$`)
	shellcheck      = lazy(`(SC\d{4}\b.*)$`)
)
