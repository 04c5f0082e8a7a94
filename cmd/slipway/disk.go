package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"syscall"

	"github.com/docker/docker/client"
	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/server/queue"
)

// watchedDisk is the space that the queue looks after: that of the data
// directory, and of the engine where it is on this machine.
func watchedDisk(ctx context.Context, c config, cli client.APIClient, engine *docker.Engine, mirrors *source.Mirrors) (queue.Disk, error) {
	dirs := []string{c.Data}
	var stepsFree func() (int64, error)
	if isLocal(cli) {
		info, err := cli.Info(ctx)
		if err != nil {
			return queue.Disk{}, fmt.Errorf("ask the Docker engine where its data is: %w", err)
		}
		// A slipway in a container does not see it, and has the same disk or none.
		if _, err := freeBytes(info.DockerRootDir); err == nil && filepath.IsAbs(info.DockerRootDir) {
			dirs = append(dirs, info.DockerRootDir)
			stepsFree = func() (int64, error) { return freeBytes(info.DockerRootDir) }
		}
	}
	return queue.Disk{
		Floor:     int64(c.DiskFloor),
		Free:      func() (int64, error) { return fewestFree(dirs) },
		StepsFree: stepsFree,
		Reclaim: func(ctx context.Context) (bool, error) {
			if more, err := mirrors.EvictOldest(); more || err != nil {
				return more, err
			}
			return engine.ReclaimImage(ctx)
		},
	}, nil
}

func fewestFree(dirs []string) (int64, error) {
	fewest := int64(math.MaxInt64)
	for _, dir := range dirs {
		free, err := freeBytes(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		fewest = min(fewest, free)
	}
	return fewest, nil
}

// freeBytes returns what users other than root may still write below dir.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at %s: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// checkDisk fails when the data directory's file system is nearly full, and says
// so when there is too little room for builds.
func checkDisk(dir string, watched queue.Disk) error {
	free, err := freeBytes(dir)
	if err != nil {
		return err
	}
	if free < minFree {
		return fmt.Errorf("%d MiB free in %s", free>>20, dir)
	}
	if free, err = watched.Free(); err != nil {
		return err
	}
	if free < watched.Floor {
		return server.Notice(fmt.Sprintf("low: no job is claimed while less than %s is free (SLIPWAY_DISK_FLOOR)", humanize.IBytes(uint64(watched.Floor))))
	}
	return nil
}
