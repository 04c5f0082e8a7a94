package pipeline

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxText is the most bytes of a line that a Problem quotes.
const maxText = 200

// document is one pipeline file whose YAML was read.
type document struct {
	path    string
	name    string // of the workflow
	dialect dialect
	lines   []string
	// root is the top node; nil if the YAML could not be read.
	root *yaml.Node
	// nameNode is where name stands; nil if it follows from the path.
	nameNode *yaml.Node
	// secrets are the documents of the kind secret; the first document of a file
	// of Drone has those of them all.
	secrets []*yaml.Node
}

func newDocument(f File) *document {
	return &document{
		path:    f.Path,
		name:    workflowName(f.Path),
		dialect: dialectOf(f.Path),
		lines:   strings.Split(strings.TrimPrefix(string(f.Data), "\ufeff"), "\n"),
	}
}

// read reads the YAML into doc, and returns the documents of further workflows
// in the same file.
func (doc *document) read(data []byte) ([]*document, Problems) {
	if doc.dialect == drone {
		return doc.readDrone(data)
	}
	if p := doc.readYAML(data); p != nil {
		return nil, Problems{*p}
	}
	return nil, nil
}

// line returns the text of line n, from 1, cut to maxText bytes.
func (doc *document) line(n int) string {
	if n < 1 || n > len(doc.lines) {
		return ""
	}
	s := strings.TrimSuffix(doc.lines[n-1], "\r")
	if len(s) > maxText {
		s = s[:maxText]
		for len(s) > 0 && !utf8.ValidString(s[len(s)-runeTail(s):]) {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// runeTail returns how many bytes the last, perhaps cut, rune of s has.
func runeTail(s string) int {
	for i := 1; i <= utf8.UTFMax && i <= len(s); i++ {
		if utf8.RuneStart(s[len(s)-i]) {
			return i
		}
	}
	return 1
}

// problem makes a Problem at a place; line 0 concerns the whole file.
func (doc *document) problem(line, column int, message, fix string) Problem {
	return Problem{
		File: doc.path, Line: line, Column: column,
		Message: message, Fix: fix, Text: doc.line(line),
	}
}

// exhausted is the problem of a document that is more work than is allowed.
func (doc *document) exhausted(n *yaml.Node) Problem {
	return doc.problem(n.Line, n.Column, "stands for too much: the file's aliases, lists and matrix expand beyond every bound",
		"use fewer aliases, or a smaller matrix")
}
