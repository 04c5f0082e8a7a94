package source

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// WorkTree returns a directory as it is now, uncommitted changes included, as a
// tar stream below prefix, with entries like those of Mirrors.Tar. In a git
// checkout what git ignores is left out, and .git is in it. A linked worktree's
// .git, which points out of the directory, is left out.
//
// The caller must Close; the end of ctx ends the stream too.
func WorkTree(ctx context.Context, dir, prefix string) (io.ReadCloser, error) {
	ignored, err := ignoredPaths(ctx, dir)
	if err != nil {
		return nil, err
	}
	skip := func(rel string, d fs.DirEntry) bool {
		switch {
		case rel == ".git":
			return !d.IsDir()
		case strings.HasPrefix(rel, ".git/"):
			return strings.HasSuffix(rel, ".lock")
		case d.IsDir():
			return ignored[rel+"/"]
		default:
			kind := d.Type()
			return ignored[rel] || kind&fs.ModeSymlink == 0 && !kind.IsRegular() // sockets and the like
		}
	}
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = pw.CloseWithError(context.Cause(ctx)) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := writeTar(pw, dir, prefix, skip)
		if err != nil {
			err = fmt.Errorf("read working tree: %w", err)
		}
		_ = pw.CloseWithError(err) // nil is the end of the stream
	}()
	return &tarStream{PipeReader: pr, once: sync.OnceValue(func() error {
		_ = pr.Close()
		stop()
		<-ended
		return nil
	})}, nil
}

// ignoredPaths returns what git ignores below dir, directories with a slash at
// their end; nothing if dir is in no checkout.
func ignoredPaths(ctx context.Context, dir string) (map[string]bool, error) {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return nil, nil //nolint:nilerr // no checkout: nothing is ignored
	}
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask git what it ignores in %s: %w", dir, err)
	}
	ignored := map[string]bool{}
	for p := range strings.SplitSeq(string(out), "\x00") {
		if p != "" {
			ignored[p] = true
		}
	}
	return ignored, nil
}
