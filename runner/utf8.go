package runner

import (
	"io"
	"unicode/utf8"
)

// replacement is U+FFFD in UTF-8.
var replacement = []byte("\uFFFD")

// utf8Writer passes on what is written to it with each byte that is not part of
// valid UTF-8 replaced by U+FFFD. A rune that is cut into several writes stays
// whole, so the result does not depend on where the writes are cut.
type utf8Writer struct {
	w    io.Writer
	held []byte // the beginning of a rune; at most 3 bytes
}

func (u *utf8Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(u.held) > 0 {
		if !utf8.FullRune(u.held) {
			if len(p) == 0 {
				return n, nil
			}
			u.held, p = append(u.held, p[0]), p[1:]
			continue
		}
		// Only its first byte is decided if it is not valid.
		_, size := utf8.DecodeRune(u.held)
		err := u.pass(u.held[:size])
		u.held = u.held[:copy(u.held, u.held[size:])]
		if err != nil {
			return 0, err
		}
	}
	cut := len(p) - TornRune(p)
	if err := u.pass(p[:cut]); err != nil {
		return 0, err
	}
	u.held = append(u.held, p[cut:]...)
	return n, nil
}

// end passes on what is held: no more bytes of it will come.
func (u *utf8Writer) end() error {
	held := u.held
	u.held = nil
	return u.pass(held)
}

// pass writes p, in which every rune that begins also ends.
func (u *utf8Writer) pass(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if utf8.Valid(p) {
		_, err := u.w.Write(p)
		return err
	}
	for len(p) > 0 {
		n := validPrefix(p)
		if n > 0 {
			if _, err := u.w.Write(p[:n]); err != nil {
				return err
			}
		}
		if p = p[n:]; len(p) > 0 {
			if _, err := u.w.Write(replacement); err != nil {
				return err
			}
			p = p[1:]
		}
	}
	return nil
}

// validPrefix returns how many bytes at the beginning of p are valid UTF-8.
func validPrefix(p []byte) int {
	n := 0
	for n < len(p) {
		r, size := utf8.DecodeRune(p[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// TornRune returns how many bytes at the end of p begin a rune that is not
// complete.
func TornRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		tail := p[len(p)-n:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// validText is what a utf8Writer makes of s.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, len(s)+len(replacement))
	for _, r := range s { // a range yields U+FFFD for each invalid byte
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}
