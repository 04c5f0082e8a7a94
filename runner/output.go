package runner

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/runner/mask"
)

// errFlood stops a step that writes more than Job.MaxOutput.
var errFlood = errors.New("too much output")

// A pass is one reading of a container's output from its first byte into the
// step's sink. What the sink has of an earlier pass, or of an earlier process,
// is dropped from it, so that however often the output is read, each line is
// stored once.
type pass struct {
	stdout, stderr *streamWriter
}

// passes makes the passes of one step.
type passes struct {
	sink     *sink
	mask     *mask.Set
	nonce    string
	commands [][]Line // rows for each command; nil if the step has no script
	limit    int64    // bytes of output, commands included: a step can print its own markers
	// cut are the rows of a line without an end that the pass before this one
	// appended, by stream. Those of an earlier process the Log itself knows.
	cut [StreamStderr + 1]int64
	// marked: the first command's marker has been read, by some pass of the
	// attempt.
	marked atomic.Bool
	passed func() // called for the marker after the last command's; may be again
	// since is when the step began: no output of it is older.
	since time.Time
	// base are the lines of each stream that the log has of attempts before.
	base [StreamStderr + 1]int64
}

// begin starts the next pass.
func (ps *passes) begin() (*pass, error) {
	if err := ps.sink.flush(); err != nil { // counts are right only then
		return nil, err
	}
	left := new(atomic.Int64)
	left.Store(ps.limit)
	p := &pass{stdout: ps.stream(StreamStdout, left), stderr: ps.stream(StreamStderr, left)}
	s := ps.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = []*lineWriter{p.stdout.lines, p.stderr.lines}
	return p, nil
}

// stream makes one stream of a pass: bytes → valid UTF-8 → markers taken out →
// masked → rows.
func (ps *passes) stream(stream Stream, left *atomic.Int64) *streamWriter {
	w := &streamWriter{left: left, since: ps.since}
	w.lines = &lineWriter{sink: ps.sink, stream: stream, skip: ps.sink.log.SourceLines(stream) - ps.base[stream], skipRow: ps.cut[stream]}
	w.mask = ps.mask.Writer(w.lines)
	w.text = &utf8Writer{w: w.mask}
	if ps.commands != nil && stream == StreamStdout {
		w.markers = &markerWriter{w: w.mask, prefix: []byte(markerPrefix(ps.nonce))}
		w.markers.found = func(index, status int, mid bool) (bool, error) {
			if index < 0 || index > len(ps.commands) {
				return false, nil
			}
			if mid {
				if err := w.endLine(); err != nil {
					return true, err
				}
			}
			if index == len(ps.commands) {
				ps.passed()
				return true, nil
			}
			ps.marked.Store(true)
			rows := ps.commands[index]
			if w.left.Add(-textSize(rows)) < 0 {
				return true, errFlood
			}
			return true, w.lines.command(rows, status)
		}
		w.text.w = w.markers
	}
	return w
}

// begun reports whether the step's commands began, if it has any.
func (ps *passes) begun() bool { return ps.marked.Load() }

// end completes a pass that has seen everything.
func (p *pass) end() error {
	return errors.Join(p.stdout.end(), p.stderr.end())
}

// finish ends the output of an attempt, whatever became of it, and returns how
// many lines of each stream the log has.
func (ps *passes) finish() (lines [StreamStderr + 1]int64, err error) {
	ps.sink.endLines(ps.cut)
	ps.cut = [StreamStderr + 1]int64{}
	ps.marked.Store(false)
	if err := ps.sink.flush(); err != nil {
		return lines, err
	}
	for i := range lines {
		lines[i] = ps.sink.log.SourceLines(Stream(i))
	}
	return lines, nil
}

// abandon gives up a pass that was cut off: lines without an end will be read
// again.
func (ps *passes) abandon(p *pass) {
	s := ps.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.changed = nil, false
	for _, l := range []*lineWriter{p.stdout.lines, p.stderr.lines} {
		ps.cut[l.stream] = l.stored()
	}
}

// A streamWriter takes the bytes of one stream as the engine gives them.
type streamWriter struct {
	left    *atomic.Int64 // bytes that the step may still write
	text    *utf8Writer
	markers *markerWriter // nil if the stream has none
	mask    *mask.Writer
	lines   *lineWriter
	since   time.Time // the earliest that its output can be
	told    time.Time // when what comes was written, as the engine says; zero if it does not
}

// At implements Timed.
func (w *streamWriter) At(t time.Time) { w.told = t }

// now returns the time of what is being written: that which the engine tells, as
// far as that can be right. Its clock may be another one.
func (w *streamWriter) now() time.Time {
	now := time.Now()
	switch {
	case w.told.IsZero() || w.told.After(now):
		return now
	case w.told.Before(w.since):
		return w.since
	default:
		return w.told
	}
}

// Write implements io.Writer. It fails with errFlood, having taken what may still
// be written, or with an error of the Log.
func (w *streamWriter) Write(p []byte) (int, error) {
	w.lines.at = w.now()
	over := -w.left.Add(-int64(len(p)))
	if over <= 0 {
		return w.text.Write(p)
	}
	n, err := w.text.Write(p[:max(0, int64(len(p))-over)])
	return n, cmp.Or(err, errFlood)
}

func (w *streamWriter) end() error {
	if err := w.text.end(); err != nil {
		return err
	}
	if w.markers != nil {
		if err := w.markers.end(); err != nil {
			return err
		}
	}
	return w.endLine()
}

// endLine makes what there is of a line a whole one.
func (w *streamWriter) endLine() error {
	if err := w.mask.Flush(); err != nil {
		return err
	}
	return w.lines.end()
}

// command appends the rows that stand for a marker. The first counts as a line
// of the source, which the marker is, and the others don't; all are appended at
// once, so that a count tells whether they are there.
func (l *lineWriter) command(rows []Line, status int) error {
	s := l.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.skip > 0 {
		l.skip--
		return s.err
	}
	for i, row := range rows {
		row.Time = l.at
		if i == 0 {
			row.Exit = status
		}
		s.add(row)
	}
	s.flushFull()
	return s.err
}

// textSize is how many bytes the rows take, newlines included.
func textSize(rows []Line) (n int64) {
	for _, row := range rows {
		n += int64(len(row.Text)) + 1
	}
	return n
}

// stored returns how many rows of the line without an end are in the sink. It
// is called with sink.mu held.
func (l *lineWriter) stored() int64 {
	if l.skip > 0 {
		return l.skipRow
	}
	return max(l.rows, l.skipRow)
}

// commandRows returns the rows that show each command, without time and exit.
func commandRows(commands []string, set *mask.Set) [][]Line {
	var all [][]Line
	for _, c := range commands {
		var rows []Line
		for line := range strings.SplitSeq(set.String(validText(strings.TrimRight(c, "\n"))), "\n") {
			row := Line{Stream: StreamSlipway, Kind: LineMore, Text: []byte(line), End: true}
			if len(rows) == 0 {
				row.Stream, row.Kind = StreamStdout, LineCommand
			}
			rows = append(rows, row)
		}
		all = append(all, rows)
	}
	return all
}

// floodReason says why a step was stopped that wrote more than limit bytes.
func floodReason(limit int64) string {
	return fmt.Sprintf("stopped: more than %s of output", humanize.IBytes(uint64(limit)))
}
