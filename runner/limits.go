package runner

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// lower returns the limits of a step that asks for resources of its own: never
// more than the server's. notices tell the step's reader what it does not get.
func lower(l Limits, want *pipeline.Resources) (limits Limits, notices []string) {
	if want == nil {
		return l, nil
	}
	if want.CPUs > 0 {
		if l.CPUs > 0 && want.CPUs > l.CPUs {
			notices = append(notices, fmt.Sprintf("the step asks for %v CPUs and gets %v, the most that this server gives", want.CPUs, l.CPUs))
		} else {
			l.CPUs = want.CPUs
		}
	}
	if want.MemoryBytes > 0 {
		if l.MemoryBytes > 0 && want.MemoryBytes > l.MemoryBytes {
			notices = append(notices, fmt.Sprintf("the step asks for %s of memory and gets %s, the most that this server gives",
				humanize.IBytes(uint64(want.MemoryBytes)), humanize.IBytes(uint64(l.MemoryBytes))))
		} else {
			l.MemoryBytes = want.MemoryBytes
		}
	}
	return l, notices
}
