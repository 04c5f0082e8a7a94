package runner

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// A lineWriter turns one stream's masked text into rows of its sink. Where the
// text is cut into writes makes no difference to the rows.
type lineWriter struct {
	sink   *sink
	stream Stream
	at     time.Time // when the bytes that are being written arrived

	// What follows is guarded by sink.mu.

	skip    int64     // lines that are stored already and so are dropped
	partial []byte    // the line without an end; at most MaxLine bytes
	since   time.Time // when partial's first byte arrived
	rows    int64     // rows of the line without an end that were cut off it
	skipRow int64     // of the first line that is not dropped, rows that are stored
	grown   bool      // partial has changed since it was appended
}

// Write takes text. An error is one of the Log.
func (l *lineWriter) Write(p []byte) (int, error) {
	s := l.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.grow(p)
			break
		}
		l.line(p[:i])
		p = p[i+1:]
	}
	return n, s.err
}

// line takes the end of a line.
func (l *lineWriter) line(tail []byte) {
	if len(l.partial)+len(tail) > MaxLine {
		l.grow(tail)
		tail = nil
	}
	at := l.at
	if len(l.partial) > 0 {
		at = l.since
	}
	if l.skip > 0 {
		l.skip--
	} else {
		l.skipRow = 0
		l.sink.addText(Line{Stream: l.stream, Time: at, End: true}, l.partial, tail)
	}
	l.partial, l.grown, l.rows = l.partial[:0], false, 0
}

// grow takes bytes of a line whose end is still to come, and cuts off rows of
// MaxLine.
func (l *lineWriter) grow(p []byte) {
	for {
		if len(l.partial) == 0 {
			l.since = l.at
		}
		n := min(len(p), MaxLine+utf8.UTFMax-len(l.partial))
		l.partial = append(l.partial, p[:n]...)
		p = p[n:]
		if len(l.partial) <= MaxLine {
			break
		}
		l.cut(runeCut(l.partial, MaxLine))
	}
	if l.skip == 0 {
		l.grown, l.sink.changed = true, true
		l.sink.arm()
	}
}

// cut makes the first n bytes of the line a row of their own.
func (l *lineWriter) cut(n int) {
	l.rows++
	if l.skip == 0 && l.rows > l.skipRow {
		l.sink.addText(Line{Stream: l.stream, Time: l.since}, l.partial[:n], nil)
	}
	l.partial = l.partial[:copy(l.partial, l.partial[n:])]
	l.since = l.at
}

// end makes the line without an end a whole one: no more of it will come.
func (l *lineWriter) end() error {
	s := l.sink
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(l.partial) > 0 || l.rows > 0 {
		l.line(nil)
	}
	return s.err
}

// appendOpen adds the line without an end to rows. It is called with sink.mu
// held; the row is appended before anything else happens.
func (l *lineWriter) appendOpen(rows []Line) []Line {
	if !l.grown {
		return rows
	}
	l.grown = false
	return append(rows, Line{Stream: l.stream, Time: l.since, Text: l.partial, Open: true})
}

// runeCut returns the largest n up to limit at which text can be cut without
// cutting a rune.
func runeCut(text []byte, limit int) int {
	for n := limit; n > limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			return n
		}
	}
	return limit
}
