package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// Usage implements runner.Engine.
func (e *Engine) Usage(ctx context.Context, containerID string) (runner.Usage, error) {
	answer, err := e.cli.ContainerStatsOneShot(ctx, containerID)
	if err != nil {
		return runner.Usage{}, wrap("measure", "container", containerID, err)
	}
	defer answer.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return runner.Usage{}, fmt.Errorf("measure container %s: %w", containerID, err)
	}
	if s.CPUStats.CPUUsage.TotalUsage == 0 {
		return runner.Usage{}, fmt.Errorf("measure container %s: it does not run", containerID)
	}
	return runner.Usage{CPU: time.Duration(s.CPUStats.CPUUsage.TotalUsage), PeakMemory: held(s.MemoryStats), PIDLimit: reached(s.PidsStats)}, nil
}

// reached is the limit on processes if they are up to it, or as close as they are
// when those that have just ended make room for the next; else 0.
func reached(p container.PidsStats) int64 {
	if p.Current < p.Limit-p.Limit/32 || p.Limit > math.MaxInt64 {
		return 0
	}
	return int64(p.Limit)
}

// held is the memory without the files that the kernel keeps and would give back.
// What cgroup v1 counts as the peak includes those, so that whatever reads or
// writes much seems to need its limit. Files in memory (tmpfs, shared memory) are
// not given back. See the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.
func held(m container.MemoryStats) int64 {
	files, ok := m.Stats["total_cache"] // cgroup v1, with those in memory
	inMemory := m.Stats["total_shmem"]
	if !ok {
		files, inMemory = m.Stats["file"], m.Stats["shmem"] // v2, likewise
	}
	return max(0, int64(m.Usage)-int64(files)+int64(inMemory))
}
