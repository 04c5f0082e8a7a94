package source

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

	"github.com/google/go-cmp/cmp"
)

// readTar reads a stream to its end.
func readTar(tb testing.TB, r io.Reader) (headers map[string]*tar.Header, content map[string]string) {
	tb.Helper()
	headers, content = map[string]*tar.Header{}, map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return headers, content
		}
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			tb.Fatal(err)
		}
		headers[h.Name], content[h.Name] = h, string(data)
	}
}

func mustTar(tb testing.TB, m *Mirrors, sha string, o TarOptions) io.ReadCloser {
	tb.Helper()
	rc, err := m.Tar(tb.Context(), "1", sha, o)
	if err != nil {
		tb.Fatal(err)
	}
	return rc
}

// unpack unpacks a checkout with the system's tar and returns where.
func unpack(tb testing.TB, m *Mirrors, sha string, o TarOptions) string {
	tb.Helper()
	rc := mustTar(tb, m, sha, o)
	dir := tb.TempDir()
	cmd := exec.Command("tar", "-x", "-p", "-C", dir)
	cmd.Stdin = rc
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("tar: %v\n%s", err, out)
	}
	if err := rc.Close(); err != nil {
		tb.Fatal(err)
	}
	checkEmptyTmp(tb, m)
	return dir
}

// checkEmptyTmp checks that nothing was left behind.
func checkEmptyTmp(tb testing.TB, m *Mirrors) {
	tb.Helper()
	entries, err := os.ReadDir(m.tmp)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "home" {
			tb.Errorf("%s was left behind", e.Name())
		}
	}
}

// oddNames are file names that trip what is careless with them.
var oddNames = []string{
	"with space", "-rf", "--upload-pack=x", "new\nline", "tab\there", `back\slash`, `quo"te`,
	"latin1-\xe9", "日本語", strings.Repeat("long", 60), "*", "$(id)", "a:b", "con ", ".hidden",
}

func TestTarOfOddTree(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	files := map[string]string{
		".gitattributes": "secret.txt export-ignore\n*.txt text\ncrlf.txt text eol=crlf\n*.bin filter=evil\n",
		"secret.txt":     "kept\n",
		"crlf.txt":       "a\nb\n",
		"x.bin":          "raw",
		"deep/er/file":   "deep\n",
	}
	for _, name := range oddNames {
		files["odd/"+name] = "odd"
	}
	r.write(files)
	for _, err := range []error{
		os.WriteFile(filepath.Join(r.work, "run.sh"), []byte("#!/bin/sh\n"), 0o755),
		os.Symlink("/etc/passwd", filepath.Join(r.work, "passwd")),
		os.Symlink("deep", filepath.Join(r.work, "dirlink")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sha := r.pushed("odd", nil)
	mustFetch(t, m, r, sha)
	rc := mustTar(t, m, sha, TarOptions{Prefix: "/ws/src/", Branch: "main", URL: "https://example.com/o/r.git"})
	headers, content := readTar(t, rc)
	if err := rc.Close(); err != nil {
		t.Fatal(err)
	}
	files["crlf.txt"] = "a\r\nb\r\n"
	for name, want := range files {
		if got, ok := content["ws/src/"+name]; !ok || got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]tar.Header{
		"ws/":                 {Typeflag: tar.TypeDir, Mode: 0o777},
		"ws/src/":             {Typeflag: tar.TypeDir, Mode: 0o777},
		"ws/src/deep/er/":     {Typeflag: tar.TypeDir, Mode: 0o777},
		"ws/src/deep/er/file": {Typeflag: tar.TypeReg, Mode: 0o666},
		"ws/src/run.sh":       {Typeflag: tar.TypeReg, Mode: 0o777},
		"ws/src/passwd":       {Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "/etc/passwd"},
		"ws/src/dirlink":      {Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "deep"},
		"ws/src/.git/":        {Typeflag: tar.TypeDir, Mode: 0o777},
		"ws/src/.git/config":  {Typeflag: tar.TypeReg, Mode: 0o666},
	} {
		got := headers[name]
		if got == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if got.Typeflag != want.Typeflag || got.Mode != want.Mode || got.Linkname != want.Linkname {
			t.Errorf("%s: type %c mode %o link %q", name, got.Typeflag, got.Mode, got.Linkname)
		}
	}
	for name, h := range headers {
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s is owned by %d:%d", name, h.Uid, h.Gid)
		}
	}
	if _, followed := headers["ws/src/dirlink/er/file"]; followed {
		t.Error("a symbolic link was followed")
	}
}

func TestUnpackedIsClean(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.commit("zero", nil)
	r.write(map[string]string{"a": "1\n", "dir/b": "2\n", ".gitattributes": "c eol=crlf text\n", "c": "x\ny\n"})
	if err := os.WriteFile(filepath.Join(r.work, "run.sh"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	sha := r.pushed("one", nil)
	mustFetch(t, m, r, sha)
	dir := unpack(t, m, sha, TarOptions{Branch: "main", URL: "https://example.com/o/r.git"})
	// diff-index compares with what the index knows of the files and, unlike
	// status, does not look twice.
	gitIn(t, dir, "diff-index", "--quiet", "HEAD")
	if out := gitIn(t, dir, "status", "--porcelain", "--branch"); out != "## main...origin/main\n" {
		t.Errorf("status: %q", out)
	}
	gitIn(t, dir, "fsck", "--strict")
	for args, want := range map[string]string{
		"rev-parse HEAD":                    sha,
		"rev-parse --abbrev-ref HEAD":       "main",
		"rev-list --count HEAD":             "1",
		"rev-parse --is-shallow-repository": "true",
		"config --get remote.origin.url":    "https://example.com/o/r.git",
	} {
		if got := strings.TrimSpace(gitIn(t, dir, strings.Fields(args)...)); got != want {
			t.Errorf("git %s: %q, want %q", args, got, want)
		}
	}
	// It is a repository to work in.
	gitIn(t, dir, "commit", "--quiet", "--allow-empty", "--message=more")
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if out := gitIn(t, dir, "status", "--porcelain"); out != " M a\n" {
		t.Errorf("a change of equal size is not seen: %q", out)
	}
}

func TestTarDetached(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"a": "1"})
	mustFetch(t, m, r, sha)
	dir := unpack(t, m, sha, TarOptions{})
	if out := gitIn(t, dir, "status", "--porcelain", "--branch"); out != "## HEAD (no branch)\n" {
		t.Errorf("status: %q", out)
	}
	if out := gitIn(t, dir, "remote"); out != "" {
		t.Errorf("remotes: %q", out)
	}
}

func TestTarDepthAndTags(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.commit("one", map[string]string{"a": "1"})
	gitIn(t, r.work, "tag", "v1")
	r.commit("two", map[string]string{"a": "2"})
	gitIn(t, r.work, "tag", "--annotate", "--message=two", "v2")
	r.commit("three", map[string]string{"a": "3"})
	// A merge, so that the history is no line.
	gitIn(t, r.work, "checkout", "--quiet", "-b", "side", "HEAD~1")
	r.commit("side", map[string]string{"s": "1"})
	gitIn(t, r.work, "checkout", "--quiet", "main")
	gitIn(t, r.work, "merge", "--quiet", "--no-ff", "--message=merge", "side")
	sha := r.pushed("five", map[string]string{"a": "5"})
	gitIn(t, r.work, "push", "--quiet", "--tags", r.bare)
	if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", sha, FetchOptions{Tags: true}); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		o        TarOptions
		commits  string
		describe string // a prefix
	}{
		"one":           {TarOptions{Tags: true}, "1", "fatal: No names found"},
		"two":           {TarOptions{Depth: 2}, "2", "fatal: No names found"},
		"four":          {TarOptions{Depth: 4, Tags: true}, "5", "v2-4-g"},
		"all":           {TarOptions{Depth: -1, Tags: true}, "6", "v2-4-g"},
		"more than all": {TarOptions{Depth: 100, Tags: true}, "6", "v2-4-g"},
		"no tags":       {TarOptions{Depth: -1}, "6", "fatal: No names found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := unpack(t, m, sha, tt.o)
			if got := strings.TrimSpace(gitIn(t, dir, "rev-list", "--count", "HEAD")); got != tt.commits {
				t.Errorf("%s commits, want %s", got, tt.commits)
			}
			if out, _ := tryGit(dir, "describe"); !strings.HasPrefix(out, tt.describe) {
				t.Errorf("describe: %s, want %s…", out, tt.describe)
			}
			gitIn(t, dir, "fsck", "--strict")
			if out := gitIn(t, dir, "status", "--porcelain"); out != "" {
				t.Errorf("status: %q", out)
			}
		})
	}
}

func TestTarIsDeterministic(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.pushed("one", map[string]string{"b": "1", "a/z": "2", "a/b": "3", "c": "4"})
	mustFetch(t, m, r, sha)
	names := func() (names []string) {
		rc := mustTar(t, m, sha, TarOptions{})
		defer rc.Close()
		for tr := tar.NewReader(rc); ; {
			h, err := tr.Next()
			if err != nil {
				return names
			}
			names = append(names, h.Name)
		}
	}
	first := names()
	if diff := cmp.Diff(first, names()); diff != "" {
		t.Error(diff)
	}
	i := slices.Index(first, "a/")
	if i < 0 || !slices.Equal(first[i:], []string{"a/", "a/b", "a/z", "b", "c"}) {
		t.Errorf("order: %q", first)
	}
}

func TestTarBranchWithHostileName(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	sha := r.commit("one", map[string]string{"a": "1"})
	for _, branch := range []string{"--upload-pack=x", "-b", `quo"te`, "feature/x;id", "ümlaut"} {
		r.push("HEAD", "refs/heads/"+branch)
		if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/"+branch, sha, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
		dir := unpack(t, m, sha, TarOptions{Branch: branch, URL: "https://example.com/o/r.git"})
		if out := gitIn(t, dir, "symbolic-ref", "HEAD"); out != "refs/heads/"+branch+"\n" {
			t.Errorf("HEAD: %q", out)
		}
		if out := gitIn(t, dir, "config", "--get", "branch."+branch+".merge"); out != "refs/heads/"+branch+"\n" {
			t.Errorf("merge: %q", out)
		}
		if out := gitIn(t, dir, "status", "--porcelain"); out != "" {
			t.Errorf("status: %q", out)
		}
		if err := m.Remove(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTarPartial(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.pushed("one", map[string]string{"a": "old\n", "b": "same\n"})
	old := strings.TrimSpace(gitIn(t, r.work, "rev-parse", "HEAD:a"))
	sha := r.pushed("two", map[string]string{"a": "new\n"})
	mustFetch(t, m, r, sha)
	dir := unpack(t, m, sha, TarOptions{Branch: "main", Depth: -1, URL: r.remote().URL, Partial: true})
	if got := gitIn(t, dir, "log", "--format=%s"); got != "two\none\n" {
		t.Errorf("log: %q", got)
	}
	if got := gitIn(t, dir, "status", "--porcelain"); got != "" {
		t.Errorf("status: %s", got)
	}
	missing := strings.Fields(gitIn(t, dir, "rev-list", "--objects", "--all", "--missing=print"))
	if !slices.Contains(missing, "?"+old) || strings.Count(strings.Join(missing, " "), "?") != 1 {
		t.Errorf("objects %v; only %s is to be missing", missing, old)
	}
	for file, want := range map[string]string{"HEAD:a": "new\n", "HEAD:b": "same\n"} {
		if got := gitIn(t, dir, "cat-file", "blob", file); got != want {
			t.Errorf("%s: %q", file, got)
		}
	}
	whole := unpack(t, m, sha, TarOptions{Depth: -1, Partial: true}) // of no remote
	if got := gitIn(t, whole, "cat-file", "blob", old); got != "old\n" {
		t.Errorf("without a remote: %q", got)
	}
}
