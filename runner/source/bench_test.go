package source

import (
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// benchRepo is a remote with that many files and 20 commits, its tip fetched.
func benchRepo(b *testing.B, files int) (*Mirrors, *remoteRepo, string) {
	b.Helper()
	r, m := newRemote(b), openMirrors(b)
	content := map[string]string{}
	for i := range files {
		content[fmt.Sprintf("dir%d/file%d.go", i%40, i)] = strings.Repeat(fmt.Sprintf("line of file %d\n", i), 40)
	}
	content[".slipway/a.yml"], content[".slipway/b.yml"] = "steps: []\n", "steps: []\n"
	r.commit("first", content)
	for i := range 18 {
		r.commit(fmt.Sprint("commit ", i), map[string]string{"changing": fmt.Sprint(i)})
	}
	sha := r.pushed("last", nil)
	mustFetch(b, m, r, sha)
	return m, r, sha
}

var benchSizes = []int{20, 2000}

// BenchmarkTar is what stands between a commit in the mirror and the last byte
// of its tree.
func BenchmarkTar(b *testing.B) {
	for _, files := range benchSizes {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			m, _, sha := benchRepo(b, files)
			for b.Loop() {
				rc := mustTar(b, m, sha, TarOptions{Branch: "main", Prefix: "ws"})
				n, err := io.Copy(io.Discard, rc)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(n)
				if err := rc.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkShallowClone is the same by git's own means, to compare: a shallow
// clone of the mirror, packed by tar.
func BenchmarkShallowClone(b *testing.B) {
	for _, files := range benchSizes {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			m, _, sha := benchRepo(b, files)
			for b.Loop() {
				dir := b.TempDir()
				cmd := exec.Command("sh", "-ec", `git init -q --template= . && git fetch -q --depth=1 --no-tags "file://$0" "$1" &&
					git checkout -q --detach FETCH_HEAD && tar -cf /dev/null .`, filepath.Join(m.dir, "1.git"), sha)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
		})
	}
}

// BenchmarkFetch is a fetch of one new commit.
func BenchmarkFetch(b *testing.B) {
	m, r, _ := benchRepo(b, 20)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		sha := r.pushed("more", map[string]string{"changing": fmt.Sprint("bench ", i)})
		b.StartTimer()
		mustFetch(b, m, r, sha)
	}
}

// BenchmarkFetchPresent is a fetch of what is there.
func BenchmarkFetchPresent(b *testing.B) {
	m, r, sha := benchRepo(b, 20)
	for b.Loop() {
		mustFetch(b, m, r, sha)
	}
}

// BenchmarkFS reads two files of a directory.
func BenchmarkFS(b *testing.B) {
	m, _, sha := benchRepo(b, 2000)
	for b.Loop() {
		fsys := mustFS(b, m, sha)
		for _, name := range []string{".slipway/a.yml", ".slipway/b.yml"} {
			if _, err := fs.ReadFile(fsys, name); err != nil {
				b.Fatal(err)
			}
		}
	}
}
