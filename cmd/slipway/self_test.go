package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

// ownPatience bounds the build of slipway by itself. Two idle cores take 2 minutes,
// and as long again to fill the caches; other tests share them, of this package
// and of others.
const ownPatience = 25 * time.Minute

// TestOwnPipeline pushes the commit that is checked out here and runs its own
// .slipway.yml. Only the images are others: see makeImage.
func TestOwnPipeline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), ownPatience)
	defer cancel()
	c := openOwnRepo(ctx, t)
	files := c.head()
	files[".slipway.yml"] = inImage(t, files[".slipway.yml"], c.makeImage())
	w := newWorld(t, func(c *config) {
		// What a server gives its steps by default; the other tests need less.
		c.JobTimeout, c.StepMemory, c.StepPIDs = ownPatience, 4<<30, 4096
	})
	w.ctx = ctx
	defer newStory(w.Output()).tell(ctx, w.app.store, w.github)()

	r := w.repo("slipway")
	st := w.verdict(r, w.push(r, files))
	b := w.build(r, 1)
	if got := b.steps(); st.State != "success" || got != "build=success vet=success test=success" {
		w.Errorf("%s: %s; steps: %s", st.State, st.Description, got)
		w.showLogs(r, b)
		return
	}
	if log := w.log(r, 1, 1, 3); !strings.Contains(log, "ok  \tgithub.com/slipway-ci/slipway/store\t") {
		w.Errorf("the step test is green and has not tested the store:\n%s", log)
	}
}

// showLogs prints the logs of the steps that ran.
func (w *world) showLogs(r *githubtest.Repo, b build) {
	w.Helper()
	for _, j := range b.Jobs {
		for _, s := range j.Steps {
			if s.Status != "skipped" {
				w.Logf("log of %s:\n%s", s.Name, w.log(r, b.Number, j.Number, s.Number))
			}
		}
	}
}

// inImage has the pipeline's steps run in another image, all of them.
func inImage(t *testing.T, pipeline, image string) string {
	t.Helper()
	replaced := goImages.ReplaceAllString(pipeline, "${1}"+image)
	if n := strings.Count(replaced, image); n == 0 || n != strings.Count(pipeline, "image:") {
		t.Fatalf("not all steps run in a golang image:\n%s", pipeline)
	}
	return replaced
}

var goImages = regexp.MustCompile(`(?m)^(\s+image: )golang:\S+$`)

// ownRepo is the repository that this test stands in.
type ownRepo struct {
	*testing.T
	ctx  context.Context
	root string
}

func openOwnRepo(ctx context.Context, t *testing.T) ownRepo {
	t.Helper()
	c := ownRepo{T: t, ctx: ctx, root: "."}
	c.root = strings.TrimSpace(c.output("git", "rev-parse", "--show-toplevel"))
	return c
}

// head returns the files of the commit that is checked out, by path.
func (c ownRepo) head() map[string]string {
	c.Helper()
	files := map[string]string{}
	archive := tar.NewReader(strings.NewReader(c.output("git", "archive", "--format=tar", "HEAD")))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			c.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		case tar.TypeReg:
		default:
			c.Fatalf("%s is no plain file; this test knows how to push those only", h.Name)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			c.Fatal(err)
		}
		files[h.Name] = string(content)
	}
}

// output runs a program in the checkout and returns what it prints.
func (c ownRepo) output(program string, args ...string) string {
	c.Helper()
	return c.outputWith(c.root, nil, program, args...)
}

// outputWith is output in another folder, with an addition to the environment.
func (c ownRepo) outputWith(dir string, env []string, program string, args ...string) string {
	c.Helper()
	cmd := exec.CommandContext(c.ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		c.Fatalf("%s: %v\n%s%s", cmd, err, out, &stderr)
	}
	return string(out)
}
