package rules

import (
	"bytes"
	"strings"
)

// maxRow is how many bytes of a row are looked at.
const maxRow = 4 << 10

// rowText returns the part of a row that is looked at: its beginning, or what a
// progress bar has drawn last.
func rowText(text []byte) []byte {
	text = bytes.TrimRight(text, "\r\n")
	if i := bytes.LastIndexByte(text, '\r'); i >= 0 {
		text = text[i+1:]
	}
	return text[:min(len(text), maxRow)]
}

// prefix is what some tools put before a program's output: the time, the step
// and the time of BuildKit, the name of a service.
var prefix = lazy(`^(?:` +
	`\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]? |` +
	`\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]? |` +
	`#\d+ \d+\.\d+ |` +
	`[A-Za-z][\w.-]{0,40} +\| )`)

// Clean returns a row's text without escape sequences, control characters, a
// timestamp and space at its end. Of an event of `go test -json` it is the output
// that is in it.
func Clean(row []byte) string {
	row = rowText(row)
	if event, ok := goEventOf(row); ok {
		row = rowText([]byte(event.Output))
	}
	text := string(row)
	if strings.ContainsFunc(text, control) {
		text = strings.Map(visible, sequences.ReplaceAllString(text, ""))
	}
	text = strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), " \t")
	if text == "" || !prefixed(text) {
		return text
	}
	return text[len(prefix.FindString(text)):]
}

// prefixed reports whether it is worth looking for a prefix.
func prefixed(text string) bool {
	switch c := text[0]; {
	case c >= '0' && c <= '9', c == '[', c == '#':
		return true
	default:
		return strings.Contains(text, " | ")
	}
}

// sequences are those of a terminal: control sequences, strings up to their
// terminator, and the short ones.
var sequences = lazy("\x1b(?:\\[[0-?]*[\\x20-\\x2f]*[\\x40-\\x7e]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[\\x20-\\x2f]+[0-~]|[0-~])")

func control(r rune) bool { return r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 }

// visible drops a control character.
func visible(r rune) rune {
	if control(r) {
		return -1
	}
	return r
}
