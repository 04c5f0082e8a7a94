package webui

import "github.com/dustin/go-humanize"

// Used says what the step used, once it has ended. What was not measured, as of a
// step that was too short for it, is a dash and never 0.
func (s stepView) Used() string {
	if !s.Status.Final() || s.StartedAt.IsZero() {
		return ""
	}
	cpu, memory := "–", "–"
	if s.CPU > 0 {
		cpu = formatDuration(s.CPU)
	}
	if s.PeakMemory > 0 {
		memory = humanize.IBytes(uint64(s.PeakMemory))
	}
	return "CPU " + cpu + ", memory " + memory
}
