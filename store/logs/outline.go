package logs

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

const (
	// MaxCommands is the most commands that Commands tells apart. What comes
	// after the last of them counts as its output.
	MaxCommands = 2000

	// maxHead is how many rows of its text a command has in an outline, and
	// maxHeadText how many bytes of each.
	maxHead     = 8
	maxHeadText = 1 << 10
)

// A CommandSpan is where a command stands in a log, and how it went.
type CommandSpan struct {
	// Head are the rows of its text, the first of which is numbered First; at
	// most 8. Of the text of each there is at most 1 KiB, then "…".
	Head  []Line
	First int64
	Last  int64     // row before the next command, or the last one stored
	End   time.Time // when the next command began; zero for the last one
	Exit  int       // exit status; -1 where the log does not tell, as of the last one
}

// Body is the first row after Head.
func (c *CommandSpan) Body() int64 { return c.First + int64(len(c.Head)) }

// Commands returns the commands of a log as far as it is stored, in their
// order. The caller must not change them. They are known of a log that was
// written by this process and of one that is finished; of others it reads what
// was stored since it was asked for the last time, the whole log at first: 100 MB
// take a tenth of a second. It returns ErrNotFound if there is no such log.
func (s *Store) Commands(ctx context.Context, key string) ([]CommandSpan, error) {
	v, err := s.view(key)
	if err != nil {
		return nil, fmt.Errorf("read commands of log %s: %w", key, err)
	}
	return s.commands(ctx, key, v)
}

// commands returns the commands of the log as v shows it, or as it is by now.
func (s *Store) commands(ctx context.Context, key string, v *view) ([]CommandSpan, error) {
	o, err := s.outline(ctx, v)
	for err == nil && o.chunks > len(v.frames) { // v's rows were sealed meanwhile: o has them too
		if v, err = s.view(key); err == nil {
			o, err = s.outline(ctx, v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read commands of log %s: %w", key, err)
	}
	all := outline{commands: slices.Clone(o.commands)}
	rows, err := headRows(v.rows, v.before(len(v.frames)).rows+1)
	if err != nil {
		return nil, fmt.Errorf("read commands of log %s: %w", key, err)
	}
	all.add(rows)
	if n := len(all.commands); n > 0 {
		all.commands[n-1].Last = v.state.rows
	}
	return all.commands, nil
}

// An outline is what Commands knows of the sealed chunks of a log. It does not
// change.
type outline struct {
	chunks   int // that were read
	commands []CommandSpan
}

func (o *outline) size() int64 {
	n := int64(unsafe.Sizeof(*o))
	for i := range o.commands {
		n += int64(unsafe.Sizeof(o.commands[i]))
		for _, l := range o.commands[i].Head {
			n += int64(unsafe.Sizeof(l)) + int64(len(l.Text))
		}
	}
	return n
}

// outline returns the outline of all sealed chunks, from where it costs least.
func (s *Store) outline(ctx context.Context, v *view) (*outline, error) {
	o, ok := s.outlines.get(v.id)
	if !ok {
		o = s.storedOutline(v)
	}
	if len(v.frames) > o.chunks {
		var err error
		if o, err = s.extend(ctx, v, o); err != nil {
			return nil, err
		}
		ok = false
	}
	if !ok {
		s.outlines.put(v.id, o)
	}
	return o, nil
}

// extend returns the outline of all sealed chunks, given that of the first ones.
func (s *Store) extend(ctx context.Context, v *view, o *outline) (*outline, error) {
	sealed := *v
	sealed.rows = nil
	found := make([][]Line, len(v.frames)+1)
	err := s.scan(ctx, &sealed, o.chunks, func() visitor {
		return func(n int, rows []byte) (err error) {
			found[n], err = headRows(rows, v.before(n).rows+1)
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	next := &outline{chunks: len(v.frames), commands: slices.Clone(o.commands)}
	for _, rows := range found {
		next.add(rows)
	}
	return next, nil
}

// headRows finds the rows of commands' texts among encoded rows, the first of
// which is row n.
func headRows(rows []byte, n int64) (heads []Line, err error) {
	err = eachRow(rows, n, func(n int64, r *row) {
		if r.Kind == Command || r.Kind == More {
			l := r.Line
			if l.N, l.Text = n, bytes.Clone(l.Text[:min(len(l.Text), maxHeadText)]); len(l.Text) < len(r.Text) {
				l.Text = append(bytes.ToValidUTF8(l.Text, nil), "…"...)
			}
			heads = append(heads, l)
		}
	})
	return heads, err
}

func (o *outline) add(rows []Line) {
	for _, r := range rows {
		n := len(o.commands)
		switch {
		case r.Kind == More:
			if n == 0 {
				break
			}
			// The commands of an outline that was taken over are shared.
			if c := &o.commands[n-1]; r.N == c.Body() && len(c.Head) < maxHead {
				c.Head = append(slices.Clip(c.Head), r)
			}
		case n < MaxCommands:
			if n > 0 {
				last := &o.commands[n-1]
				last.Last, last.End, last.Exit = r.N-1, r.Time, r.Exit
			}
			o.commands = append(o.commands, CommandSpan{Head: []Line{r}, First: r.N, Exit: -1})
		}
	}
}

// eachRow calls f for encoded rows, the first of which is row n.
func eachRow(rows []byte, n int64, f func(n int64, r *row)) error {
	for len(rows) > 0 {
		r, size, err := decodeRow(rows)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		f(n, &r)
		rows, n = rows[size:], n+1
	}
	return nil
}
