package webui

import (
	"bytes"
	"context"
	"html/template"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/store/logs"
)

// styleRows is how many rows before others are looked at for the colours that
// last into them.
const styleRows = 100

// maxCommandText is the most bytes of a line of a command that are shown unless
// they are asked for: it stands above its output, and would fill a phone's screen.
const maxCommandText = 320

// logRow is a row as it is shown.
type logRow struct {
	N      int64 // 0 for a line that is not complete
	Kind   logs.Kind
	Stream logs.Stream
	Time   time.Time
	HTML   template.HTML
	// Link leads to this row; "" on those of a command, which fold it and have no
	// room for another thing to press.
	Link string
	// Cut is the address of the whole text if some of it is not shown. Of a command
	// the link to it stands below, since what folds can hold no links.
	Cut    string
	Exit   int  // on a command: of the one before it
	Target bool // the reader asked for this row
	Goal   bool // the page opens on this row
}

func (r logRow) Notice() bool  { return r.Kind == logs.Notice }
func (r logRow) Command() bool { return r.Kind == logs.Command }
func (r logRow) More() bool    { return r.Kind == logs.More }
func (r logRow) Head() bool    { return r.Command() || r.More() }

// Class is the class that tells rows apart.
func (r logRow) Class() string {
	class := "row"
	switch {
	case r.Kind == logs.Notice:
		class = "row notice"
	case r.N == 0:
		class = "row open"
	}
	if r.Target {
		class += " target"
	}
	if r.Goal {
		class += " goal"
	}
	return class
}

// At is when the row was written, in milliseconds since 1970.
func (r logRow) At() int64 { return r.Time.UnixMilli() }

// ExitWords says what the exit code of the command before means.
func (r logRow) ExitWords() string { return exitWords(r.Exit) }

// A rowMaker makes rows of one log out of its lines, in their order.
type rowMaker struct {
	console console
	path    string // of the step's page
	raw     string // of the whole text
	whole   bool   // long rows are not cut
}

func (m *rowMaker) row(l *logs.Line) logRow {
	r := logRow{N: l.N, Kind: l.Kind, Stream: l.Stream, Time: l.Time, Exit: l.Exit}
	limit := maxRowText
	switch {
	case m.whole:
		limit = logs.MaxText
	case r.Head():
		limit = maxCommandText
	}
	own := console{} // of a row whose colours last no longer
	c := &own
	switch {
	case l.Kind == logs.Command:
		m.console = console{} // a command starts with a clean terminal
	case l.Kind == logs.Output && l.Open: // it will come again
		own = m.console
	case l.Kind == logs.Output:
		c = &m.console
	}
	var cut bool
	if r.HTML, cut = c.html(l.Text, limit); cut {
		r.Cut = m.raw
	}
	if l.N > 0 && l.Kind != logs.Command && l.Kind != logs.More {
		r.Link = lineLink(m.path, l.N)
	}
	return r
}

// lineLink is the address of a row on the page with that path.
func lineLink(path string, n int64) string {
	s := strconv.FormatInt(n, 10)
	return path + "?line=" + s + "#L" + s
}

// newRowMaker returns what makes rows from the given one on, with the colours
// that the rows before it left.
func (u *UI) newRowMaker(ctx context.Context, t *logTarget, from int64) (*rowMaker, error) {
	m := &rowMaker{path: t.path, raw: t.raw()}
	before := max(1, from-styleRows)
	if before == from {
		return m, nil
	}
	for lines, err := range u.logs.Read(ctx, t.key, before, from-before) {
		if err != nil {
			return nil, err
		}
		for i := range lines {
			if lines[i].Kind == logs.Command || bytes.IndexByte(lines[i].Text, 0x1b) >= 0 {
				m.row(&lines[i])
			}
		}
	}
	return m, nil
}
