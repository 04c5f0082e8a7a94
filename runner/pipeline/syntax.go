package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxDepth is how deep the nodes of a file may be nested.
const maxDepth = 100

// readYAML fills doc.root. What is wrong with the YAML itself is returned.
func (doc *document) readYAML(data []byte) *Problem {
	tops, p := doc.readTops(data, 1)
	if p != nil {
		return p
	}
	doc.root = tops[0].Content[0]
	return nil
}

// readTops reads the YAML documents of a file, of which it may have a bounded
// number. There is at least one, and each has its content.
func (doc *document) readTops(data []byte, most int) ([]*yaml.Node, *Problem) {
	if p := doc.checkBytes(data); p != nil {
		return nil, p
	}
	// Duplicate keys are reported by the decoder, with the place of the first.
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false))
	if err != nil {
		p := doc.problem(0, 0, fmt.Sprintf("cannot be read: %v", err), "")
		return nil, &p
	}
	var tops []*yaml.Node
	for {
		var top yaml.Node
		if err := loader.Load(&top); errors.Is(err, io.EOF) && len(tops) > 0 {
			return tops, nil
		} else if err != nil {
			return nil, doc.syntaxProblem(err)
		}
		if len(tops) == most {
			p := doc.tooManyTops(&top, most)
			return nil, &p
		}
		if len(top.Content) == 0 {
			return nil, doc.syntaxProblem(io.EOF)
		}
		if p := doc.checkNesting(top.Content[0], nil); p != nil {
			return nil, p
		}
		tops = append(tops, &top)
	}
}

// tooManyTops is the problem of the first YAML document that is one too many.
func (doc *document) tooManyTops(top *yaml.Node, most int) Problem {
	if most > 1 {
		return doc.problem(top.Line, top.Column, fmt.Sprintf("has more than %d YAML documents", most), "merge some of them")
	}
	return doc.problem(top.Line, top.Column, "has a second YAML document",
		"make it a file of its own in .slipway/: a workflow is a file")
}

// checkBytes finds what the YAML reader would refuse without naming a place.
func (doc *document) checkBytes(data []byte) *Problem {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		var message, fix string
		switch {
		case r == utf8.RuneError && size == 1:
			message, fix = "has a byte that is no UTF-8", "save the file as UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			message, fix = fmt.Sprintf("has the control character %U", r), "remove it"
		}
		if message != "" {
			p := doc.problem(line, column, message, fix)
			return &p
		}
		if r == '\n' {
			line, column = line+1, 1
		} else if i > 0 || r != '\ufeff' {
			column++
		}
		i += size
	}
	return nil
}

// checkNesting refuses nodes that are nested too deep or contain themselves,
// so that what walks the tree later, through aliases, comes to an end.
func (doc *document) checkNesting(n *yaml.Node, above []*yaml.Node) *Problem {
	if len(above) > maxDepth {
		p := doc.problem(n.Line, n.Column, fmt.Sprintf("is nested more than %d levels deep", maxDepth), "")
		return &p
	}
	if n.Kind == yaml.AliasNode {
		// An alias can only stand for a node that began before it, so a cycle
		// always goes through a node that the alias stands in.
		for _, a := range above {
			if a == n.Alias {
				p := doc.problem(n.Line, n.Column, fmt.Sprintf("`*%s` stands within what it stands for", n.Value), "")
				return &p
			}
		}
		return nil
	}
	above = append(above, n)
	for _, c := range n.Content {
		if p := doc.checkNesting(c, above); p != nil {
			return p
		}
	}
	return nil
}

// syntaxProblem puts an error of the YAML library into a Problem.
func (doc *document) syntaxProblem(err error) *Problem {
	if errors.Is(err, io.EOF) {
		p := doc.problem(0, 0, "is empty", "add `steps:` with a name, an image and commands")
		return &p
	}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p := doc.problem(0, 0, "is not valid YAML: "+err.Error(), "")
		return &p
	}
	mark, message := load.Mark, load.Message
	if load.ContextMsg != "" {
		began := ""
		// What is never closed is noticed only where the rest makes no sense.
		if load.ContextMark.Line > 0 && load.ContextMark.Line < mark.Line {
			began = fmt.Sprintf(" that begins on line %d", load.ContextMark.Line)
		}
		message = load.ContextMsg + began + ", " + message
	}
	p := doc.problem(mark.Line, mark.Column, "is not valid YAML: "+message, doc.syntaxFix(load))
	return &p
}

// syntaxFix has a remedy for the mistakes that are made most.
func (doc *document) syntaxFix(load *yaml.LoadError) string {
	switch load.Message {
	case "mapping values are not allowed in this context":
		return "check the indentation, or put a value that has `: ` in it into quotes"
	case "found character that cannot start any token":
		line := []rune(doc.line(load.Mark.Line))
		if c := load.Mark.Column; c >= 1 && c <= len(line) {
			if line[c-1] == '\t' {
				return "indent with spaces, not with tabs"
			}
			return fmt.Sprintf("put a value that begins with `%c` into quotes", line[c-1])
		}
	case "did not find expected '-' indicator", "did not find expected key":
		return "check that the line is indented like its neighbours"
	}
	return ""
}
