package source_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/source"
)

func TestWorkTreeIsAsItStands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(".gitignore", "/build/\n*.log\n", 0o644)
	write("main.sh", "#!/bin/sh\n", 0o755)
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write("uncommitted/file", "text", 0o600)
	write("build/out", "ignored", 0o644)
	write("trace.log", "ignored", 0o644)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	r, err := source.WorkTree(t.Context(), dir, "src")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var got []string
	hasGit := false
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(h.Name, "src/.git/") {
			hasGit = hasGit || h.Name == "src/.git/HEAD"
			continue
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		got = append(got, h.Name+" "+os.FileMode(h.Mode).String())
	}
	want := []string{"src/ -rwxrwxrwx", "src/.gitignore -rw-rw-rw-", "src/link -rwxrwxrwx", "src/main.sh -rwxrwxrwx",
		"src/uncommitted/ -rwxrwxrwx", "src/uncommitted/file -rw-rw-rw-"}
	if !slices.Equal(got, want) || !hasGit {
		t.Errorf("entries:\n%s\nwant:\n%s\nwith .git: %v", strings.Join(got, "\n"), strings.Join(want, "\n"), hasGit)
	}
}
