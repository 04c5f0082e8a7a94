package webui

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"
)

// What must be in a row for an expression to match it, as far as it is told.
func TestLiterals(t *testing.T) {
	for pattern, want := range map[string]string{
		`needle`:            `["needle"] false`,
		`(?i)Nee.LE[0-9]`:   `["nee"] true`,
		`a.*longer\s+b`:     `["longer"] false`,
		`(error|Failed):x`:  `["error" "Failed"] false`,
		`(?i)fail(ed|ure)s`: `["fail"] true`,
		`(?:abc)+x`:         `["abc"] false`,
		`x{3}y`:             `["x"] false`,
		`(?i:AB)|cde`:       `["ab" "cde"] true`,
		`abc|[0-9]+`:        `[] false`,
		`(abc)?[0-9]*`:      `[] false`,
		`^$`:                `[] false`,
		"\ufffd":            `[] false`,
	} {
		l := literalsOf(pattern)
		if got := fmt.Sprintf("%q %t", l.texts, l.fold); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

// No row is left out that the expression matches.
func FuzzLiterals(f *testing.F) {
	for _, c := range []struct{ pattern, row string }{
		{"(?i)sky", "a \u017fky"}, {"(?i)sky", "S\u212aY"}, {"(?i)\u017f", "S"}, {"(?i)k|x", "\u212a"},
		{"(?i)ÄB", "xäb"}, {"\ufffd", "\xff"}, {"a(b|(?i)C)d", "aCd"}, {"(ab){2,3}", "abab"}, {"(?i)néedle", "NÉEDLE"},
	} {
		f.Add(c.pattern, []byte(c.row))
	}
	f.Fuzz(func(t *testing.T, pattern string, row []byte) {
		re, err := regexp.Compile(pattern)
		if err != nil || !re.Match(row) {
			return
		}
		l := literalsOf(pattern)
		before := bytes.Clone(row)
		if possible, _ := l.possible(row, nil); !possible || !bytes.Equal(before, row) {
			t.Errorf("%q matches %q, which has none of %q (fold %t)", pattern, row, l.texts, l.fold)
		}
	})
}
