package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestEvictOldest(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"a": "1"})
	for i, key := range []string{"new", "old", "oldest"} {
		if err := m.Fetch(t.Context(), key, r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000-i), 0)
		for _, name := range []string{".", "FETCH_HEAD"} {
			if err := os.Chtimes(filepath.Join(m.dir, key+".git", name), at, at); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	exists := func(key string) bool {
		_, err := os.Stat(filepath.Join(m.dir, key+".git"))
		return err == nil
	}
	busy, err := m.mirror("oldest")
	if err != nil {
		t.Fatal(err)
	}
	busy.use.RLock()
	if evicted, err := m.EvictOldest(); !evicted || err != nil {
		t.Fatal(evicted, err)
	}
	busy.use.RUnlock()
	if !exists("oldest") || exists("old") || !exists("new") {
		t.Error("it is not the oldest that went of those that nobody uses")
	}
	for range 2 {
		if evicted, err := m.EvictOldest(); !evicted || err != nil {
			t.Fatal(evicted, err)
		}
	}
	if evicted, err := m.EvictOldest(); evicted || err != nil {
		t.Errorf("evicted %v of nothing (%v)", evicted, err)
	}
	if err := m.Fetch(t.Context(), "old", r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
		t.Errorf("fetch what was evicted: %v", err)
	}
}
