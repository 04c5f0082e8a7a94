package pipeline

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// kindOf names what a node is, with its article.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	default:
		return "a single value"
	}
}

// article puts "a" or "an" before a word, unless it has its own.
func article(what string) string {
	if strings.HasPrefix(what, "`") {
		return what
	}
	if strings.ContainsRune("aeiou", rune(what[0])) {
		return "an " + what
	}
	return "a " + what
}

// clip shortens what a file says to what fits into a message.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return strings.ReplaceAll(s, "\n", " ")
	}
	return strings.ReplaceAll(string([]rune(s)[:most]), "\n", " ") + "…"
}

// orList joins words for people: "a, b or c".
func orList(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
