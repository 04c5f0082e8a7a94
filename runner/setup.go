package runner

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// setup makes what all steps of a job share: the network, the volume and, in
// it, the source. Nobody waits for more than they need: the container of the first
// step is started while its source comes.
type setup struct {
	// Each is closed when the part is there, or the job is halted for want of it.
	networkMade, volumeMade, sourced chan struct{}

	network string // ID; set when networkMade is closed
	volume  string // ID; set when volumeMade is closed

	begun   bool // the owner's
	running sync.WaitGroup
}

func (u *setup) init() {
	u.networkMade, u.volumeMade, u.sourced = make(chan struct{}), make(chan struct{}), make(chan struct{})
}

// setupError is the cause with which a job is halted that cannot be set up.
type setupError struct{ err error }

func (e setupError) Error() string { return e.err.Error() }
func (e setupError) Unwrap() error { return e.err }

var (
	opNetwork = Op{Kind: OpCreateNetwork}
	opVolume  = Op{Kind: OpCreateVolume}
	opSource  = Op{Kind: OpCopySource}
	opRemove  = Op{Kind: OpRemoveJob}
)

// begin starts setting up. wait waits for it.
func (u *setup) begin(r *run) {
	u.begun = true
	first, width := r.firstSandbox(), r.width()
	u.part(r, u.networkMade, func(r *run) error { return u.makeNetwork(r, first, width) })
	u.part(r, u.volumeMade, u.makeVolume)
	u.part(r, u.sourced, u.copySource)
	r.prepareSandboxes()
}

// part starts to make one part. A job that lacks one is halted.
func (u *setup) part(r *run, made chan<- struct{}, f func(*run) error) {
	u.running.Go(func() {
		defer close(made)
		if err := f(r); err != nil {
			r.halt(setupError{err})
		}
	})
}

// wait waits for what begin started, and the sandboxes, of which no more may be made.
func (u *setup) wait() { u.running.Wait() }

// makeNetwork makes the network, which may have the named sandbox on it, and
// others up to so many.
func (u *setup) makeNetwork(r *run, sandbox string, width int) error {
	if rec, _ := r.record(opNetwork); rec.Done {
		u.network = rec.ID
		return nil
	}
	spec := NetworkSpec{Name: NetworkName(r.job.Server, r.job.ID), Labels: r.job.labels(0), Sandbox: sandbox, Sandboxes: width}
	id, err := r.do(opNetwork, func(ctx context.Context) (string, error) { return r.eng.CreateNetwork(ctx, spec) })
	u.network = id
	return err
}

func (u *setup) makeVolume(r *run) error {
	if rec, _ := r.record(opVolume); rec.Done {
		u.volume = rec.ID
		return nil
	}
	id, err := r.do(opVolume, func(ctx context.Context) (string, error) {
		return r.eng.CreateVolume(ctx, VolumeSpec{Name: VolumeName(r.job.Server, r.job.ID), Labels: r.job.labels(0)})
	})
	u.volume = id
	return err
}

// copySource puts the source into the volume, unless that has been done.
func (u *setup) copySource(r *run) error {
	if rec, _ := r.record(opSource); rec.Done {
		return nil
	}
	tree := openLate(func() (io.ReadCloser, error) { return openTree(r) })
	defer func() { _ = tree.Close() }() // it was read to its end, or nobody wants it
	select {
	case <-u.volumeMade:
	case <-r.work.Done():
	}
	if r.work.Err() != nil {
		return context.Cause(r.work)
	}
	spec := FillSpec{Name: SourceName(r.job.Server, r.job.ID), Labels: r.job.labels(0), VolumeID: u.volume}
	_, err := r.doIn(r.work, opSource, func(ctx context.Context) (string, error) {
		return "", r.eng.FillVolume(ctx, spec, tree)
	})
	if _, unopened := tree.wait(); unopened != nil {
		return unopened
	}
	return wrap("copy source", err)
}

// lateTree is a source that is being opened. The engine prepares meanwhile to take
// it.
type lateTree struct {
	opened chan struct{} // closed when the others are set
	tree   io.ReadCloser
	err    error
}

func openLate(open func() (io.ReadCloser, error)) *lateTree {
	t := &lateTree{opened: make(chan struct{})}
	go func() {
		defer close(t.opened)
		t.tree, t.err = open()
	}()
	return t
}

// wait returns what came of the opening.
func (t *lateTree) wait() (io.ReadCloser, error) {
	<-t.opened
	return t.tree, t.err
}

func (t *lateTree) Read(p []byte) (int, error) {
	tree, err := t.wait()
	if err != nil {
		return 0, err
	}
	return tree.Read(p)
}

func (t *lateTree) Close() error {
	tree, err := t.wait()
	if err != nil {
		return nil
	}
	return tree.Close()
}

// openTree opens the source as a stream whose entries stand below the base of the
// workspace, where the volume is.
func openTree(r *run) (io.ReadCloser, error) {
	if r.job.Source == nil {
		tree, err := emptyTree(r.job.Workflow.Workspace)
		return tree, wrap("make empty workspace", err)
	}
	tree, err := r.job.Source(r.work)
	return tree, wrap("open source", err)
}

// emptyTree is a tree of nothing but the directory that steps begin in, which
// anyone may write to.
func emptyTree(w pipeline.Workspace) (io.ReadCloser, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	name := ""
	for part := range strings.SplitSeq("./"+w.Path, "/") {
		if part == "" {
			continue
		}
		name += part + "/"
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o777}); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return io.NopCloser(&b), nil
}

// wrap puts what was tried before an error.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
