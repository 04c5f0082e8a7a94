package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// confidential is a single value that may be a secret's: one that a container
// gets and that decides nothing before. The plan has the secret's name in its
// place, see Place.
type confidential struct {
	text
	secret string // the name of the secret; then value is empty
}

func (c *confidential) decode(d *decoder, n *yaml.Node) { c.decodeAs(d, n, plain) }

func (c *confidential) decodeAs(d *decoder, n *yaml.Node, u use) bool {
	if !hasSecret(n) {
		return c.text.decodeAs(d, n, u)
	}
	var ok bool
	c.node = n
	c.secret, ok = d.secretRef(n)
	return ok
}

// place adds to the step's places that of the secret, if it is one.
func (c *confidential) place(s *Step, key string, index int) {
	if c.secret != "" {
		s.Places = append(s.Places, Place{Key: key, Index: index, Secret: c.secret})
	}
}

// confidentials is a list of single values, each of which may be a secret's; one
// alone may stand without a list.
type confidentials struct {
	items []confidential
	node  *yaml.Node // nil if the key is not there
}

func (l *confidentials) decode(d *decoder, n *yaml.Node) { l.decodeAs(d, n, plain) }

func (l *confidentials) decodeAs(d *decoder, n *yaml.Node, u use) {
	l.node = n
	for _, c := range d.singles(n) {
		var item confidential
		if item.decodeAs(d, c, u) {
			l.items = append(l.items, item)
		}
	}
}

// check reports the values, as far as they are known, with which something is
// wrong: fault says what, and is empty if nothing is.
func (l *confidentials) check(d *decoder, fault func(string) string, fix string) {
	for _, item := range l.items {
		if f := fault(item.value); f != "" && item.secret == "" {
			d.report(item.node, fmt.Sprintf("`%s` %s", clip(item.value), f), fix)
		}
	}
}

// values returns the strings alone; that of a secret is empty.
func (l *confidentials) values() []string {
	var out []string
	for _, item := range l.items {
		out = append(out, item.value)
	}
	return out
}

// place adds to the step's places those of the secrets.
func (l *confidentials) place(s *Step, key string) {
	for i := range l.items {
		l.items[i].place(s, key, i)
	}
}

// secretCommand is the line for a shell that does what a secret says, which is
// in a variable: what stands in the line itself is for everyone to see who may
// list the machine's processes.
func secretCommand(variable string) string { return `eval "$` + variable + `"` }

// planCommands plans the commands for the step's shell. Those that are secrets
// are in variables.
func (s *script) planCommands(step *Step) {
	step.Commands = s.values()
	for i, item := range s.items {
		if item.secret != "" {
			variable := fmt.Sprintf("SLIPWAY_COMMAND_%d", i+1)
			step.Commands[i] = secretCommand(variable)
			step.addSecret(variable, item.secret)
		}
	}
}
