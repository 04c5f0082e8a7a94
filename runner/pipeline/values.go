package pipeline

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// noSecretHere is the remedy where a secret stands that cannot be used.
const noSecretHere = "this is decided before any secret is known; secrets can stand in what a container gets: " +
	"`environment`, `settings`, `commands`, `image` and the like"

// text is a single value as a string, as it is written: 1.20 stays "1.20".
type text struct {
	value string
	node  *yaml.Node // nil if the key is not there
}

func (t *text) decode(d *decoder, n *yaml.Node) { t.decodeAs(d, n, plain) }

func (t *text) decodeAs(d *decoder, n *yaml.Node, u use) bool {
	t.node = n
	if n.Kind != yaml.ScalarNode {
		fix := ""
		switch {
		case hasSecret(n):
			fix = noSecretHere
		case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle == 0:
			fix = "if it is one value, put it into quotes: the `: ` in it makes it a map"
		}
		d.report(n, fmt.Sprintf("must be a single value, this is %s", kindOf(n)), fix)
		return false
	}
	if n.Tag == "!!null" {
		return true
	}
	t.value = d.substitute(n, u)
	return true
}

// texts is a list of single values; one alone may stand without a list.
type texts struct {
	items []text
	node  *yaml.Node // nil if the key is not there
}

func (t *texts) decode(d *decoder, n *yaml.Node) {
	t.node = n
	for _, c := range d.singles(n) {
		var item text
		if item.decodeAs(d, c, plain) {
			t.items = append(t.items, item)
		}
	}
}

// singles returns the elements of a list, or the only one, which may stand
// without a list.
func (d *decoder) singles(n *yaml.Node) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		return d.items(n)
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil
	case n.Kind == yaml.MappingNode && !hasSecret(n):
		d.report(n, "must be a list of single values, this is a map", "")
		return nil
	}
	return []*yaml.Node{n}
}

// values returns the strings alone.
func (t *texts) values() []string {
	var out []string
	for _, item := range t.items {
		out = append(out, item.value)
	}
	return out
}

// script is a list of what a shell is given to run. What that means for variables
// stands at the head of substitute.go.
type script struct{ confidentials }

func (s *script) decode(d *decoder, n *yaml.Node) { s.decodeAs(d, n, shell) }

// boolean is true or false.
type boolean struct {
	value bool
	node  *yaml.Node // nil if the key is not there
}

func (b *boolean) decode(d *decoder, n *yaml.Node) {
	b.node = n
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch t.value {
	case "true", "True", "TRUE":
		b.value = true
	case "false", "False", "FALSE":
		b.value = false
	default:
		d.report(n, fmt.Sprintf("must be true or false, this is `%s`", clip(t.value)), "")
	}
}

// integer is a whole number that is not negative.
type integer struct {
	value int
	node  *yaml.Node // nil if the key is not there, or no number
}

func (i *integer) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	v, err := strconv.ParseInt(t.value, 10, 32)
	if err != nil || v < 0 {
		d.report(n, fmt.Sprintf("must be a whole number, this is `%s`", clip(t.value)), "")
		return
	}
	i.value, i.node = int(v), n
}

// textMap is a map of single values.
type textMap struct{ values map[string]string }

func (m *textMap) decode(d *decoder, n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return
	case n.Kind != yaml.MappingNode:
		d.report(n, fmt.Sprintf("must be a map, this is %s", kindOf(n)), "")
		return
	}
	m.values = map[string]string{}
	for _, p := range d.pairs(n) {
		var t text
		if t.decodeAs(d, p.value, plain) {
			m.values[p.key.Value] = t.value
		}
	}
}

// pull is when an image is pulled: true, false or a word.
type pull struct{ value Pull }

func (p *pull) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch t.value {
	case "true", string(PullAlways):
		p.value = PullAlways
	case "false", string(PullIfNotPresent):
		p.value = PullIfNotPresent
	case string(PullNever):
		p.value = PullNever
	default:
		d.report(n, fmt.Sprintf("`pull` cannot be `%s`", clip(t.value)),
			didYouMean(t.value, []string{"true", "false", string(PullAlways), string(PullIfNotPresent), string(PullNever)}))
	}
}

// failure is what a step's failure means.
type failure struct{ value Failure }

func (f *failure) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch v := Failure(t.value); v {
	case FailureFail, FailureIgnore, FailureCancel:
		f.value = v
	default:
		d.report(n, fmt.Sprintf("`failure` cannot be `%s`", clip(t.value)),
			didYouMean(t.value, []string{string(FailureFail), string(FailureIgnore), string(FailureCancel)}))
	}
}

// ignored is a key that means nothing to the plan: anchors, editors' hints.
type ignored struct{}

func (ignored) decode(*decoder, *yaml.Node) {}

// hasSecret reports whether a node is a map with the key from_secret.
func hasSecret(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == fromSecretKey {
			return true
		}
	}
	return false
}
