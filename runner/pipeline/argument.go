package pipeline

import "go.yaml.in/yaml/v4"

// refuseSecret reports a secret in what becomes a part of a process's command
// line: everyone sees it there who may list the machine's processes, and no
// masking helps.
func (d *decoder) refuseSecret(n *yaml.Node) bool {
	if !hasSecret(n) {
		return false
	}
	d.report(n, "a secret would show in the machine's list of processes here",
		"put it into `environment`, and read the variable in a script")
	return true
}

// argument is a single value that stands in a command line.
type argument struct{ text }

func (a *argument) decode(d *decoder, n *yaml.Node) { a.decodeAs(d, n, plain) }

func (a *argument) decodeAs(d *decoder, n *yaml.Node, u use) bool {
	a.node = n
	return !d.refuseSecret(n) && a.text.decodeAs(d, n, u)
}

// arguments are a program and what it is given; one alone may stand without a
// list. The program may be a shell: what that means for variables stands at the
// head of substitute.go.
type arguments struct{ texts }

func (l *arguments) decode(d *decoder, n *yaml.Node) {
	l.node = n
	for _, c := range d.singles(n) {
		var item argument
		if item.decodeAs(d, c, shell) {
			l.items = append(l.items, item.text)
		}
	}
}
