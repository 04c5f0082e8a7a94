package webui

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// Used says what the step used, once it has ended. What was not measured, as of a
// step that was too short for it, is a dash; nothing that ran used 0.0s.
func (s stepView) Used() string {
	if !s.Status.Final() || s.StartedAt.IsZero() {
		return ""
	}
	cpu, memory := "–", "–"
	switch {
	case s.CPU >= 100*time.Millisecond:
		cpu = formatDuration(s.CPU)
	case s.CPU > 0:
		cpu = fmt.Sprintf("%dms", max(1, s.CPU.Milliseconds()))
	}
	if s.PeakMemory > 0 {
		memory = humanize.IBytes(uint64(s.PeakMemory))
	}
	return "CPU " + cpu + ", memory " + memory
}
