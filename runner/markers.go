package runner

import (
	"bytes"
	"io"
	"strconv"
)

// A marker is a line that a step's script writes before each command: an
// operating system command that a terminal swallows,
//
//	ESC ] 8642;slipway;<nonce>;<index>;<status> BEL
//
// index is the command that begins, status how the one before it ended.
const (
	markerStart = "\x1b]"
	markerEnd   = "\x07\n"
	// maxMarkerTail bounds what follows the prefix: two numbers and markerEnd.
	maxMarkerTail = 32
)

// markerBody is what the markers of a job have in common.
func markerBody(nonce string) string { return "8642;slipway;" + nonce }

// markerPrefix is how the markers of a job begin.
func markerPrefix(nonce string) string { return markerStart + markerBody(nonce) + ";" }

// markerWriter takes the markers out of a stream of output and passes on the
// rest. Only a whole line is a marker, and only with the right nonce. It stands
// before the masker, so that no secret, however short, can spoil a marker.
type markerWriter struct {
	w      io.Writer
	prefix []byte
	// found is called for a marker; false means that it is none after all.
	found func(index, status int) (bool, error)
	held  []byte // of a line, what may become a marker
	mid   bool   // the next byte is not a line's first
}

func (m *markerWriter) Write(p []byte) (int, error) {
	n := len(p)
	if len(m.held) > 0 {
		m.held = append(m.held, p...)
		p, m.held = m.held, nil
	}
	for len(p) > 0 {
		rest, err := m.step(p)
		if err != nil {
			return 0, err
		}
		p = rest
	}
	return n, nil
}

// end passes on what is held: the line ends without being a marker.
func (m *markerWriter) end() error {
	held := m.held
	m.held = nil
	return m.pass(held)
}

// step deals with the beginning of p and returns what is left.
func (m *markerWriter) step(p []byte) (rest []byte, err error) {
	if !m.mid {
		n, whole, err := m.marker(p)
		if err != nil || n > 0 {
			return p[n:], err
		}
		if !whole {
			m.held = append(m.held, p...)
			return nil, nil
		}
	}
	next := m.nextLine(p)
	return p[next:], m.pass(p[:next])
}

// marker takes a marker from the beginning of p and returns its length, or 0
// if there is none. It is not whole if more bytes are needed to tell.
func (m *markerWriter) marker(p []byte) (n int, whole bool, err error) {
	if !bytes.HasPrefix(p, m.prefix) {
		return 0, !bytes.HasPrefix(m.prefix, p), nil
	}
	tail := p[len(m.prefix):min(len(p), len(m.prefix)+maxMarkerTail)]
	end := bytes.IndexByte(tail, '\n')
	if end < 0 {
		return 0, len(tail) == maxMarkerTail, nil
	}
	index, status, ok := parseMarker(tail[:end+1])
	if !ok {
		return 0, true, nil
	}
	if ok, err = m.found(index, status); !ok || err != nil {
		return 0, true, err
	}
	return len(m.prefix) + end + 1, true, nil
}

// parseMarker reads what follows a marker's prefix.
func parseMarker(tail []byte) (index, status int, ok bool) {
	tail, ok = bytes.CutSuffix(tail, []byte(markerEnd))
	if !ok {
		return 0, 0, false
	}
	first, second, _ := bytes.Cut(tail, []byte(";"))
	index, err1 := strconv.Atoi(string(first))
	status, err2 := strconv.Atoi(string(second))
	return index, status, err1 == nil && err2 == nil
}

// nextLine returns where, after its first byte, p has a line that may be a
// marker, or its length.
func (m *markerWriter) nextLine(p []byte) int {
	for at := 1; ; {
		i := bytes.Index(p[at:], m.prefix)
		if i < 0 {
			break
		}
		if at += i; p[at-1] == '\n' {
			return at
		}
		at++
	}
	last := bytes.LastIndexByte(p[max(0, len(p)-len(m.prefix)):], '\n')
	if last < 0 {
		return len(p)
	}
	start := max(0, len(p)-len(m.prefix)) + last + 1
	if bytes.HasPrefix(m.prefix, p[start:]) {
		return start
	}
	return len(p)
}

func (m *markerWriter) pass(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	m.mid = p[len(p)-1] != '\n'
	_, err := m.w.Write(p)
	return err
}
