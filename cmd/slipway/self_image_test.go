package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// ownLabel marks the images that makeImage makes.
const ownLabel = "slipway.test=own-image"

// makeImage makes an image in which slipway can be built and tested without a
// network, of what this machine has: Go, git, make, bash and busybox, the modules
// of go.mod, and a build cache that holds them compiled. It has no C compiler, so
// the tests run without the race detector there.
//
// The image (1 GB) is removed with the test. What is costly to make stays below
// .cache/own-image for the next time, where Go itself sees to what has changed.
func (c ownRepo) makeImage() (ref string) {
	c.Helper()
	began := time.Now()
	o := ownImage{ownRepo: c, cache: filepath.Join(c.root, ".cache", "own-image")}
	o.goroot = strings.TrimSpace(o.output("go", "env", "GOROOT"))
	o.prepareCache()
	o.downloadModules()
	o.compileModules()
	c.Logf("modules are ready after %s", time.Since(began).Round(time.Second))

	cli := runnertest.Docker(c)
	o.removeAbandoned(cli)
	ref = fmt.Sprintf("slipway/own-image:%d", os.Getpid())
	c.Cleanup(func() {
		if _, err := cli.ImageRemove(context.WithoutCancel(c.ctx), ref, image.RemoveOptions{}); err != nil {
			c.Errorf("remove image %s: %v", ref, err)
		}
	})
	o.importInto(cli, ref)
	c.Logf("image is ready after %s", time.Since(began).Round(time.Second))
	return ref
}

// ownImage is an image in the making.
type ownImage struct {
	ownRepo
	cache  string // what is kept between tests
	goroot string // here and in the image
}

func (o *ownImage) modules() string  { return filepath.Join(o.cache, "mod") }
func (o *ownImage) compiled() string { return filepath.Join(o.cache, "build") }

// prepareCache makes the folder that git ignores, as the scripts in .ci do.
func (o *ownImage) prepareCache() {
	o.Helper()
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		o.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.root, ".cache", ".gitignore"), []byte("*\n"), 0o644); err != nil {
		o.Fatal(err)
	}
}

// downloadModules copies the modules of go.mod out of this machine's cache, which
// may hold many more, by serving that as a proxy. go.sum still vouches for them.
func (o *ownImage) downloadModules() {
	o.Helper()
	o.output("go", "mod", "download")
	proxy := "file://" + strings.TrimSpace(o.output("go", "env", "GOMODCACHE")) + "/cache/download"
	o.outputWith(o.root, []string{"GOPROXY=" + proxy, "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + o.modules()},
		"go", "mod", "download")
}

// importable lists what packages and tests here import of other modules.
const importable = `{{with .Module}}{{if not .Main}}{{if ne $.Name "main"}}{{$.ImportPath}}{{end}}{{end}}{{end}}`

// compileModules compiles and vets the packages of other modules, by a package
// that does nothing but import them. So what a commit changes is not cached, and
// what no commit changes is.
func (o *ownImage) compileModules() {
	o.Helper()
	dir := o.TempDir()
	source := "package imports\n"
	for _, pkg := range strings.Fields(o.output("go", "list", "-deps", "-test", "-f", importable, "./...")) {
		if !strings.Contains("/"+pkg+"/", "/internal/") {
			source += fmt.Sprintf("import _ %q\n", pkg)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "imports.go"), []byte(source), 0o644); err != nil {
		o.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(o.root, name))
		if err != nil {
			o.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			o.Fatal(err)
		}
	}
	env := []string{"CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOPROXY=off", "GOWORK=off", "GOMODCACHE=" + o.modules(), "GOCACHE=" + o.compiled()}
	o.outputWith(dir, env, "go", "build", ".")
	o.outputWith(dir, env, "go", "vet", ".")
}

// removeAbandoned removes the images of tests that were killed.
func (o *ownImage) removeAbandoned(cli client.APIClient) {
	o.Helper()
	_, err := cli.ImagesPrune(o.ctx, filters.NewArgs(
		filters.Arg("label", ownLabel), filters.Arg("until", "1h"), filters.Arg("dangling", "false")))
	if err != nil {
		o.Fatal(err)
	}
}

// importInto streams the image's files to the engine.
func (o *ownImage) importInto(cli client.APIClient, ref string) {
	o.Helper()
	source, sink := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := o.write(sink)
		sink.CloseWithError(err)
		written <- err
	}()
	messages, err := cli.ImageImport(o.ctx, image.ImportSource{Source: source, SourceName: "-"}, ref, image.ImportOptions{Changes: []string{
		"ENV PATH=" + o.goroot + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"ENV GOTOOLCHAIN=local GOPROXY=off GOMODCACHE=/go/mod GOCACHE=/go/build",
		"LABEL " + ownLabel,
	}})
	var told []byte
	if err == nil {
		told, err = io.ReadAll(messages)
		messages.Close()
	}
	source.CloseWithError(io.ErrClosedPipe) // lets the writer end if the engine didn't read it all
	if err := <-written; err != nil {
		o.Fatalf("write image: %v", err)
	}
	if err != nil || strings.Contains(string(told), `"error"`) {
		o.Fatalf("import image: %v\n%s", err, told)
	}
}

// write writes the image's files as a tar stream.
func (o *ownImage) write(to io.Writer) error {
	r := newRootfs(to)
	r.dir("tmp", 0o1777)
	r.dir("root", 0o700)
	r.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	r.text("etc/group", "root:x:0:\n")
	for _, program := range []string{"bash", "git", "make", "busybox"} {
		path, err := exec.LookPath(program)
		if err != nil {
			return err
		}
		r.program("bin/"+program, path)
	}
	applets, err := exec.CommandContext(o.ctx, "busybox", "--list-full").Output()
	if err != nil {
		return fmt.Errorf("list busybox's applets: %w", err)
	}
	for applet := range strings.FieldsSeq(string(applets)) {
		r.link(applet, "/bin/busybox")
	}
	helpers, err := exec.CommandContext(o.ctx, "git", "--exec-path").Output()
	if err != nil {
		return fmt.Errorf("find git's programs: %w", err)
	}
	r.programs(strings.TrimSpace(string(helpers)))
	for _, part := range []string{"VERSION", "bin", "go.env", "lib", "pkg", "src"} {
		r.tree(filepath.Join(o.goroot, part), filepath.Join(o.goroot, part))
	}
	r.tree("go/mod", o.modules())
	r.tree("go/build", o.compiled())
	r.libraries(o.ctx)
	return r.close()
}
