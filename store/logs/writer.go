package logs

import (
	"fmt"
	"os"
	"sync"
)

// A Writer writes one log. Its methods may be called concurrently.
type Writer struct {
	s    *Store
	key  string
	path string // without suffix
	id   uint64 // of its views

	appending sync.Mutex // serialises what writes; guards what follows
	tail      *os.File
	tailEnd   int64 // where the next record goes; 0 if the header is to be written
	logEnd    int64 // where the next frame goes
	// skip is how many pieces of its first line each stream is fed again.
	skip   [streams]uint32
	buf    []byte
	closed bool

	mu sync.RWMutex // guards what readers see; it changes under both locks
	published
	changed chan struct{} // closed at the next change; nil if nobody waits
}

// published is the part of a Writer that readers see. Slices only grow at their
// ends, so that a copy of it stays as it is.
type published struct {
	frames   []frame
	rows     []byte // encoded; of the chunk that is being filled
	state    state
	open     [streams]openLine
	finished bool
	outline  int64 // bytes of it in the file of a finished log
}

// Append stores lines, in order. When it returns, any reader of this Store sees
// them, and they survive the death of the process. Lines with Open set are kept
// in memory only: each replaces the open line of its stream, until a line of
// that stream is stored.
//
// Rows that a reopened log has of a line that was not complete are fed again
// and dropped here: the source has to be cut in the same way each time.
//
// On error, some first part of lines may be stored, and the Writer still works.
// The texts are copied.
func (w *Writer) Append(lines ...Line) error {
	for i := range lines {
		if err := lines[i].check(); err != nil {
			return fmt.Errorf("append to log %s: %w", w.key, err)
		}
	}
	w.appending.Lock()
	defer w.appending.Unlock()
	if w.closed {
		return fmt.Errorf("append to log %s: %w", w.key, ErrClosed)
	}
	for len(lines) > 0 {
		n, err := w.appendSome(lines)
		if err != nil {
			return fmt.Errorf("append to log %s: %w", w.key, err)
		}
		lines = lines[n:]
	}
	return nil
}

// appendSome stores as many of lines as fill the chunk, as one record, and
// returns how many. A full chunk is sealed first. The rows of a command stay
// together: only its first counts as a line of the source, so that after a death
// between them nobody would know that the others are missing.
func (w *Writer) appendSome(lines []Line) (int, error) {
	if len(w.rows) >= w.s.fill {
		if err := w.seal(); err != nil {
			return 0, err
		}
	}
	if w.tailEnd == 0 {
		if err := w.startTail(); err != nil {
			return 0, err
		}
	}
	b := batch{state: w.state, open: w.open, skip: w.skip, max: w.s.maxStored, buf: beginRecord(w.buf[:0], recordRows)}
	n := 0
	for n < len(lines) {
		size := len(w.rows) + len(b.buf) - recordHead
		if size >= w.s.fill && (lines[n].Kind != More || size > maxChunk-maxRow) {
			break
		}
		b.add(&lines[n])
		n++
	}
	rows := b.buf[recordHead:]
	if err := w.write(&b); err != nil {
		return 0, err
	}
	w.skip = b.skip
	w.publish(func(p *published) {
		p.rows, p.state, p.open = append(p.rows, rows...), b.state, b.open
	})
	return n, nil
}

// SourceLines is the number of complete lines of a stream's source that are
// stored, or were dropped because the log was full.
func (w *Writer) SourceLines(st Stream) int64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.state.lines[st]
}

// Close marks the log as finished and makes it durable; followers end. Open
// lines are dropped. After an error the log is not finished and can be opened
// again. A second Close does nothing.
func (w *Writer) Close() error {
	if err := w.end(true); err != nil {
		return fmt.Errorf("close log %s: %w", w.key, err)
	}
	return nil
}

// Release makes the log durable and lets go of it without finishing it:
// followers go on waiting for who opens it again. It does nothing after Close.
func (w *Writer) Release() error {
	if err := w.end(false); err != nil {
		return fmt.Errorf("release log %s: %w", w.key, err)
	}
	return nil
}

// end makes the log durable, finished or as it is, and then gives the writer
// up, whatever came of it.
func (w *Writer) end(finish bool) error {
	w.appending.Lock()
	defer w.appending.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	last := w.flush
	if finish {
		last = w.finish
	}
	err := last()
	w.publish(func(p *published) {
		p.open = [streams]openLine{}
		p.finished = finish && err == nil
	})
	w.s.forget(w, err == nil)
	w.leave()
	if err := w.tail.Close(); err != nil {
		w.s.log.Warn("close tail of log", "log", w.key, "error", err)
	}
	return err
}

// publish changes what readers see and wakes followers.
func (w *Writer) publish(change func(*published)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.published)
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// leave wakes followers for the last time, and at once those who come late.
func (w *Writer) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	close(w.changed)
}

// view returns the log as it is now.
func (w *Writer) view() *view {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.viewLocked()
}

// watch returns the log as it is now, and a channel that is closed when it
// changes.
func (w *Writer) watch() (*view, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.viewLocked(), w.changed
}

func (w *Writer) viewLocked() *view {
	return &view{
		id: w.id, path: w.path, frames: w.frames, rows: w.rows, state: w.state, open: w.open,
		finished: w.finished, outline: w.outline, writer: !w.finished,
	}
}
