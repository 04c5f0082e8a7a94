package docker

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/slipway-ci/slipway/runner"
)

// recordPiece is how much of a line the engine's record holds in one entry, in
// bytes (defaultBufSize in moby's daemon/logger). Each entry is made valid UTF-8
// for itself, so that a rune across the end of one becomes several U+FFFD.
const recordPiece = 16 << 10

// recordWriter makes of attached output what its record will be: it replaces
// each byte of the beginning of a rune that the end of an entry cuts off by
// U+FFFD. What follows is then no rune any more either, which is for the reader
// to replace, as all else that is not UTF-8. Without this a line that is read
// again after a crash would not be the one that was seen before it.
type recordWriter struct {
	w    io.Writer
	at   int    // bytes of the entry so far, held not counted
	held []byte // the beginning of a rune; at most 3 bytes
}

// Write implements io.Writer.
func (r *recordWriter) Write(p []byte) (int, error) {
	n := len(p)
	if len(r.held) > 0 {
		p, r.held = append(r.held, p...), nil
	}
	for len(p) > 0 {
		rest, err := r.step(p)
		if err != nil {
			return 0, err
		}
		p = rest
	}
	return n, nil
}

// step passes on the beginning of p, up to the end of an entry, and returns what
// is left.
func (r *recordWriter) step(p []byte) (rest []byte, err error) {
	whole := len(p) >= recordPiece-r.at
	part := p[:min(len(p), recordPiece-r.at)]
	rest = p[len(part):]
	if end := bytes.LastIndexByte(part, '\n') + 1; end > 0 {
		r.at = 0 // and the lines before are shorter than an entry
		_, err = r.w.Write(p[:end])
		return p[end:], err
	}
	torn := runner.TornRune(part)
	if _, err = r.w.Write(part[:len(part)-torn]); err != nil {
		return nil, err
	}
	if !whole {
		r.at += len(part) - torn
		r.held = append(r.held, part[len(part)-torn:]...)
		return nil, nil
	}
	r.at = 0
	for range torn {
		if _, err = io.WriteString(r.w, string(utf8.RuneError)); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// end passes on what is held: no more will come.
func (r *recordWriter) end() error {
	if len(r.held) == 0 {
		return nil
	}
	_, err := r.w.Write(r.held)
	return err
}
