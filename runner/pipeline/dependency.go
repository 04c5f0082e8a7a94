package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// dependency is what a step or a workflow waits for: a name, or {name, optional}.
type dependency struct {
	Name     text    `yaml:"name" doc:"The name of the step, service or workflow."`
	Optional boolean `yaml:"optional" doc:"Do without it if there is none of that name."`
}

// dependencies is a list of them; one name alone may stand without a list.
type dependencies struct {
	items []dependency
	node  *yaml.Node // nil if the key is not there
}

func (l *dependencies) decode(d *decoder, n *yaml.Node) {
	l.node = n
	nodes := []*yaml.Node{n}
	switch {
	case n.Kind == yaml.SequenceNode:
		nodes = d.items(n)
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return
	}
	for _, c := range nodes {
		var item dependency
		if c.Kind != yaml.MappingNode || hasSecret(c) {
			if item.Name.decodeAs(d, c, plain) {
				l.items = append(l.items, item)
			}
			continue
		}
		d.object(c, "dependency", &item)
		if item.Name.node == nil {
			d.report(c, "a dependency has no name", "write `{name: …, optional: true}`, or the name alone")
			continue
		}
		l.items = append(l.items, item)
	}
}

// resolve returns the items that exist, reporting those that neither do nor are
// optional. what names their kind for people.
func (l *dependencies) resolve(d *decoder, what string, known []string, has func(string) bool) []dependency {
	var out []dependency
	for _, item := range l.items {
		switch {
		case has(item.Name.value):
			out = append(out, item)
		case !item.Optional.value:
			d.report(item.Name.node, fmt.Sprintf("there is no %s `%s` to depend on", what, clip(item.Name.value)),
				didYouMean(item.Name.value, known))
		}
	}
	return out
}
