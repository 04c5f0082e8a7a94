package runnertest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// patience bounds what a test of the suite may wait for one thing.
const patience = 60 * time.Second

// rig is an engine under test and what one test makes on it. Every name and
// label carries a random server ID, by which everything is removed at the end.
type rig struct {
	*testing.T
	ctx    context.Context
	engine runner.Engine
	image  string
	server string
	made   int
}

func newRig(t *testing.T, newEngine func(*testing.T) runner.Engine, image string) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	r := &rig{T: t, ctx: ctx, engine: newEngine(t), image: image, server: "test" + strings.ToLower(rand.Text())}
	t.Cleanup(func() { CleanUp(t, r.engine, map[string]string{runner.LabelServer: r.server}) })
	return r
}

// CleanUp removes everything with the labels: containers, then what they use.
func CleanUp(tb testing.TB, e runner.Engine, labels map[string]string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := e.List(ctx, labels)
	if err != nil {
		tb.Errorf("clean up: %v", err)
	}
	for _, kind := range []runner.ResourceKind{runner.ResourceContainer, runner.ResourceNetwork, runner.ResourceVolume} {
		for _, f := range found {
			if f.Kind != kind {
				continue
			}
			if err := remove(ctx, e, f); err != nil {
				tb.Errorf("clean up: %v", err)
			}
		}
	}
}

func remove(ctx context.Context, e runner.Engine, r runner.Resource) error {
	switch r.Kind {
	case runner.ResourceContainer:
		return e.RemoveContainer(ctx, r.ID)
	case runner.ResourceNetwork:
		return e.RemoveNetwork(ctx, r.ID)
	default:
		return e.RemoveVolume(ctx, r.ID)
	}
}

func (r *rig) labels() map[string]string {
	return map[string]string{runner.LabelServer: r.server, runner.LabelJob: "1"}
}

func (r *rig) name() string {
	r.made++
	return fmt.Sprintf("slipway-%s-%d", r.server, r.made)
}

// spec describes a container that runs a script.
func (r *rig) spec(s script) runner.ContainerSpec {
	return runner.ContainerSpec{
		Name: r.name(), Labels: r.labels(), Image: r.image,
		Entrypoint: []string{"/bin/sh", "-c"}, Cmd: []string{s.sh},
	}
}

func (r *rig) create(s runner.ContainerSpec) (id string) {
	r.Helper()
	id, err := r.engine.CreateContainer(r.ctx, s)
	r.ok("CreateContainer", err)
	return id
}

func (r *rig) network() (id string) {
	r.Helper()
	id, err := r.engine.CreateNetwork(r.ctx, runner.NetworkSpec{Name: r.name(), Labels: r.labels()})
	r.ok("CreateNetwork", err)
	return id
}

func (r *rig) volume() (id string) {
	r.Helper()
	id, err := r.engine.CreateVolume(r.ctx, runner.VolumeSpec{Name: r.name(), Labels: r.labels()})
	r.ok("CreateVolume", err)
	return id
}

func (r *rig) start(id string) {
	r.Helper()
	r.ok("Start", r.engine.Start(r.ctx, id))
}

func (r *rig) wait(id string) runner.ContainerState {
	r.Helper()
	s, err := r.engine.Wait(r.ctx, id)
	r.ok("Wait", err)
	return s
}

func (r *rig) ok(what string, err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("%s: %v", what, err)
	}
}

// result is what a container did.
type result struct {
	runner.ContainerState
	stdout, stderr string
}

// run runs a container from its creation to its end.
func (r *rig) run(s runner.ContainerSpec) result {
	r.Helper()
	f := r.begin(s)
	return f.result()
}

// flight is a container that was started, and its attached output.
type flight struct {
	*rig
	id             string
	out            runner.Output
	stdout, stderr *feed
	copied         chan error
}

// begin creates a container, attaches to it and starts it.
func (r *rig) begin(s runner.ContainerSpec) *flight {
	r.Helper()
	f := &flight{rig: r, id: r.create(s), stdout: newFeed(), stderr: newFeed(), copied: make(chan error, 1)}
	out, err := r.engine.Attach(r.ctx, f.id)
	r.ok("Attach", err)
	f.out = out
	r.Cleanup(func() { out.Close() })
	go func() { f.copied <- out.Copy(f.stdout, f.stderr) }()
	r.start(f.id)
	return f
}

// result waits for the container's end.
func (f *flight) result() result {
	f.Helper()
	state := f.wait(f.id)
	f.ok("Copy", f.copyError())
	return result{state, f.stdout.String(), f.stderr.String()}
}

// copyError waits for the end of Copy.
func (f *flight) copyError() error {
	f.Helper()
	select {
	case err := <-f.copied:
		return err
	case <-f.ctx.Done():
		f.Fatal("Copy does not return")
		return nil
	}
}

// logs reads the engine's record of a container.
func (r *rig) logs(id string) (stdout, stderr string) {
	r.Helper()
	out, err := r.engine.Logs(r.ctx, id, false)
	r.ok("Logs", err)
	defer out.Close()
	var o, e bytes.Buffer
	r.ok("Copy", out.Copy(&o, &e))
	return o.String(), e.String()
}

// Archive returns a tar stream with one file below directories that everyone
// may write to.
func Archive(path, content string) *bytes.Buffer {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i, c := range path {
		if c == '/' {
			w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path[:i+1], Mode: 0o777})
		}
	}
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o666, Size: int64(len(content))})
	w.Write([]byte(content))
	w.Close()
	return &buf
}

func names(rs []runner.Resource) []string {
	var out []string
	for _, r := range rs {
		out = append(out, string(r.Kind)+" "+r.Name)
	}
	slices.Sort(out)
	return out
}
