package github

import "strings"

// cut shortens s to at most limit characters, the last one an ellipsis if
// something was cut. Bytes that are not UTF-8 become U+FFFD.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	n, last := 0, 0 // characters seen, and where the last that may stay ends
	for i := range s {
		if n == limit-1 {
			last = i
		}
		n++
	}
	if n <= limit {
		return s
	}
	return strings.TrimRight(s[:last], " ") + "…"
}
