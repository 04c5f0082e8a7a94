package main

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/dustin/go-humanize"
)

// littleShare is the percentage of free space below which it is time to look.
const littleShare = 10

// checkDisk looks at the file systems of the data and of the engine.
func (d *doctor) checkDisk(context.Context) (found findings) {
	d.checkSpace(&found, "the data", existing(d.config.Data), "SLIPWAY_DATA")
	if f := d.engine.Load(); f != nil {
		if isLocal(d.cli) {
			d.checkSpace(&found, "images and containers", f.info.DockerRootDir, "Docker's \"data-root\"")
		} else {
			found.ok("the engine is on another machine, whose disk was not looked at")
		}
	}
	return found
}

// existing is the nearest directory above path that is there.
func existing(path string) string {
	for {
		var st syscall.Stat_t
		if syscall.Stat(path, &st) == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// checkSpace looks at the file system that dir is on.
func (d *doctor) checkSpace(found *findings, what, dir, setting string) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		found.warn(fmt.Sprintf("cannot look at %s, where %s are: %v", dir, what, err), "run where the server runs, with that directory mounted")
		return
	}
	free, total := st.Bavail*uint64(st.Bsize), st.Blocks*uint64(st.Bsize)
	text := fmt.Sprintf("%s of %s free for %s in %s", humanize.IBytes(free), humanize.IBytes(total), what, dir)
	remedy := "remove what is not needed (docker image prune), or move it with " + setting + " to a larger disk"
	switch {
	case free < uint64(max(minFree, d.config.DiskFloor)):
		found.mend(text+": too little for builds", remedy)
	case free < total/100*littleShare:
		found.warn(text, remedy)
	// Some file systems make inodes as they need them, and say that they have none.
	case st.Files > 0 && st.Ffree < st.Files/100*littleShare/2:
		found.warn(fmt.Sprintf("%d of %d inodes free for %s in %s: files, however small", st.Ffree, st.Files, what, dir), remedy)
	default:
		found.ok(text)
	}
}
