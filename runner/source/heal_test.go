package source

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reopen is what the next process does after one that was killed.
func reopen(t *testing.T, m *Mirrors) *Mirrors {
	t.Helper()
	next, err := Open(m.dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkGone(t *testing.T, dir string, names []string) {
	t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestLeftoversOfAKilledProcess(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", map[string]string{"a": "1"})
	r.push("HEAD", "refs/tags/tmp_1")
	if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", one, FetchOptions{Tags: true}); err != nil {
		t.Fatal(err)
	}
	two := r.pushed("two", map[string]string{"a": "2"})
	mirror := filepath.Join(m.dir, "1.git")
	leftovers := []string{
		"packed-refs.lock", "shallow.lock", "index.lock", "config.lock", "HEAD.lock", "gc.pid.lock", "gc.pid",
		pinRefs + two + ".lock", taggedRefs + two + ".lock", "refs/tags/tmp_1.lock",
		"objects/pack/tmp_pack_x1", "objects/pack/.tmp-2-pack-y.pack", "objects/ab/tmp_obj_z", "lfs/ab/cd/tmp_1", "objects/info/commit-graphs/commit-graph-chain.lock",
	}
	for _, name := range leftovers {
		writeFile(t, filepath.Join(mirror, name), "1 localhost")
	}
	writeFile(t, filepath.Join(m.tmp, "checkout-1", ".git", "HEAD"), "half")

	m = reopen(t, m)
	checkEmptyTmp(t, m)
	if err := m.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkGone(t, mirror, leftovers)
	for _, name := range leftovers { // a Fetch that comes first does the same
		writeFile(t, filepath.Join(mirror, name), "1 localhost")
	}
	m = reopen(t, m)
	if err := m.Fetch(t.Context(), "1", r.remote(), "refs/heads/main", two, FetchOptions{Tags: true}); err != nil {
		t.Fatal(err)
	}
	checkGone(t, mirror, leftovers)
	if got := gitIn(t, mirror, "tag", "--list"); got != "tmp_1\n" {
		t.Errorf("tags: %q", got)
	}
	unpack(t, m, two, TarOptions{})
}

// TestDamagedMirror breaks a mirror in several ways. The Fetch after it is
// noticed mends it; it is noticed at the latest when the tree is read.
func TestDamagedMirror(t *testing.T) {
	damages := map[string]func(t *testing.T, mirror string){
		"no HEAD": func(t *testing.T, mirror string) { t.Helper(); remove(t, filepath.Join(mirror, "HEAD")) },
		"bad config": func(t *testing.T, mirror string) {
			t.Helper()
			writeFile(t, filepath.Join(mirror, "config"), "[core")
		},
		"no objects":    removingObjects(""),
		"empty objects": truncateObjects,
		"no trees":      removingObjects("tree"),
		"no blobs":      removingObjects("blob"),
		"bad pin": func(t *testing.T, mirror string) {
			pins, err := filepath.Glob(filepath.Join(mirror, pinRefs, "*"))
			if err != nil || len(pins) != 1 {
				t.Fatal(pins, err)
			}
			writeFile(t, pins[0], "")
		},
		"bad packed-refs": func(t *testing.T, mirror string) { writeFile(t, filepath.Join(mirror, "packed-refs"), "garbage\n") },
		"a file":          func(t *testing.T, mirror string) { remove(t, mirror); writeFile(t, mirror, "") },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			r, m := newRemote(t), openMirrors(t)
			sha := r.pushed("one", map[string]string{"a": "1", "d/b": "2"})
			mustFetch(t, m, r, sha)
			damage(t, filepath.Join(m.dir, "1.git"))
			m = reopen(t, m)
			for try := 1; ; try++ {
				mustFetch(t, m, r, sha)
				rc, err := m.Tar(t.Context(), "1", sha, TarOptions{})
				if err == nil {
					rc.Close()
					break
				}
				if try == 2 {
					t.Fatal(err)
				}
			}
			dir := unpack(t, m, sha, TarOptions{})
			gitIn(t, dir, "fsck", "--strict")
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func removingObjects(kind string) func(*testing.T, string) {
	return func(t *testing.T, mirror string) {
		t.Helper()
		removeObjects(t, mirror, kind)
	}
}

// objectFiles returns the loose objects of a mirror; small fetches have no
// others.
func objectFiles(t *testing.T, mirror string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(mirror, "objects", "??", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no objects: %v", err)
	}
	return files
}

func truncateObjects(t *testing.T, mirror string) {
	t.Helper()
	for _, file := range objectFiles(t, mirror) {
		remove(t, file)
		writeFile(t, file, "")
	}
}

// removeObjects removes the objects of one kind, or all.
func removeObjects(t *testing.T, mirror, kind string) {
	t.Helper()
	doomed := map[string]bool{}
	for _, file := range objectFiles(t, mirror) {
		oid := filepath.Base(filepath.Dir(file)) + filepath.Base(file)
		if kind == "" || strings.TrimSpace(gitIn(t, mirror, "cat-file", "-t", oid)) == kind {
			doomed[file] = true
		}
	}
	if len(doomed) == 0 {
		t.Fatalf("no %s to remove", kind)
	}
	for file := range doomed {
		remove(t, file)
	}
}

func TestMaintainAndRemove(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", map[string]string{"a": "1"})
	mustFetch(t, m, r, one)
	// The branch is forced away: the pin alone holds the commit.
	gitIn(t, r.work, "commit", "--quiet", "--amend", "--message=other")
	two := r.pushed("two", nil)
	mustFetch(t, m, r, two)
	if err := m.Maintain(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	gitIn(t, filepath.Join(m.dir, "1.git"), "gc", "--quiet", "--prune=now")
	n := r.requestCount()
	mustFetch(t, m, r, one)
	unpack(t, m, one, TarOptions{})
	if r.requestCount() != n {
		t.Error("the older commit was fetched again")
	}
	for range 2 {
		if err := m.Remove(t.Context(), "1"); err != nil {
			t.Error(err)
		}
	}
	if err := m.Maintain(t.Context(), "1"); err != nil {
		t.Errorf("maintain nothing: %v", err)
	}
	entries, err := os.ReadDir(m.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
	mustFetch(t, m, r, two)
}

// TestMaintainPacks: many packs become one.
func TestMaintainPacks(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	files := map[string]string{}
	for i := range 25 {
		files[fmt.Sprint("file", i)] = fmt.Sprint(i)
	}
	sha := r.pushed("one", files)
	mustFetch(t, m, r, sha)
	mirror := filepath.Join(m.dir, "1.git")
	packs := func() int {
		found, err := filepath.Glob(filepath.Join(mirror, "objects", "pack", "*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for _, file := range objectFiles(t, mirror) {
		oid := filepath.Base(filepath.Dir(file)) + filepath.Base(file)
		writeFile(t, filepath.Join(mirror, "one-object"), oid+"\n")
		cmd := exec.Command("sh", "-c", "git pack-objects -q objects/pack/pack <one-object")
		cmd.Dir = mirror
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	before := packs()
	if err := m.Maintain(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if after := packs(); before < 25 || after != 1 {
		t.Errorf("%d packs before, %d after", before, after)
	}
	unpack(t, m, sha, TarOptions{})
}
