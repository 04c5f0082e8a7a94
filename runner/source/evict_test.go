package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// used makes a mirror one that was wanted that many seconds after 1970.
func used(t *testing.T, m *Mirrors, key string, seconds int64) {
	t.Helper()
	at := time.Unix(seconds, 0)
	if err := os.Chtimes(filepath.Join(m.dir, key+".git"), at, at); err != nil {
		t.Fatal(err)
	}
}

// TestEvictKeepsWhatIsWanted: a mirror is as old as its last fetch, also of what
// it had already.
func TestEvictKeepsWhatIsWanted(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", map[string]string{"a": "1"})
	fetch := func(key, sha string) {
		t.Helper()
		if err := m.Fetch(t.Context(), key, r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range []string{"pushed", "built", "idle"} {
		fetch(key, one)
		used(t, m, key, int64(1000+i))
	}
	fetch("pushed", r.pushed("two", map[string]string{"a": "2"}))
	fetch("built", one)
	if evicted, err := m.EvictOldest(); !evicted || err != nil {
		t.Fatal(evicted, err)
	}
	if _, err := os.Stat(filepath.Join(m.dir, "idle.git")); !os.IsNotExist(err) {
		t.Errorf("the mirror that nobody wants is there: %v", err)
	}
}

func TestEvictOldest(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"a": "1"})
	for i, key := range []string{"new", "old", "oldest"} {
		if err := m.Fetch(t.Context(), key, r.remote(), "refs/heads/main", sha, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
		used(t, m, key, int64(1000-i))
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
