package runner

import (
	"bytes"
	"io"
	"strconv"
)

// A marker is what a step's script writes before each command: an operating
// system command that a terminal swallows, and a newline,
//
//	ESC ] 8642;slipway;<nonce>;<index>;<status> BEL
//
// index is the command that begins, status how the one before it ended. An index
// after the last says that the step has passed, see passed.go.
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
// rest. Only with the right nonce is it a marker. It may follow what a command
// printed without a newline. It stands before the masker, so that no secret,
// however short, can spoil a marker.
type markerWriter struct {
	w      io.Writer
	prefix []byte
	// found is called for a marker, mid for one that is not at the beginning of a
	// line; false means that it is none after all.
	found func(index, status int, mid bool) (bool, error)
	held  []byte // what may become a marker
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
	n, whole, err := m.marker(p)
	if err != nil || n > 0 {
		m.mid = false
		return p[n:], err
	}
	if !whole {
		m.held = append(m.held, p...)
		return nil, nil
	}
	next := m.next(p)
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
	if ok, err = m.found(index, status, m.mid); !ok || err != nil {
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

// next returns where, after its first byte, p has what may be a marker, or its
// length.
func (m *markerWriter) next(p []byte) int {
	if i := bytes.Index(p[1:], m.prefix); i >= 0 {
		return 1 + i
	}
	for at := max(1, len(p)-len(m.prefix)+1); at < len(p); at++ {
		if bytes.HasPrefix(m.prefix, p[at:]) {
			return at
		}
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
