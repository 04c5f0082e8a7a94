package webui

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// visible makes of rows the text that a terminal shows of them, as a console
// does, but without styles and far faster. It is used by one goroutine.
type visible struct {
	out  []byte
	line []rune // of a row that is written over
}

// text returns what is shown of a row. It is valid until the next call, and
// shares memory with row.
func (v *visible) text(row []byte) []byte {
	row = bytes.TrimSuffix(row, []byte{'\r'})
	if bytes.IndexByte(row, '\r') >= 0 || bytes.IndexByte(row, '\b') >= 0 {
		return v.overwritten(row)
	}
	i := bytes.IndexByte(row, 0x1b)
	if i < 0 {
		return row
	}
	v.out = v.out[:0]
	for rest := row; ; i = bytes.IndexByte(rest, 0x1b) {
		if i < 0 {
			v.out = append(v.out, rest...)
			return v.out
		}
		v.out = append(v.out, rest[:i]...)
		n := styleLength(rest[i:])
		if n == 0 {
			var seq string
			if n, seq = motion(rest[i:]); seq != "" {
				return v.overwritten(row)
			}
		}
		rest = rest[i+n:]
	}
}

// styleLength returns the length of the style (ESC [ … m) at the beginning of b,
// by far the most frequent sequence; 0 if there is none.
func styleLength(b []byte) int {
	if len(b) < 3 || b[1] != '[' {
		return 0
	}
	for i := 2; i < len(b); i++ {
		switch c := b[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// overwritten returns what is shown of a row in which the cursor moves.
func (v *visible) overwritten(row []byte) []byte {
	v.line = v.line[:0]
	at, width := 0, columns(row)
	for i := 0; i < len(row); {
		switch r, n := utf8.DecodeRune(row[i:]); {
		case r == 0x1b:
			n, seq := motion(row[i:])
			at = v.move(at, width, seq)
			i += n
		case r == '\r':
			at, i = 0, i+n
		case r == '\b':
			at, i = max(0, at-1), i+n
		case r < 0x20 && r != '\t', r >= 0x7f && r < 0xa0:
			i += n
		default:
			v.pad(at)
			if at < len(v.line) {
				v.line[at] = r
			} else {
				v.line = append(v.line, r)
			}
			at, i = at+1, i+n
		}
	}
	v.out = v.out[:0]
	for _, r := range v.line {
		v.out = utf8.AppendRune(v.out, r)
	}
	return bytes.TrimRight(v.out, " ")
}

// motion reads the escape sequence at the beginning of b, and returns it if it
// moves the cursor or erases, in the form that a console gives it.
func motion(b []byte) (n int, seq string) {
	n, seq = new(console).escape(b)
	if len(seq) < 3 || seq[1] != '[' || seq[len(seq)-1] == 'm' {
		return n, ""
	}
	return n, seq
}

// move carries out a motion on a terminal of that width and returns where the
// cursor is then.
func (v *visible) move(at, width int, seq string) int {
	if seq == "" {
		return at
	}
	n, err := strconv.Atoi(seq[2 : len(seq)-1])
	step := max(1, n)
	switch seq[len(seq)-1] {
	case 'C':
		return max(at, min(at+step, width-1))
	case 'D':
		return max(0, at-step)
	case 'G':
		return min(step, width) - 1
	}
	v.pad(at)
	switch { // K
	case err != nil || n == 0:
		v.line = v.line[:min(at, len(v.line))]
	case n == 1:
		for i := range v.line[:min(at+1, len(v.line))] {
			v.line[i] = ' '
		}
	case n == 2:
		v.line = v.line[:0]
	}
	return at
}

// pad fills the line with blanks up to the cursor.
func (v *visible) pad(at int) {
	for len(v.line) < at {
		v.line = append(v.line, ' ')
	}
}
