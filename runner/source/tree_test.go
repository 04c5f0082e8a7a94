package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func mustFS(tb testing.TB, m *Mirrors, sha string) fs.FS {
	tb.Helper()
	fsys, err := m.FS(tb.Context(), "1", sha)
	if err != nil {
		tb.Fatal(err)
	}
	return fsys
}

func TestFS(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	files := map[string]string{"README": "hello\n", ".slipway.yml": "steps: []\n", "empty": "", "a/b/c": "deep"}
	var names []string
	for i := range 40 {
		files[fmt.Sprintf(".slipway/%02d.yml", i)] = fmt.Sprint("file ", i)
	}
	for name := range files {
		names = append(names, name)
	}
	sha := r.pushed("one", files)
	mustFetch(t, m, r, sha)
	fsys := mustFS(t, m, sha)
	if err := fstest.TestFS(fsys, names...); err != nil {
		t.Error(err)
	}
	for name, want := range files {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"nope", "README/x", "a/nope/x", "a/b/c/d"} {
		if _, err := fs.ReadFile(fsys, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFSRefuses(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.write(map[string]string{
		"d/ok.yml":      "fine",
		"d/big.yml":     strings.Repeat("x", maxFile+1),
		"d/largest.yml": strings.Repeat("x", maxFile),
	})
	for name, target := range map[string]string{"passwd": "/etc/passwd", "self": "d/ok.yml", "dirlink": "d"} {
		if err := os.Symlink(target, filepath.Join(r.work, name)); err != nil {
			t.Fatal(err)
		}
	}
	sha := r.pushed("one", nil)
	mustFetch(t, m, r, sha)
	fsys := mustFS(t, m, sha)
	for _, name := range []string{"passwd", "self", "d/big.yml"} {
		if data, err := fs.ReadFile(fsys, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %.20q, %v", name, data, err)
		}
	}
	if _, err := fs.ReadFile(fsys, "dirlink/ok.yml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a link: %v", err)
	}
	for _, name := range []string{"d/ok.yml", "d/largest.yml"} {
		if _, err := fs.ReadFile(fsys, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFSEndsWithItsContext(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"a": "1"})
	mustFetch(t, m, r, sha)
	ctx, cancel := context.WithCancel(t.Context())
	fsys, err := m.FS(ctx, "1", sha)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := fs.ReadFile(fsys, "a"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestChanged(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	base := r.pushed("one", map[string]string{"same": "1", "mod": "1", "old name": "moved", "gone": "1"})
	gitIn(t, r.work, "rm", "--quiet", "gone")
	gitIn(t, r.work, "mv", "old name", "new\nname")
	head := r.pushed("two", map[string]string{"mod": "2", "dir/added": "1"})
	mustFetch(t, m, r, head)
	got, err := m.Changed(t.Context(), "1", base, head)
	if want := "dir/added|gone|mod|new\nname|old name"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if got, err := m.Changed(t.Context(), "1", head, head); err != nil || len(got) != 0 {
		t.Errorf("nothing changed: %q, %v", got, err)
	}
	for name, base := range map[string]string{"unknown": strings.Repeat("ab", 20)} {
		if _, err := m.Changed(t.Context(), "1", base, head); !errors.Is(err, ErrCommitNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x0012345678901234567890" + "40000 b\x0012345678901234567890"))
	f.Add([]byte("100644 ../a\x0012345678901234567890"))
	f.Add([]byte("100644 a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseTree(data, 20)
		if err != nil {
			return
		}
		for i, e := range entries {
			if !fs.ValidPath(e.name) || strings.Contains(e.name, "/") {
				t.Errorf("name %q", e.name)
			}
			if i > 0 && entries[i-1].name > e.name {
				t.Errorf("%q after %q", e.name, entries[i-1].name)
			}
		}
	})
}
