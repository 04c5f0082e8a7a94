package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// EvictOldest removes the mirror that was fetched into least recently, to free
// space, and reports whether there was one. A mirror that is in use is passed
// over. What is needed again is fetched again.
func (m *Mirrors) EvictOldest() (evicted bool, err error) {
	keys, err := m.byAge()
	if err != nil {
		return false, fmt.Errorf("evict mirror: %w", err)
	}
	for _, key := range keys {
		mir, err := m.mirror(key)
		if err != nil {
			return false, fmt.Errorf("evict mirror: %w", err)
		}
		if evicted, err := m.evict(mir); evicted || err != nil {
			return evicted, err
		}
	}
	return false, nil
}

// evict removes a mirror that nobody reads or writes.
func (m *Mirrors) evict(mir *mirror) (bool, error) {
	select {
	case mir.turn <- struct{}{}:
		defer func() { <-mir.turn }()
	default:
		return false, nil
	}
	if !mir.use.TryLock() {
		return false, nil
	}
	mir.use.Unlock() // who reads from now on is waited for
	m.log.Info("removing a mirror to free space", "mirror", mir.key)
	if err := m.discard(mir); err != nil {
		return false, fmt.Errorf("evict mirror %s: %w", mir.key, err)
	}
	return true, nil
}

// byAge returns the keys of all mirrors, that of the oldest fetch first.
func (m *Mirrors) byAge() ([]string, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	var keys []string
	fetched := map[string]time.Time{}
	for _, e := range entries {
		key, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok {
			continue
		}
		at, err := lastChange(filepath.Join(m.dir, e.Name()))
		if err != nil {
			return nil, err
		}
		keys, fetched[key] = append(keys, key), at
	}
	slices.SortFunc(keys, func(a, b string) int { return fetched[a].Compare(fetched[b]) })
	return keys, nil
}

// lastChange is when something was fetched: git then writes FETCH_HEAD, and in
// the directory itself.
func lastChange(dir string) (time.Time, error) {
	var newest time.Time
	for _, name := range []string{".", "FETCH_HEAD"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}
