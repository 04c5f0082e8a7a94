package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFetchMerge(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	base := r.pushed("base", map[string]string{"a": "1\n"})
	main := r.pushed("main", map[string]string{"b": "1\n"})
	gitIn(t, r.work, "checkout", "--quiet", "-b", "topic", base)
	head := r.commit("topic", map[string]string{"c": "1\n"})
	gitIn(t, r.work, "checkout", "--quiet", "main")
	gitIn(t, r.work, "merge", "--quiet", "--no-ff", "-m", "trial", "topic")
	merge := strings.TrimSpace(gitIn(t, r.work, "rev-parse", "HEAD"))
	const ref = "refs/pull/3/merge"
	if _, err := m.FetchMerge(t.Context(), "1", r.remote(), ref, head, FetchOptions{}); !errors.Is(err, ErrNotMerged) {
		t.Errorf("before there is a merge: %v", err)
	}
	r.push(merge, ref)
	got, err := m.FetchMerge(t.Context(), "1", r.remote(), ref, head, FetchOptions{})
	if err != nil || got != merge {
		t.Fatalf("got %s, %v, want %s", got, err, merge)
	}
	dir := unpack(t, m, got, TarOptions{})
	for _, file := range []string{"a", "b", "c"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.FetchMerge(t.Context(), "1", r.remote(), ref, main, FetchOptions{}); !errors.Is(err, ErrNotMerged) || !strings.Contains(err.Error(), head[:7]) {
		t.Errorf("of another head: %v", err)
	}
}
