package webui

import (
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Used says what the step used, once it has ended. What was not measured, or
// would be 0.0s, is left out.
func (s stepView) Used() string {
	if !s.Status.Final() || s.StartedAt.IsZero() {
		return ""
	}
	var used []string
	if s.CPU >= time.Second/10 {
		used = append(used, "CPU "+formatDuration(s.CPU))
	}
	if s.PeakMemory > 0 {
		used = append(used, "memory "+humanize.IBytes(uint64(s.PeakMemory)))
	}
	return strings.Join(used, ", ")
}
