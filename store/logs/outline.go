package logs

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

// MaxCommands is the most commands that Commands tells apart. What comes after
// the last of them counts as its output.
const MaxCommands = 2000

// A CommandSpan is where a command stands in a log, and how it went.
type CommandSpan struct {
	First int64     // row of the first line of its text
	Head  int64     // rows of its text, First included
	Last  int64     // row before the next command, or the last one stored
	Start time.Time // of its first row
	End   time.Time // when the next command began; zero for the last one
	Exit  int       // exit status; -1 where the log does not tell, as of the last one
}

// Commands returns the commands of a log as far as it is stored, in their
// order. The caller must not change them. It reads what was stored since it was
// asked for the last time, the whole log at first: 100 MB take a tenth of a
// second. It returns ErrNotFound if there is no such log.
func (s *Store) Commands(ctx context.Context, key string) ([]CommandSpan, error) {
	v, err := s.view(key)
	if err != nil {
		return nil, fmt.Errorf("read commands of log %s: %w", key, err)
	}
	o, ok := s.outlines.get(v.id)
	if !ok {
		o = &outline{}
	}
	if len(v.frames) > o.chunks {
		if o, err = s.extend(ctx, v, o); err != nil {
			return nil, fmt.Errorf("read commands of log %s: %w", key, err)
		}
		s.outlines.put(v.id, o)
	}
	all := outline{commands: slices.Clone(o.commands)}
	marks, err := marksOf(v.rows, v.before(len(v.frames)).rows+1)
	if err != nil {
		return nil, fmt.Errorf("read commands of log %s: %w", key, err)
	}
	all.add(marks)
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
	return int64(unsafe.Sizeof(*o)) + int64(cap(o.commands))*int64(unsafe.Sizeof(CommandSpan{}))
}

// extend returns the outline of all sealed chunks, given that of the first ones.
func (s *Store) extend(ctx context.Context, v *view, o *outline) (*outline, error) {
	sealed := *v
	sealed.rows = nil
	found := make([][]mark, len(v.frames)+1)
	err := s.scan(ctx, &sealed, o.chunks, func() visitor {
		return func(n int, rows []byte) (err error) {
			found[n], err = marksOf(rows, v.before(n).rows+1)
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	next := &outline{chunks: len(v.frames), commands: slices.Clone(o.commands)}
	for _, marks := range found {
		next.add(marks)
	}
	return next, nil
}

// A mark is a row that is part of a command's text.
type mark struct {
	n    int64
	kind Kind
	exit int
	at   time.Time
}

// marksOf finds the marks of encoded rows, the first of which is row n.
func marksOf(rows []byte, n int64) (marks []mark, err error) {
	err = eachRow(rows, n, func(n int64, r *row) {
		if r.Kind == Command || r.Kind == More {
			marks = append(marks, mark{n, r.Kind, r.Exit, r.Time})
		}
	})
	return marks, err
}

func (o *outline) add(marks []mark) {
	for _, m := range marks {
		n := len(o.commands)
		switch {
		case m.kind == More:
			if n > 0 && m.n == o.commands[n-1].First+o.commands[n-1].Head {
				o.commands[n-1].Head++
			}
		case n < MaxCommands:
			if n > 0 {
				last := &o.commands[n-1]
				last.Last, last.End, last.Exit = m.n-1, m.at, m.exit
			}
			o.commands = append(o.commands, CommandSpan{First: m.n, Head: 1, Start: m.at, Exit: -1})
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
