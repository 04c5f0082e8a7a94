package webui

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const (
	// windowRows is how many rows of a log are in a page as it is sent. Scripts
	// fetch others as the reader comes to them; without scripts, links lead there.
	windowRows = 120
	// windowLead is how many of them stand before the one that is looked at.
	windowLead = 30
	// failureRows is how many rows before its end a failed command is shown from,
	// where nothing better is known.
	failureRows = 20
)

// logView is a step's log: all its commands, and of their output a window.
type logView struct {
	Step   string // its name, which links to rows begin with
	Path   string // of the step's page, and of what is below it
	Groups []logGroup
	// Tail are the lines that are not complete yet.
	Tail  []logRow
	Total int64
	// Line is the row to show, 0 for the last one.
	Line     int64
	Finished bool  // no more rows will come
	Start    int64 // of the step, in milliseconds since 1970
	Raw      string
	All      string // the logs of all steps
	Stream   string // live rows; "" if none will come
	// Rendering is a part of the addresses of rows, which browsers keep.
	Rendering string
}

// A logGroup is a command with its output, or what came before the first one.
type logGroup struct {
	Head  []logRow // the command; nil for rows that no command wrote
	Parts []logPart
	// First and Last are the rows of its output, whether they are in the window or
	// not; there is none if Last is less.
	First, Last int64
	Open        bool
	Ended       bool
	// HasExit: Exit is known.
	HasExit  bool
	Exit     int
	Duration time.Duration
}

// A logPart is a part of a command's output: rows, or where some are left out.
type logPart struct {
	Rows []logRow
	// From and To are the rows that are left out, Link where they are shown.
	From, To int64
	Link     string
}

// Count is how many rows are left out.
func (p logPart) Count() int64 { return p.To - p.From + 1 }

// Failed reports whether the command ended with an error.
func (g *logGroup) Failed() bool { return g.HasExit && g.Exit != 0 }

// Cut is the address of the whole command if some of it is not shown.
func (g *logGroup) Cut() string {
	for _, row := range g.Head {
		if row.Cut != "" {
			return row.Cut
		}
	}
	return ""
}

// Start is when the command began, in milliseconds since 1970.
func (g *logGroup) Start() int64 { return g.Head[0].Time.UnixMilli() }

// ExitWords says what the exit code means.
func (g *logGroup) ExitWords() string { return exitWords(g.Exit) }

// A logTarget is the step whose log is shown.
type logTarget struct {
	key, path, build string // path is of the step's page, build of the build's
	step             store.Step
}

func (t *logTarget) raw() string { return t.path + "/raw" }

// window reads the part of a log that a page shows: around a line, else where
// the step failed, else the end.
func (u *UI) window(ctx context.Context, t *logTarget, line int64) (*logView, error) {
	v := &logView{
		Step: t.step.Name, Path: t.path, Finished: t.step.Status.Final(), Start: t.step.StartedAt.UnixMilli(),
		Raw: t.raw(), All: t.build + "/logs.zip", Rendering: u.assets.hash,
	}
	err := u.readWindow(ctx, t, v, line)
	if err != nil && !errors.Is(err, logs.ErrNotFound) {
		return nil, err
	}
	if !v.Finished {
		v.Stream = t.path + "/stream"
	}
	return v, nil
}

// readWindow reads the rows of a window and puts them under their commands.
func (u *UI) readWindow(ctx context.Context, t *logTarget, v *logView, line int64) error {
	info, err := u.logs.Stat(t.key)
	if err != nil {
		return err
	}
	if v.Line = min(max(line, 0), info.Lines); v.Line == 0 {
		if v.Line, err = u.failure(ctx, t); err != nil {
			return err
		}
	}
	from := max(1, info.Lines-windowRows+1)
	if v.Line > 0 {
		from = max(1, min(from, v.Line-windowLead))
	}
	rows, err := u.readRows(ctx, t, v, from)
	if err != nil {
		return err
	}
	v.Total = info.Lines
	if n := len(rows); n > 0 {
		v.Total = max(v.Total, rows[n-1].N)
	}
	for i := range rows {
		rows[i].Target = line > 0 && rows[i].N == line
		rows[i].Goal = rows[i].N == cmp.Or(v.Line, v.Total)
	}
	commands, err := u.logs.Commands(ctx, t.key)
	if err != nil {
		return err
	}
	v.group(commands, rows, t)
	return nil
}

// readRows reads the rows of a window, and the lines that are not complete.
func (u *UI) readRows(ctx context.Context, t *logTarget, v *logView, from int64) (rows []logRow, err error) {
	maker, err := u.newRowMaker(ctx, t, from)
	if err != nil {
		return nil, err
	}
	for lines, err := range u.logs.Read(ctx, t.key, from, windowRows) {
		if err != nil {
			return nil, err
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
	return rows, nil
}

// failure returns the row at which the log of a step that failed is opened: the
// one that its digest names, else one near the end of the command that failed.
// It returns 0 for a step that did not fail.
func (u *UI) failure(ctx context.Context, t *logTarget) (int64, error) {
	if t.step.Status != store.Failure && t.step.Status != store.Error {
		return 0, nil
	}
	d, err := u.store.Digest(ctx, t.step.ID)
	if err == nil && d.Line > 0 {
		return d.Line, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	commands, err := u.logs.Commands(ctx, t.key)
	if err != nil || len(commands) == 0 {
		return 0, err
	}
	c := &commands[len(commands)-1]
	return max(c.First, c.Last-failureRows+1), nil
}
