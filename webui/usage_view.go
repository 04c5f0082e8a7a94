package webui

import (
	"strings"

	"github.com/dustin/go-humanize"
)

// Used says what the step used, once it has ended. What was not measured, as of a
// step that was too short for it, is left out.
func (s stepView) Used() string {
	if !s.Status.Final() || s.StartedAt.IsZero() {
		return ""
	}
	var used []string
	if s.CPU > 0 {
		used = append(used, "CPU "+formatDuration(s.CPU))
	}
	if s.PeakMemory > 0 {
		used = append(used, "memory "+humanize.IBytes(uint64(s.PeakMemory)))
	}
	return strings.Join(used, ", ")
}
