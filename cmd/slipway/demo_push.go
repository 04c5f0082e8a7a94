package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/slipway-ci/slipway/examples"
)

// pushSample writes the sample repository to dir and pushes it with git, as a
// person would. It returns the commit's SHA.
func pushSample(ctx context.Context, dir, remote, image string, s *story) (sha string, err error) {
	if err := writeSample(dir, image); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "--all"},
		{"-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com", "commit", "-q", "-m", "Say hello"},
	} {
		if _, err := git(ctx, dir, args...); err != nil {
			return "", err
		}
	}
	if sha, err = git(ctx, dir, "rev-parse", "HEAD"); err != nil {
		return "", err
	}
	s.say("$ git push %s main", remote)
	_, err = git(ctx, dir, "push", "-q", remote, "main")
	return sha, err
}

// writeSample copies the sample with its image's name replaced.
func writeSample(dir, image string) error {
	sample, err := fs.Sub(examples.Demo, "demo")
	if err != nil {
		return err
	}
	return fs.WalkDir(sample, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if e.IsDir() {
			return os.MkdirAll(to, 0o750)
		}
		b, err := fs.ReadFile(sample, path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if strings.HasPrefix(string(b), "#!") {
			mode = 0o700 // an embedded file has no mode
		}
		if path == ".slipway.yml" {
			b = []byte(strings.ReplaceAll(string(b), "image: busybox", "image: "+image))
		}
		return os.WriteFile(to, b, mode)
	})
}

// git runs git in dir, untouched by the user's configuration.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}
