package pipeline

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Snippet returns the offending line with its number, and below it a caret at
// the column; "" if the problem concerns the whole file. It ends with a newline.
// Nothing in it can control a terminal.
//
//	4 |     comands: [make]
//	  |     ^
func (p Problem) Snippet() string {
	if p.Line <= 0 || p.Text == "" {
		return ""
	}
	number := fmt.Sprint(p.Line)
	text := strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, p.Text)
	var b strings.Builder
	fmt.Fprintf(&b, "%s | %s\n", number, text)
	runes := []rune(text)
	if p.Column >= 1 && p.Column <= len(runes)+1 {
		fmt.Fprintf(&b, "%s | %s^\n", strings.Repeat(" ", len(number)), indent(string(runes[:p.Column-1])))
	}
	return b.String()
}

// indent returns blanks as wide as s on a terminal.
func indent(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(strings.Repeat(" ", uniseg.StringWidth(part)))
	}
	return b.String()
}
