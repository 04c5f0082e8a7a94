package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// EvictOldest removes the mirror that a Fetch wanted least recently, to free space, and reports whether there was one. A mirror that is in use is passed
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
	used := map[string]time.Time{}
	for _, e := range entries {
		key, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		keys, used[key] = append(keys, key), info.ModTime()
	}
	slices.SortFunc(keys, func(a, b string) int { return used[a].Compare(used[b]) })
	return keys, nil
}

// used notes in the directory's time, which a fetch does not change, that the
// mirror is wanted.
func (mir *mirror) used() error {
	now := time.Now()
	if err := os.Chtimes(mir.dir, now, now); err != nil {
		return fmt.Errorf("note the use of the mirror: %w", err)
	}
	return nil
}
