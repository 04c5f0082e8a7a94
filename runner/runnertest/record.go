package runnertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// record is all output of one container. It has one program that writes and any
// number of readers, each from the first byte.
type record struct {
	mu       sync.Mutex // guards what follows
	pieces   []piece
	finished bool
	changed  chan struct{} // closed and made anew with each change
}

type piece struct {
	stream runner.Stream
	data   []byte
	at     time.Time
}

// stream is one stream of a record, to write to.
type stream struct {
	r  *record
	to runner.Stream
}

func (s stream) Write(p []byte) (int, error) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if !s.r.finished {
		s.r.pieces = append(s.r.pieces, piece{s.to, bytes.Clone(p), time.Now()})
		s.r.wake()
	}
	return len(p), nil
}

func (r *record) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finished = true
	r.wake()
}

// wake tells the readers of a change. It is called with mu held.
func (r *record) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// from returns the pieces from index n on, whether they are the last, and a
// channel that is closed with the next change.
func (r *record) from(n int) ([]piece, bool, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pieces[n:len(r.pieces):len(r.pieces)], r.finished, r.changed
}

// output is a runner.Output that reads a record.
type output struct {
	ctx    context.Context
	record *record
	follow bool
	timed  bool // writers are told times
	faults *faults
	gone   <-chan struct{} // closed when the engine goes away
	once   sync.Once
	closed chan struct{}
}

// Copy implements runner.Output.
func (o *output) Copy(stdout, stderr io.Writer) error {
	for n := 0; ; {
		if err := o.interrupted(); err != nil {
			return err
		}
		pieces, last, changed := o.record.from(n)
		n += len(pieces)
		if err := o.write(pieces, stdout, stderr); err != nil {
			return err
		}
		if last || !o.follow {
			return nil
		}
		select {
		case <-changed:
		case <-o.ctx.Done():
		case <-o.closed:
		case <-o.gone:
		}
	}
}

// interrupted reports why the output cannot be read any more.
func (o *output) interrupted() error {
	switch {
	case o.ctx.Err() != nil:
		return fmt.Errorf("copy output: %w", o.ctx.Err())
	case isClosed(o.closed):
		return fmt.Errorf("copy output: %w", net.ErrClosed)
	case isClosed(o.gone):
		return fmt.Errorf("copy output: %w", o.faults.why())
	}
	return nil
}

func (o *output) write(pieces []piece, stdout, stderr io.Writer) error {
	for _, p := range pieces {
		w := stdout
		if p.stream == runner.StreamStderr {
			w = stderr
		}
		if t, ok := w.(runner.Timed); ok && o.timed {
			t.At(p.at)
		}
		if _, err := w.Write(p.data); err != nil {
			return fmt.Errorf("copy output: %w", err)
		}
	}
	return nil
}

// Close implements runner.Output.
func (o *output) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}
