package pipeline

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// environment is a map, or a list of KEY=value, of single values.
type environment struct{ values map[string]string }

func (e *environment) decode(d *decoder, n *yaml.Node) {
	e.values = map[string]string{}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			e.set(d, p)
		}
	case yaml.SequenceNode:
		for _, c := range d.items(n) {
			e.setItem(d, c)
		}
	default:
		if n.Tag != "!!null" {
			d.report(n, "`environment` must be a map, or a list of KEY=value", "")
		}
	}
}

func (e *environment) set(d *decoder, p pair) {
	if p.value.Kind == yaml.MappingNode && fromSecret(d, p.value) {
		return
	}
	if !e.checkName(d, p.key, p.key.Value) {
		return
	}
	var t text
	if t.decodeAs(d, p.value, plain) {
		e.values[p.key.Value] = t.value
	}
}

func (e *environment) setItem(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	name, val, ok := strings.Cut(t.value, "=")
	if !ok {
		d.report(n, fmt.Sprintf("`%s` has no value", clip(t.value)), "write KEY=value")
		return
	}
	if _, ok := e.values[name]; ok {
		d.report(n, fmt.Sprintf("`%s` stands here twice", clip(name)), "remove one of them")
		return
	}
	if e.checkName(d, n, name) {
		e.values[name] = val
	}
}

func (e *environment) checkName(d *decoder, n *yaml.Node, name string) bool {
	if name != "" && !strings.ContainsAny(name, "= \t\n\x00") {
		return true
	}
	d.report(n, fmt.Sprintf("`%s` is not a name of a variable", clip(name)), "use letters, digits and _")
	return false
}

// fromSecret reports `from_secret` in a value, and whether it was there.
func fromSecret(d *decoder, n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value == "from_secret" {
			later{}.refuse(d, key)
			return true
		}
	}
	return false
}
