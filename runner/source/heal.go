package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ready makes the mirror fit for a fetch: it exists, holds objects named like
// sha, and nothing in it is left from a process that was killed. The caller has
// the turn.
func (m *Mirrors) ready(mir *mirror, sha string) error {
	if mir.flag(&mir.suspect) {
		m.log.Warn("mirror is damaged, making it anew", "mirror", mir.key)
		if err := m.discard(mir); err != nil {
			mir.setFlag(&mir.suspect)
			return fmt.Errorf("discard mirror: %w", err)
		}
	}
	if !mir.exists() {
		// Whatever else stands there is no mirror.
		if err := m.discard(mir); err != nil {
			return fmt.Errorf("discard mirror: %w", err)
		}
		return m.create(mir, sha)
	}
	return mir.tidy()
}

// Tidy removes what processes that were killed left in the mirrors: locks, and
// objects half written. It costs a walk through the files of each mirror that is
// not known to be clean. A mirror in use is passed over: a Fetch does the same.
func (m *Mirrors) Tidy(ctx context.Context) error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("list mirrors: %w", err)
	}
	var errs []error
	for _, e := range entries {
		key, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		mir, err := m.mirror(key)
		if err != nil {
			errs = append(errs, fmt.Errorf("clean mirror: %w", err))
			continue
		}
		select {
		case mir.turn <- struct{}{}:
			errs = append(errs, mir.tidy())
			<-mir.turn
		default:
		}
	}
	return errors.Join(errs...)
}

// tidy is Tidy for one mirror, of which the caller has the turn. One that was
// taken away meanwhile is clean.
func (mir *mirror) tidy() error {
	if !mir.flag(&mir.dirty) {
		return nil
	}
	if err := sweep(mir.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		mir.setFlag(&mir.dirty)
		return fmt.Errorf("clean mirror: %w", err)
	}
	return nil
}

// create makes an empty mirror. It appears whole or not at all.
func (m *Mirrors) create(mir *mirror, sha string) error {
	tmp, err := os.MkdirTemp(m.tmp, "create-")
	if err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }() // or Open does it
	dir := filepath.Join(tmp, "mirror")
	if err := writeGitDir(dir, gitDirSpec{bare: true, sha256: len(sha) == 64, head: "ref: refs/heads/none"}); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	if err := os.Rename(dir, mir.dir); err != nil {
		return fmt.Errorf("create mirror: %w", err)
	}
	mir.flag(&mir.dirty)
	return nil
}

// sweep removes lock files and half-written objects. Nobody may be writing. A
// ref's name can't end in ".lock", but a tag may well be called "tmp_1".
func sweep(gitDir string) error {
	objects := filepath.Join(gitDir, "objects") + string(filepath.Separator)
	large := filepath.Join(gitDir, "lfs") + string(filepath.Separator)
	return filepath.WalkDir(gitDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			return nil
		}
		stale := strings.HasSuffix(name, ".lock") || path == filepath.Join(gitDir, "gc.pid") ||
			strings.HasPrefix(path, objects) && (strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-")) ||
			strings.HasPrefix(path, large) && strings.HasPrefix(name, "tmp_")
		if !stale {
			return nil
		}
		//nolint:gosec // the directory is ours alone, and Remove follows no link
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// Maintain packs the objects and refs of a mirror and of those of its submodules,
// if there is enough of them to be worth it. Nothing that was fetched is lost. A
// Fetch of the same key waits for it, so its time is a quiet hour; canceling ctx
// stops it at once.
func (m *Mirrors) Maintain(ctx context.Context, key string) error {
	err := m.each(ctx, key, func(mir *mirror) error { return m.pack(ctx, mir) })
	if err != nil {
		return fmt.Errorf("maintain mirror: %w", err)
	}
	return nil
}

// pack is Maintain for one mirror, of which the caller has the turn.
func (m *Mirrors) pack(ctx context.Context, mir *mirror) error {
	if !mir.exists() {
		return nil
	}
	mir.setFlag(&mir.dirty)
	_, err := m.git(ctx, gitCmd{
		gitDir:   mir.dir,
		settings: []setting{{"gc.auto", "1000"}, {"gc.autoPackLimit", "20"}, {"gc.autoDetach", "false"}},
		args:     []string{"gc", "--auto", "--quiet"},
	}, maxStderr)
	if err != nil {
		return err
	}
	mir.flag(&mir.dirty)
	return nil
}
