package rules

import (
	"regexp"
	"strings"
	"sync"
)

// An expression is a regular expression that is compiled when it is used first.
// There are many, and this package is in a binary of which most calls need none
// of them: the sandbox of every step is one.
type expression struct{ compiled func() *regexp.Regexp }

func lazy(source string) *expression {
	return &expression{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(source) })}
}

// re is lazy for what is tried at the beginning of a row only.
func re(source string) *expression {
	if !strings.HasPrefix(source, "^") {
		panic("rules: not anchored: " + source)
	}
	return lazy(source)
}

// The methods are those of regexp.Regexp.

func (e *expression) Match(b []byte) bool                  { return e.compiled().Match(b) }
func (e *expression) MatchString(s string) bool            { return e.compiled().MatchString(s) }
func (e *expression) FindString(s string) string           { return e.compiled().FindString(s) }
func (e *expression) FindStringSubmatch(s string) []string { return e.compiled().FindStringSubmatch(s) }
func (e *expression) ReplaceAllString(s, by string) string {
	return e.compiled().ReplaceAllString(s, by)
}
