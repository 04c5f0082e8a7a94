package pipeline

import (
	"fmt"
	"strings"
)

// A Problem is something wrong at one place of a pipeline file, in words for
// the person who wrote the file.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // from 1; 0 if it concerns the file
	Column int    `json:"column,omitempty"` // from 1, in runes
	// Message says what is wrong, Fix what would be right.
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
	// Text is the offending line as it stands in the file, cut to 200 bytes.
	Text    string `json:"text,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

// Error returns "file:line:column: message; fix" on one line.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	b.WriteString(p.Message)
	if p.Fix != "" {
		b.WriteString("; ")
		b.WriteString(p.Fix)
	}
	return b.String()
}

// Problems are all problems found in one pass, in the order of the files.
// It is the error type that this package returns for what a person can mend.
type Problems []Problem

// Error returns the first problem and how many more there are.
func (ps Problems) Error() string {
	switch len(ps) {
	case 0:
		return "no problems"
	case 1:
		return ps[0].Error()
	default:
		return fmt.Sprintf("%s (and %d more)", ps[0].Error(), len(ps)-1)
	}
}
