package runner

import (
	"strings"
	"time"
)

// A container ends tens of milliseconds after what it ran: the kernel takes its
// namespaces apart, then the engine its container. Nothing of the step runs any
// more in that time, so the steps that wait for it need not. A script that came to
// its end without a failure, and has neither a process left but itself nor a trap
// that may do something yet, says so; the step has passed then. That lets steps
// begin that run after a success. The step's result, and so the job's verdict, is
// still made of how the container ended.

// passedFunction defines what a script that says so ends with, passedCall. The
// second process beside the shell is the container's init. Its traps a shell tells
// to a file: in a subshell, where one would take down what it says, dash has none.
const passedFunction = `_slipway_passed() {
  [ "$1" = 0 ] || return "$1"
  { trap; echo none; } >/dev/shm/.slipway && read -r _slipway_trap </dev/shm/.slipway || return 0
  set -- /proc/[0-9]*
  [ "$_slipway_trap" != none ] || [ $# != 2 ] || _slipway %d 0
}
`

const passedCall = "\n{ _slipway_passed $?; } 2>/dev/null\n"

// tellsEnd reports whether passedCall may follow the commands: not where the
// last of them goes on until the script's end.
func tellsEnd(commands []string) bool {
	last := strings.TrimRight(commands[len(commands)-1], " \t\r\n")
	return !strings.Contains(last, "<<") && !strings.HasSuffix(last, "&") && !strings.HasSuffix(last, "|")
}

// pass tells the owner that the step has passed. It will be run again if it ends
// otherwise and asks for that, so that then nothing may begin before.
func (x *execution) pass() {
	if x.passed.IsZero() {
		x.passed = time.Now()
	}
	if x.step.plan.Retry == nil {
		x.run.events <- event{step: x.step, passed: true}
	}
}
