package webui

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"unicode/utf8"

	terminal "github.com/buildkite/terminal-to-html/v3"
)

// maxRowText is the most bytes of a row that are shown unless it is asked for.
const maxRowText = 8 << 10

// A console turns the rows of a log into HTML, in their order. Colours last
// from row to row, as in a terminal; the cursor does not leave its row, so that
// rows keep their numbers.
type console struct {
	style  sgr
	colors trueColors // of the row
}

// html renders at most limit bytes of a row's text. cut reports that some of it
// was left out.
func (t *console) html(text []byte, limit int) (_ template.HTML, cut bool) {
	text, cut = cutRow(text, limit)
	if t.style == (sgr{}) && !hasControls(text) {
		return escaped(text), cut
	}
	t.colors = nil
	clean := t.clean(text)
	screen, err := terminal.NewScreen(terminal.WithSize(columns(text), 100))
	if err != nil {
		return escaped(text), cut
	}
	_, _ = screen.Write(clean) // never fails, see its source
	html := strings.ReplaceAll(screen.AsHTMLWithTimestamps(false), "\n", "")
	if html == "&nbsp;" {
		html = ""
	}
	html = t.colors.dress(html)
	// Text has no quotes left, so this can only be the library's own anchor.
	return template.HTML(strings.ReplaceAll(html, `<a href="`, `<a rel="nofollow noopener noreferrer" href="`)), cut //nolint:gosec // the library escapes, which tests hold it to
}

// columns is how wide a terminal is in which a row is shown: the cursor goes no
// further.
func columns(row []byte) int { return min(max(utf8.RuneCount(row), 256), 4096) }

// escaped is text that has nothing to be rendered in it.
func escaped(text []byte) template.HTML {
	return template.HTML(template.HTMLEscapeString(string(text))) //nolint:gosec // it is escaped
}

// cutRow bounds a row. Of a progress bar that was drawn over and over, its last
// state is kept.
func cutRow(text []byte, limit int) ([]byte, bool) {
	if len(text) <= limit {
		return text, false
	}
	late := text[len(text)-limit:]
	if i := bytes.IndexByte(late, '\r'); i >= 0 && i < len(late)-1 {
		return late[i+1:], false
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}

// hasControls reports whether text has bytes that a terminal acts on.
func hasControls(text []byte) bool {
	for i, b := range text {
		switch {
		case b < 0x20 && b != '\t', b == 0x7f:
			return true
		case b == 0xc2 && i+1 < len(text) && text[i+1] < 0xa0: // U+0080 to U+009F
			return true
		}
	}
	return false
}

// clean returns text for the library with only the sequences that are let
// through: styles in our own form, moves within the row, and links to http and
// https. All others are dropped, those that the library makes images and links
// of (OSC 1337, 1338 and 1339) among them.
func (t *console) clean(text []byte) []byte {
	out := append(make([]byte, 0, len(text)+32), t.style.sequence(&t.colors)...)
	for i := 0; i < len(text); {
		if text[i] == 0x1b {
			n, seq := t.escape(text[i:])
			out = append(out, seq...)
			i += n
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == '\r', r == '\b', r == '\t':
			out = append(out, byte(r))
		case r < 0x20, r >= 0x7f && r < 0xa0:
		default:
			out = utf8.AppendRune(out, r)
		}
		i += n
	}
	return out
}

// escape reads the escape sequence at the beginning of b. It returns its length
// and what the library is given for it.
func (t *console) escape(b []byte) (int, string) {
	if len(b) < 2 {
		return 1, ""
	}
	switch b[1] {
	case '[':
		return t.control(b)
	case ']', 'P', 'X', '^', '_': // strings up to their terminator
		body, n, ok := stringSequence(b)
		if !ok {
			return 2, ""
		}
		if b[1] == ']' {
			return n, link(body)
		}
		return n, ""
	case '(', ')', '*', '+', '-', '.', '/', '#', '%', ' ':
		return min(3, len(b)), ""
	default:
		if b[1] < 0x20 || b[1] >= 0x7f {
			return 1, ""
		}
		return 2, ""
	}
}

// control reads a control sequence: ESC [ parameters, intermediates, final byte.
func (t *console) control(b []byte) (int, string) {
	i := 2
	for i < len(b) && b[i] >= 0x30 && b[i] <= 0x3f {
		i++
	}
	params := string(b[2:i])
	start := i
	for i < len(b) && b[i] >= 0x20 && b[i] <= 0x2f {
		i++
	}
	if i == len(b) || b[i] < 0x40 || b[i] > 0x7e {
		return i, "" // unfinished; what follows is text
	}
	if i > start || strings.ContainsAny(params, "<=>?") {
		return i + 1, ""
	}
	switch b[i] {
	case 'm':
		t.style.apply(params)
		return i + 1, t.style.sequence(&t.colors)
	case 'J':
		if params == "" || params == "0" { // as far as the row goes
			return i + 1, "\x1b[K"
		}
	case 'K', 'C', 'D', 'G':
		if len(params) <= 4 && strings.Trim(params, "0123456789") == "" {
			return i + 1, fmt.Sprintf("\x1b[%s%c", params, b[i])
		}
	}
	return i + 1, ""
}

// stringSequence reads a sequence that ends with BEL or ESC \. It returns false
// if it does not end in b, or before another sequence begins: a row of nothing
// but beginnings is not read to its end for each.
func stringSequence(b []byte) (body string, n int, ok bool) {
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] == 0x07:
			return string(b[2:i]), i + 1, true
		case b[i] == 0x1b && i+1 < len(b) && b[i+1] == '\\':
			return string(b[2:i]), i + 2, true
		case b[i] == 0x1b:
			return "", 0, false
		}
	}
	return "", 0, false
}

// link returns the sequence that begins or ends a link (OSC 8). A target that
// is not http or https ends it.
func link(body string) string {
	rest, ok := strings.CutPrefix(body, "8;")
	if !ok {
		return ""
	}
	const end = "\x1b]8;;\x07"
	_, target, _ := strings.Cut(rest, ";")
	// The library takes a semicolon for the end of the target.
	u, err := url.Parse(strings.ReplaceAll(target, ";", "%3B"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return end
	}
	return "\x1b]8;;" + u.String() + "\x07"
}
