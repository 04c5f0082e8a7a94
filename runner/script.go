package runner

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// maxScript bounds a script in bytes. The kernel takes at most 128 KiB in one
// argument or environment variable.
const maxScript = 120 << 10

// scriptVariable is where a step with an entrypoint of its own may look for its
// commands, in base64, as it does in Woodpecker:
// entrypoint: [/bin/bash, -c, 'echo $CI_SCRIPT | base64 -d | /bin/bash -e'].
const scriptVariable = "CI_SCRIPT"

// script returns the shell script that runs a step's commands. One that is held
// waits at a gate first.
//
// The commands stand in it as they are, in one shell: what one sets the next
// has. Before each, marker tells the reader which one begins and how the one
// before it ended. A command that fails ends the script (set -e). The markers
// are a function call without any quotes, so that a command whose quotes don't
// match breaks in the way it would have without them, and an empty line before
// each keeps a backslash at a command's end from swallowing it.
//
// The script enters the working directory itself, because an engine that is
// told to would create it early, owned by root.
func script(commands []string, dir, nonce string, held bool) string {
	var b strings.Builder
	b.WriteString("exec 2>&1\nset -e\n")
	if held {
		b.WriteString(gateScript)
	}
	// As a rule it is there, and mkdir would be a process.
	fmt.Fprintf(&b, "[ -d %[1]s ] || mkdir -p %[1]s\ncd %[1]s\n", quote(dir))
	fmt.Fprintf(&b, "_slipway() { printf '\\033]%%s;%%s;%%s\\007\\n' %s \"$1\" \"$2\"; }\n",
		quote(markerBody(nonce)))
	end := ""
	if held && tellsEnd(commands) {
		fmt.Fprintf(&b, passedFunction, len(commands))
		end = passedCall
	}
	for i, c := range commands {
		status := "$?"
		if i == 0 {
			status = "-1"
		}
		// What `set -x` says of a marker goes nowhere.
		fmt.Fprintf(&b, "\n{ _slipway %d %s; } 2>/dev/null\n%s\n", i, status, c)
	}
	b.WriteString(end)
	return b.String()
}

// quote makes s one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// workDir returns the directory in which a step works.
func workDir(w pipeline.Workspace, s *pipeline.Step) string {
	if path.IsAbs(s.Directory) {
		return path.Clean(s.Directory)
	}
	return path.Join(w.Dir(), s.Directory)
}

// invocation is how a container is made to run a step.
type invocation struct {
	entrypoint []string
	cmd        []string
	script     string // for scriptVariable; empty if it is not needed
	workingDir string
}

// invoke decides how a step runs. Commands go to a shell as one argument, or to
// the step's own entrypoint in the same place; an entrypoint that mentions
// CI_SCRIPT gets them there instead. Without commands the image's own program
// runs, in the source tree unless it is a service that names no directory.
func invoke(w pipeline.Workspace, s *pipeline.Step, nonce string) (invocation, error) {
	if len(s.Commands) == 0 {
		in := invocation{entrypoint: s.Entrypoint, cmd: s.Args}
		if s.Kind != pipeline.KindService || s.Directory != "" {
			in.workingDir = workDir(w, s)
		}
		return in, nil
	}
	text := script(s.Commands, workDir(w, s), nonce, gated(s))
	in := invocation{entrypoint: s.Entrypoint, cmd: []string{text}}
	size := len(text)
	switch {
	case len(s.Entrypoint) == 0:
		in.entrypoint = []string{"/bin/sh", "-c"}
	case strings.Contains(strings.Join(s.Entrypoint, " "), scriptVariable):
		in.script, in.cmd = base64.StdEncoding.EncodeToString([]byte(text)), nil
		size = len(in.script)
	}
	if size > maxScript {
		return invocation{}, fmt.Errorf("the commands are too long: a script of %d KiB, at most %d KiB can be run; move them into a file of the repository",
			(size+1023)>>10, maxScript>>10)
	}
	return in, nil
}
