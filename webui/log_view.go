package webui

import (
	"context"
	"errors"
	"html/template"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const (
	// windowRows is how many rows of a log a page shows.
	windowRows = 1000
	// windowBytes bounds what these rows weigh.
	windowBytes = 2 << 20
	// styleRows is how many rows before a window are looked at for the colours
	// that last into it.
	styleRows = 100
)

// logView is a window of a step's log.
type logView struct {
	Groups []logGroup
	// Tail are the lines that are not complete yet.
	Tail        []logRow
	First, Last int64 // rows shown; 0 if there is none
	Total       int64
	Finished    bool // no more rows will come
	// Earlier and Later are the addresses of the windows beside this one, Newest
	// that of the last one; "" if this is it.
	Earlier, Later, Newest string
	Raw                    string // the log as plain text
	Stream                 string // live rows; "" if the window does not reach the end
}

// A logGroup is a command with its output, or what came before the first one.
type logGroup struct {
	Command *logRow // nil for rows that no command of this window wrote
	More    []logRow
	Rows    []logRow
	Open    bool
	Ended   bool
	// HasExit: Exit is known.
	HasExit  bool
	Exit     int
	Duration time.Duration
}

// Failed reports whether the command ended with an error.
func (g *logGroup) Failed() bool { return g.HasExit && g.Exit != 0 }

// Start is when the command began, in milliseconds since 1970.
func (g *logGroup) Start() int64 { return g.Command.Time.UnixMilli() }

// ExitWords says what the exit code means.
func (g *logGroup) ExitWords() string { return exitWords(g.Exit) }

// logRow is a row as it is shown.
type logRow struct {
	N      int64 // 0 for a line that is not complete
	Kind   logs.Kind
	Stream logs.Stream
	Time   time.Time
	HTML   template.HTML
	Link   string // to this row
	Cut    string // address of the whole text if some of it is not shown
	Exit   int    // on a command: of the one before it

	size int
}

func (r logRow) Notice() bool  { return r.Kind == logs.Notice }
func (r logRow) Command() bool { return r.Kind == logs.Command }
func (r logRow) More() bool    { return r.Kind == logs.More }

// Class is the class that tells the streams apart.
func (r logRow) Class() string {
	switch {
	case r.Kind == logs.Notice:
		return "row notice"
	case r.N == 0:
		return "row open"
	default:
		return "row"
	}
}

// A rowMaker makes rows of one log out of its lines, in their order.
type rowMaker struct {
	console  console
	path     string // of the step's page
	raw      string // of the whole text
	numbered bool   // links name the line to the server too
}

func (m *rowMaker) row(l *logs.Line) logRow {
	r := logRow{N: l.N, Kind: l.Kind, Stream: l.Stream, Time: l.Time, Exit: l.Exit}
	var cut bool
	switch l.Kind {
	case logs.Command:
		m.console = console{} // a command starts with a clean terminal
		r.HTML, cut = new(console).html(l.Text)
	case logs.Output:
		if l.Open { // it will come again
			c := m.console
			r.HTML, cut = c.html(l.Text)
		} else {
			r.HTML, cut = m.console.html(l.Text)
		}
	default:
		r.HTML, cut = new(console).html(l.Text)
	}
	if cut {
		r.Cut = m.raw
	}
	if l.N > 0 {
		n := strconv.FormatInt(l.N, 10)
		r.Link = m.path + "#L" + n
		if m.numbered {
			r.Link = m.path + "?line=" + n + "#L" + n
		}
	}
	r.size = len(r.HTML)
	return r
}

// newRowMaker returns what makes rows from the given one on, with the colours
// that the rows before it left.
func (u *UI) newRowMaker(ctx context.Context, t *logTarget, from int64) (*rowMaker, error) {
	m := &rowMaker{path: t.path, raw: t.raw, numbered: from > 1}
	before := max(1, from-styleRows)
	if before == from {
		return m, nil
	}
	for lines, err := range u.logs.Read(ctx, t.key, before, from-before) {
		if err != nil {
			return nil, err
		}
		for i := range lines {
			m.row(&lines[i])
		}
	}
	return m, nil
}

// A logTarget is the step whose log is shown.
type logTarget struct {
	key, path, raw string
	step           store.Step
}

// window reads the part of a log that a page shows: around a line, or the end.
func (u *UI) window(ctx context.Context, t *logTarget, line int64) (*logView, error) {
	info, err := u.logs.Stat(t.key)
	if err != nil && !errors.Is(err, logs.ErrNotFound) {
		return nil, err
	}
	v := &logView{Total: info.Lines, Finished: t.step.Status.Final(), Raw: t.raw}
	from := max(1, info.Lines-windowRows+1)
	if line > 0 {
		from = max(1, min(from, line-windowRows/2))
	}
	if err == nil {
		if err := u.readWindow(ctx, t, v, from, line); err != nil {
			return nil, err
		}
	}
	v.addLinks(t)
	return v, nil
}

// readWindow reads the rows of a window and puts them into groups.
func (u *UI) readWindow(ctx context.Context, t *logTarget, v *logView, from, line int64) error {
	maker, err := u.newRowMaker(ctx, t, from)
	if err != nil {
		return err
	}
	var rows []logRow
	for lines, err := range u.logs.Read(ctx, t.key, from, windowRows) {
		if err != nil {
			return err
		}
		for i := range lines {
			switch row := maker.row(&lines[i]); {
			case row.N > 0:
				rows = append(rows, row)
			case len(lines[i].Text) > 0:
				v.Tail = append(v.Tail, row)
			}
		}
	}
	rows, atEnd := fit(rows, line)
	if !atEnd {
		v.Tail = nil
	}
	if len(rows) > 0 {
		v.First, v.Last = rows[0].N, rows[len(rows)-1].N
		v.Total = max(v.Total, v.Last)
	}
	v.Groups = group(rows, t.step, line, v.Last == v.Total)
	return nil
}

// fit leaves out rows, the farthest from the line that is looked at first,
// until the rest is small enough. atEnd reports that the last row is still in.
func fit(rows []logRow, line int64) (_ []logRow, atEnd bool) {
	size := 0
	for i := range rows {
		size += rows[i].size
	}
	atEnd = true
	for size > windowBytes && len(rows) > 1 {
		first, last := rows[0], rows[len(rows)-1]
		if line > 0 && last.N-line > line-first.N {
			rows, atEnd = rows[:len(rows)-1], false
			size -= last.size
		} else {
			rows = rows[1:]
			size -= first.size
		}
	}
	return rows, atEnd
}

func (v *logView) addLinks(t *logTarget) {
	at := func(n int64) string {
		s := strconv.FormatInt(n, 10)
		return t.path + "?line=" + s + "#L" + s
	}
	if v.First > 1 {
		v.Earlier = at(v.First - 1)
	}
	if v.Last < v.Total {
		v.Later, v.Newest = at(v.Last+1), t.path
	}
	if !v.Finished && v.Newest == "" {
		v.Stream = t.path + "/stream?from=" + strconv.FormatInt(v.Last+1, 10)
	}
}

// group puts rows under their commands. What failed, what runs, and the command
// of the line that is looked at are open.
func group(rows []logRow, step store.Step, line int64, toEnd bool) []logGroup {
	var out []logGroup
	for i := range rows {
		r := &rows[i]
		if r.Kind == logs.Command {
			if n := len(out); n > 0 {
				out[n-1].end(r.Exit, r.Exit >= 0, r.Time)
			}
			out = append(out, logGroup{Command: r})
		} else if len(out) == 0 {
			out = append(out, logGroup{})
		}
		switch g := &out[len(out)-1]; {
		case r.Kind == logs.Command:
		case r.Kind == logs.More && g.Command != nil && len(g.Rows) == 0:
			g.More = append(g.More, *r)
		default:
			g.Rows = append(g.Rows, *r)
		}
	}
	if len(out) == 0 {
		return nil
	}
	last := &out[len(out)-1]
	if toEnd && step.Status.Final() {
		last.end(step.ExitCode, step.Exited, step.FinishedAt)
	}
	last.Open = true
	for i := range out {
		g := &out[i]
		g.Open = g.Open || g.Failed() || g.holds(line)
	}
	return out
}

func (g *logGroup) end(exit int, known bool, at time.Time) {
	g.Ended, g.Exit, g.HasExit = true, exit, known
	if g.Command != nil && at.After(g.Command.Time) {
		g.Duration = at.Sub(g.Command.Time)
	}
}

func (g *logGroup) holds(line int64) bool {
	n := len(g.Rows)
	return line > 0 && n > 0 && g.Rows[0].N <= line && line <= g.Rows[n-1].N
}
