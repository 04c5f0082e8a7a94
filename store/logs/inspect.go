package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Inspection is what Inspect found.
type Inspection struct {
	Logs  int   // that there are
	Read  int   // of them, that were looked into
	Bytes int64 // on the disk
	// Damaged are the keys of finished logs that do not hold what was written.
	Damaged []string
}

// Inspect looks at the logs below dir and changes nothing; a Store may be open
// on it. It reads the newest, as many as newest says, and compares those that
// are finished with their checksums.
func Inspect(ctx context.Context, dir string, newest int) (Inspection, error) {
	found, files, err := survey(ctx, dir)
	if err != nil {
		return found, fmt.Errorf("look through the logs: %w", err)
	}
	slices.SortFunc(files, func(a, b logFile) int { return b.changed.Compare(a.changed) })
	for _, f := range files[:min(newest, len(files))] {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		whole, err := verify(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // it was removed meanwhile
		case err != nil:
			return found, fmt.Errorf("read log: %w", err)
		case !whole:
			key, _ := filepath.Rel(dir, strings.TrimSuffix(f.path, logSuffix))
			found.Damaged = append(found.Damaged, filepath.ToSlash(key))
		}
		found.Read++
	}
	return found, nil
}

type logFile struct {
	path    string
	changed time.Time
}

// survey lists the sealed logs below dir.
func survey(ctx context.Context, dir string) (found Inspection, files []logFile, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		found.Bytes += info.Size()
		if strings.HasSuffix(path, logSuffix) {
			found.Logs++
			files = append(files, logFile{path, info.ModTime()})
		}
		return nil
	})
	return found, files, err
}

// verify reports whether a log holds what was written. One that has a tail is
// not finished, and nobody knows yet what it will hold.
func verify(path string) (whole bool, err error) {
	tail := strings.TrimSuffix(path, logSuffix) + tailSuffix
	if exists(tail) {
		return true, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	indexed, _, finished, err := readIndex(f, info.Size())
	if err != nil || !finished {
		return exists(tail), err // it may be written again by now
	}
	sealed, err := scanFrames(f, info.Size())
	return len(sealed) >= len(indexed), err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
