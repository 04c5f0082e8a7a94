package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Text is a log as plain text, as it was when Store.Text was called: commands
// begin with "+ ", their further lines with "> ", rows that continue one
// another are joined, and open lines are left out. Any part is read without
// what stands before it, so it serves HTTP ranges.
//
// It holds nothing that needs closing. ReadAt may be called concurrently.
type Text struct {
	ctx context.Context // io.Reader leaves no other way to pass it
	s   *Store
	v   *view

	mu    sync.Mutex // guards what follows
	off   int64      // of the next Read
	chunk int        // that text is of; -1 for none
	text  []byte
}

// Text returns the log as plain text. Reading fails when ctx ends. It returns
// ErrNotFound if there is no such log.
func (s *Store) Text(ctx context.Context, key string) (*Text, error) {
	v, err := s.view(key)
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", key, err)
	}
	return &Text{ctx: ctx, s: s, v: v, chunk: -1}, nil
}

// Size is the length of the text in bytes.
func (t *Text) Size() int64 { return t.v.state.text }

// Read implements io.Reader.
func (t *Text) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.readAt(p, t.off)
	t.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (t *Text) Seek(offset int64, whence int) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += t.off
	case io.SeekEnd:
		offset += t.Size()
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning of the log")
	}
	t.off = offset
	return offset, nil
}

// ReadAt implements io.ReaderAt.
func (t *Text) ReadAt(p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if off < 0 {
		return 0, errors.New("read before the beginning of the log")
	}
	return t.readAt(p, off)
}

func (t *Text) readAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		if off >= t.Size() {
			return n, io.EOF
		}
		chunk := t.v.chunkOfText(off)
		if err := t.render(chunk); err != nil {
			return n, err
		}
		start := off - t.v.before(chunk).text
		if start >= int64(len(t.text)) {
			return n, ErrCorrupt
		}
		c := copy(p[n:], t.text[start:])
		n, off = n+c, off+int64(c)
	}
	return n, nil
}

// render makes text the text of a chunk.
func (t *Text) render(chunk int) error {
	if t.chunk == chunk {
		return nil
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	rows, err := t.s.chunk(t.v, chunk)
	if err != nil {
		return err
	}
	t.chunk, t.text = -1, t.text[:0]
	for len(rows) > 0 {
		r, n, err := decodeRow(rows)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		t.text, rows = r.appendText(t.text), rows[n:]
	}
	t.chunk = chunk
	return nil
}
