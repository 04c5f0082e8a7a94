package rules

import (
	"strings"
)

var dockerRules = []rule{
	{ // BuildKit, at the step that failed
		rank: tool, needles: []string{" error: "},
		line:   re(`^#\d+ ERROR: (.+)`),
		title:  func(w *window, at int) string { return dockerTitle(dockerStep.ReplaceAllString(w.texts[at], "")) },
		before: 4, after: 2,
	},
	{ // BuildKit, at its end
		rank: tool, needles: []string{"failed to solve", "failed to build: "},
		line:   re(`^(?:(?i:error): )?(failed to (?:solve|build): .+)`),
		title:  func(w *window, at int) string { return dockerTitle(dockerEnd.ReplaceAllString(w.texts[at], "")) },
		before: 8, long: true,
	},
	{ // the builder before it
		rank: tool, needles: []string{"returned a non-zero code", "copy failed", "add failed"},
		line:   re(`^(?:Service '\S+' failed to build ?: )?((?:The command '.+' returned a non-zero code: \d+|(?:COPY|ADD) failed: .+))`),
		before: 5,
	},
	{
		rank: tool, needles: []string{"pull access denied", "manifest for", "manifest unknown", "dockerfile parse error", "error response from daemon", "docker daemon", "access to the resource is denied"},
		line: re(`^(?:docker: |ERROR: |Error: )?((?:Error response from daemon: .+|pull access denied for .+|manifest for \S+ not found.*|manifest unknown.*|` +
			`dockerfile parse error.+|Cannot connect to the Docker daemon.+|denied: requested access.+))`),
		before: 2, after: 2,
	},
}

var (
	dockerStep = lazy(`^#\d+ ERROR: `)
	dockerEnd  = lazy(`^(?:(?i:error): )?failed to (?:solve|build): (?:failed to solve: )?`)
	dockerRun  = lazy(`^process "(?:/bin/sh -c )?(.+)" did not complete successfully: (exit code: \d+)$`)
)

// dockerTitle says shorter which command failed in a RUN.
func dockerTitle(text string) string {
	if m := dockerRun.FindStringSubmatch(text); m != nil {
		return "RUN " + strings.ReplaceAll(m[1], `\"`, `"`) + ": " + m[2]
	}
	return text
}
