package webui

import (
	"bytes"
	"regexp/syntax"
	"unicode/utf8"
)

// maxLiterals is how many texts a row is looked through for before a regular
// expression is run on it.
const maxLiterals = 8

// literals are texts of which a row has one if a regular expression matches it:
// to look for them is many times faster than to run the expression, which only
// the rows that have one need. The zero value says nothing of any row.
type literals struct {
	texts [][]byte
	// fold: texts are in lower case, and found in any. Then rows that are not all
	// ASCII are not judged, as there are letters (ſ, K) that fold to ASCII ones.
	fold bool
}

// literalsOf returns the literals of an expression, which compiles.
func literalsOf(pattern string) literals {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return literals{}
	}
	return required(re.Simplify())
}

// required returns the literals of a part of an expression.
func required(re *syntax.Regexp) literals {
	switch re.Op {
	case syntax.OpLiteral:
		return literalOf(re)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpConcat:
		var best literals
		for _, sub := range re.Sub {
			if l := required(sub); l.shortest() > best.shortest() {
				best = l
			}
		}
		return best
	case syntax.OpAlternate:
		var all literals
		for _, sub := range re.Sub {
			l := required(sub)
			if len(l.texts) == 0 || len(all.texts)+len(l.texts) > maxLiterals {
				return literals{}
			}
			all = all.or(l)
		}
		return all
	default:
		return literals{}
	}
}

func literalOf(re *syntax.Regexp) literals {
	text := []byte(string(re.Rune))
	if bytes.ContainsRune(text, utf8.RuneError) { // which bytes match that are no UTF-8
		return literals{}
	}
	l := literals{texts: [][]byte{text}}
	if re.Flags&syntax.FoldCase != 0 {
		return l.folded()
	}
	return l
}

// shortest is the length of the shortest text: the longer, the fewer rows have it.
func (l literals) shortest() int {
	n := 0
	for i, t := range l.texts {
		if i == 0 || len(t) < n {
			n = len(t)
		}
	}
	return n
}

// or returns the literals of rows that have one of either.
func (l literals) or(m literals) literals {
	if l.fold != m.fold && len(l.texts) > 0 {
		l, m = l.folded(), m.folded()
	}
	return literals{texts: append(l.texts, m.texts...), fold: m.fold}
}

func (l literals) folded() literals {
	folded := literals{fold: true}
	for _, t := range l.texts {
		t = bytes.Clone(t)
		lowerASCII(t)
		folded.texts = append(folded.texts, t)
	}
	return folded
}

// possible reports whether the expression may match a row. lower is memory for
// the row in lower case, which it returns.
func (l *literals) possible(row, lower []byte) (bool, []byte) {
	if len(l.texts) == 0 {
		return true, lower
	}
	if l.fold {
		lower = append(lower[:0], row...)
		lowerASCII(lower)
		row = lower
	}
	for _, t := range l.texts {
		if bytes.Contains(row, t) {
			return true, lower
		}
	}
	return l.fold && !isASCII(row), lower
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
