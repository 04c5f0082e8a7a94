package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	bigCommits = 10_000
	bigFiles   = 2_000 // of 100 KB that no compression makes smaller
)

// BenchmarkBigSource takes pushes of one more commit to a repository of 10,000
// commits, whose tree has 200 MB, to the first output of the first command, beside
// a shallow clone and a `docker run` on it.
func BenchmarkBigSource(b *testing.B) {
	w := benchWorld(b, 2)
	w.ctx = b.Context()
	r := w.repo("big")
	work := w.bigRepository()
	git := func(args ...string) {
		b.Helper()
		if out, err := exec.CommandContext(w.ctx, "git", append([]string{"-C", work}, args...)...).CombinedOutput(); err != nil {
			b.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	push := func() pushTimes {
		b.Helper()
		sub := w.app.store.Subscribe()
		defer sub.Close()
		git("push", "-q", r.CloneURL(), "HEAD:refs/heads/main")
		sha, err := r.Resolve(w.ctx, "refs/heads/main")
		if err != nil {
			b.Fatal(err)
		}
		return w.watch(r, sub, sha)
	}
	push()
	w.measure(b, "clone-and-run", func() samples {
		began := time.Now()
		dir := filepath.Join(b.TempDir(), "clone")
		if out, err := exec.CommandContext(w.ctx, "git", "clone", "-q", "--depth=1", r.CloneURL(), dir).CombinedOutput(); err != nil {
			b.Fatalf("git clone: %v: %s", err, out)
		}
		if out, err := exec.CommandContext(w.ctx, "docker", "run", "--rm", "-v", dir+":/src", w.image, "true").CombinedOutput(); err != nil {
			b.Fatalf("docker run: %v: %s", err, out)
		}
		unit := time.Since(began)
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, "changing"), []byte(time.Now().String()), 0o600); err != nil {
			b.Fatal(err)
		}
		git("add", "changing")
		git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one more")
		return samples{"clone-and-run": unit, "first-output": push().firstOutput}
	})
}

// bigRepository makes one with a working tree and returns its folder.
func (w *world) bigRepository() (dir string) {
	w.Helper()
	dir = w.TempDir()
	stream, sink := io.Pipe()
	go func() { sink.CloseWithError(writeBigHistory(sink, w.files(stepsOf(1, "true", false))[".slipway.yml"])) }()
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"fast-import", "--quiet"}, {"reset", "-q", "--hard"}} {
		cmd := exec.CommandContext(w.ctx, "git", append([]string{"-C", dir}, args...)...)
		if args[0] == "fast-import" {
			cmd.Stdin = stream
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			w.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

// writeBigHistory writes what git-fast-import(1) reads.
func writeBigHistory(to io.Writer, pipeline string) error {
	out, random := bufio.NewWriter(to), rand.NewChaCha8([32]byte{1})
	data := func(b []byte) { fmt.Fprintf(out, "data %d\n%s\n", len(b), b) }
	for n := range bigCommits {
		fmt.Fprintf(out, "commit refs/heads/main\ncommitter a <a@b> %d +0000\n", 1_700_000_000+n)
		data(fmt.Appendf(nil, "commit %d", n))
		fmt.Fprintln(out, "M 100644 inline changing")
		data(fmt.Appendln(nil, n))
		if n == 0 {
			fmt.Fprintln(out, "M 100644 inline .slipway.yml")
			data([]byte(pipeline))
			for i := range bigFiles {
				file := make([]byte, 100_000)
				_, _ = random.Read(file) // never fails
				fmt.Fprintf(out, "M 100644 inline dir%d/file%d\n", i%40, i)
				data(file)
			}
		}
	}
	return out.Flush()
}
