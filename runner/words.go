package runner

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// exitReason says how a container ended that did not exit with 0.
func exitReason(st ContainerState) string {
	var notes []string
	switch st.ExitCode {
	case 126:
		notes = append(notes, "command cannot be executed")
	case 127:
		notes = append(notes, "command not found")
	default:
		if name, ok := signals[st.ExitCode-128]; ok {
			notes = append(notes, name)
		}
	}
	reason := fmt.Sprintf("exit code %d", st.ExitCode)
	if len(notes) > 0 {
		reason += " (" + strings.Join(notes, ": ") + ")"
	}
	return reason
}

// Exit codes of a program that a signal has ended.
const (
	exitKilled     = 128 + 9
	exitTerminated = 128 + 15
)

// signals are what shells add 128 to when one ends a program.
var signals = map[int]string{
	2:  "interrupted",
	4:  "illegal instruction",
	6:  "aborted",
	7:  "bus error",
	8:  "arithmetic error",
	9:  "killed",
	11: "segmentation fault",
	13: "broken pipe",
	15: "terminated",
}

// memoryReason says that memory ran out; limit is in bytes, 0 if unknown.
func memoryReason(limit int64) string {
	if limit <= 0 {
		return "out of memory"
	}
	return fmt.Sprintf("out of memory (limit %s)", humanize.IBytes(uint64(limit)))
}

// A timeoutError is the cause with which a step or a job is stopped that takes
// too long.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return "timed out after " + duration(e.after) }

// duration writes d without units that are zero: "1h", "1m30s".
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
