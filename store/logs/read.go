package logs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
)

// maxBatch is the most lines that a reader gets at once.
const maxBatch = 256

// Read gives the rows [from, from+n) that are stored now, in order and in
// batches, and after the last one the open lines of a log that is being
// written. from below 1 means 1; n below 0 means all. A batch is valid until
// the next one is asked for. An error is the last thing given; ErrNotFound if
// there is no such log.
func (s *Store) Read(ctx context.Context, key string, from int64, n int64) iter.Seq2[[]Line, error] {
	return func(yield func([]Line, error) bool) {
		r := newReader(s, from, n)
		v, err := s.view(key)
		if err == nil {
			err = r.drain(ctx, v, yield)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("read log %s: %w", key, err))
		}
	}
}

// Follow gives the rows from that number on as they are stored, in batches,
// and open lines as they change.
//
// It ends without an error when the log is finished and all its rows are given.
// A log that has no writer, or does not exist, is waited for until it gets one.
// Closing done says that nothing more will come: what is stored then is given,
// and Follow ends, without an error even if there never was a log. done may be
// nil. A batch is valid until the next one is asked for. An error is the last
// thing given; if ctx ends it is the context's.
func (s *Store) Follow(ctx context.Context, key string, from int64, done <-chan struct{}) iter.Seq2[[]Line, error] {
	return func(yield func([]Line, error) bool) {
		r := newReader(s, from, -1)
		err := r.follow(ctx, key, done, yield)
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("follow log %s: %w", key, err))
		}
	}
}

// errStopped: the loop over what a reader gives was left.
var errStopped = errors.New("reader stopped")

// A reader knows what it has given of a log.
type reader struct {
	s    *Store
	next int64 // row
	end  int64 // row after the last one wanted
	seen [streams]uint64

	// Where next is in the log as it was opened with that id; 0 if not known.
	log   uint64
	chunk int
	off   int

	batch []Line
}

func newReader(s *Store, from, n int64) *reader {
	from = max(from, 1)
	end := int64(math.MaxInt64)
	if n >= 0 && n < end-from {
		end = from + n
	}
	return &reader{s: s, next: from, end: end}
}

func (r *reader) follow(ctx context.Context, key string, done <-chan struct{}, yield func([]Line, error) bool) error {
	for {
		ended := isClosed(done) // before looking, so that nothing stored by then is missed
		v, changed, stop, err := r.s.watch(key)
		if errors.Is(err, ErrNotFound) {
			v, err = &view{}, nil
		}
		if err == nil {
			err = r.drain(ctx, v, yield)
		}
		if err == nil && !ended && !v.finished {
			err = wait(ctx, changed, done)
		} else {
			ended = true
		}
		stop()
		if err != nil || ended {
			return err
		}
	}
}

// wait returns when one of the channels is closed, or with the error of ctx.
func wait(ctx context.Context, changed, done <-chan struct{}) error {
	select {
	case <-changed:
	case <-done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// drain gives what the view has and was not given yet.
func (r *reader) drain(ctx context.Context, v *view, yield func([]Line, error) bool) error {
	if r.log != v.id {
		if err := r.locate(v); err != nil {
			return err
		}
	}
	for r.next < r.end && r.next <= v.state.rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.fill(v); err != nil {
			return err
		}
		if len(r.batch) > 0 && !yield(r.batch, nil) {
			return errStopped
		}
	}
	return r.giveOpen(v, yield)
}

// locate finds the next row in a log that was not read before.
func (r *reader) locate(v *view) error {
	if r.next > v.state.rows+1 {
		return nil // not there yet: to be looked for again
	}
	r.log, r.chunk, r.off, r.seen = v.id, v.chunkOfRow(r.next), 0, [streams]uint64{}
	skip := r.next - 1 - v.before(r.chunk).rows
	rows, err := r.s.chunk(v, r.chunk)
	if err != nil {
		return err
	}
	for range skip {
		_, n, err := decodeRow(rows[r.off:])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		r.off += n
	}
	return nil
}

// fill fills the batch with the next rows of one chunk.
func (r *reader) fill(v *view) error {
	rows, err := r.s.chunk(v, r.chunk)
	if err != nil {
		return err
	}
	r.batch = r.batch[:0]
	for r.off < len(rows) && len(r.batch) < maxBatch && r.next < r.end {
		row, n, err := decodeRow(rows[r.off:])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		row.N = r.next
		r.batch = append(r.batch, row.Line)
		r.next, r.off = r.next+1, r.off+n
	}
	if r.off == len(rows) && r.chunk < len(v.frames) {
		r.chunk, r.off = r.chunk+1, 0
	} else if len(r.batch) == 0 {
		return ErrCorrupt
	}
	return nil
}

// giveOpen gives the open lines that were not given, if the next row is the one
// that they will become.
func (r *reader) giveOpen(v *view, yield func([]Line, error) bool) error {
	if r.next != v.state.rows+1 || r.next >= r.end {
		return nil
	}
	r.batch = r.batch[:0]
	for i, o := range v.open {
		cleared := len(o.line.Text) == 0 && r.seen[i] == 0 // before any was given
		if o.line.Open && o.seq != r.seen[i] && !cleared {
			r.batch = append(r.batch, o.line)
		}
		r.seen[i] = o.seq
	}
	if len(r.batch) > 0 && !yield(r.batch, nil) {
		return errStopped
	}
	return nil
}

// watch returns the log as it is now and a channel that is closed when there
// may be more of it: also with ErrNotFound, then when it is made. The caller
// calls stop when it waits no longer.
func (s *Store) watch(key string) (v *view, changed <-chan struct{}, stop func(), err error) {
	if w := s.writer(key); w != nil {
		v, changed = w.watch()
		return v, changed, func() {}, nil
	}
	changed, stop = s.await(key)
	v, err = s.view(key)
	return v, changed, stop, err
}
