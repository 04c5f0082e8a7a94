package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// endPatience is how long after the end of its output a container may take to
// be told as ended.
const endPatience = 10 * time.Second

// Attach implements runner.Engine. The output is that of one connection, and so
// is lost with it: Copy fails if the engine goes away, and Logs has the rest.
func (e *Engine) Attach(ctx context.Context, containerID string) (runner.Output, error) {
	resp, err := e.attach(ctx, containerID, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, err
	}
	o := newOutput(ctx, resp.Reader, resp.Conn)
	o.live, o.confirm = true, func() error { return e.confirmEnd(ctx, containerID) }
	return o, nil
}

// attach opens a connection to a container's streams.
func (e *Engine) attach(ctx context.Context, id string, o container.AttachOptions) (types.HijackedResponse, error) {
	resp, err := e.cli.ContainerAttach(ctx, id, o)
	if err == nil {
		return resp, nil
	}
	// The client does not tell why an attach was refused.
	if _, ierr := e.Inspect(ctx, id); errors.Is(ierr, runner.ErrNotFound) {
		return resp, fmt.Errorf("attach to container %s: %w", id, runner.ErrNotFound)
	}
	return resp, wrap("attach to", "container", id, err)
}

// confirmEnd tells the end of a container's output from that of the connection:
// on the wire they look alike.
func (e *Engine) confirmEnd(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	err := e.ended(ctx, id)
	if errors.Is(err, runner.ErrNotFound) {
		return nil // removed, and so ended
	}
	if err != nil {
		return fmt.Errorf("output was cut off: %w", err)
	}
	return nil
}

// Logs implements runner.Engine. The record is read with the times in it, unless
// this engine was found not to tell them: a Copy that notices fails.
func (e *Engine) Logs(ctx context.Context, containerID string, follow bool) (runner.Output, error) {
	stamped := !e.stampless.Load()
	body, err := e.cli.ContainerLogs(ctx, containerID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: follow, Timestamps: stamped})
	if err != nil {
		return nil, wrap("read logs of", "container", containerID, err)
	}
	o := newOutput(ctx, body, body)
	if stamped {
		o.stampless = &e.stampless
	}
	return o, nil
}

// output is a runner.Output on one connection.
type output struct {
	ctx     context.Context
	r       io.Reader
	closed  atomic.Bool
	close   func() error // closes the connection, once
	release func() bool  // lets go of ctx
	confirm func() error // asked at a clean end, unless nil
	live    bool         // attached, and not read from the record
	// stampless, unless nil, is set when frames do not have the times that they
	// should.
	stampless *atomic.Bool
}

// newOutput returns an output that ends with ctx.
func newOutput(ctx context.Context, r io.Reader, conn io.Closer) *output {
	o := &output{ctx: ctx, r: r, close: sync.OnceValue(conn.Close)}
	o.release = context.AfterFunc(ctx, func() { _ = o.close() })
	return o
}

// Copy implements runner.Output.
func (o *output) Copy(stdout, stderr io.Writer) error {
	err := o.demux(stdout, stderr)
	var werr writeError
	switch {
	case errors.As(err, &werr):
	case errors.Is(err, errNoStamp):
		o.stampless.Store(true)
	case o.ctx.Err() != nil:
		err = o.ctx.Err()
	case o.closed.Load():
		err = net.ErrClosed
	case err == nil && o.confirm != nil:
		err = o.confirm()
	}
	if err != nil {
		return fmt.Errorf("copy output: %w", err)
	}
	return nil
}

// demux gives both streams to their writers as they are in the record, or will
// be.
func (o *output) demux(stdout, stderr io.Writer) error {
	switch {
	case o.stampless != nil:
		return demuxStamped(o.r, stdout, stderr)
	case !o.live:
		return demux(o.r, stdout, stderr)
	}
	r1, r2 := &recordWriter{w: stdout}, &recordWriter{w: stderr}
	err := demux(o.r, r1, r2)
	if err == nil {
		if rerr := errors.Join(r1.end(), r2.end()); rerr != nil {
			err = writeError{rerr}
		}
	}
	return err
}

// Close implements runner.Output. A Copy that it interrupts returns an error
// that is net.ErrClosed.
func (o *output) Close() error {
	o.closed.Store(true)
	o.release()
	return o.close()
}
