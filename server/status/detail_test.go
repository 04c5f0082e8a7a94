package status

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDetail(t *testing.T) {
	for name, want := range map[string]string{
		"test":                   "slipway/test",
		"test (1.26, linux)":     "slipway/test (1.26, linux)",
		"bad \xff":               "slipway/bad \uFFFD",
		strings.Repeat("n", 247): "slipway/" + strings.Repeat("n", 247),
	} {
		if got := detail(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	seen := map[string]bool{}
	for _, end := range []string{"a", "b", "aa", "é"} {
		got := detail(strings.Repeat("é", 200) + end)
		if len(got) > 255 || len(got) < 250 || !utf8.ValidString(got) || seen[got] {
			t.Errorf("%d bytes, or one of two: %q", len(got), got)
		}
		seen[got] = true
	}
}
