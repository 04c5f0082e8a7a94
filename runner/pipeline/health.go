package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const maxPort = 65535

// ports are what a service listens on.
type ports struct{ items []Port }

func (p *ports) decode(d *decoder, n *yaml.Node) {
	var list texts
	list.decode(d, n)
	for _, item := range list.items {
		digits, protocol, ok := strings.Cut(strings.ToLower(item.value), "/")
		if !ok {
			protocol = "tcp"
		}
		number, err := strconv.Atoi(digits)
		switch {
		case strings.Contains(digits, ":"):
			d.report(item.node, fmt.Sprintf("`%s` would publish a port; services are reached by their names", clip(item.value)),
				"write the port that the service listens on alone")
		case err != nil || number < 1 || number > maxPort || protocol != "tcp" && protocol != "udp":
			d.report(item.node, fmt.Sprintf("`%s` is not a port", clip(item.value)), "write for example `5432` or `53/udp`")
		default:
			p.items = append(p.items, Port{Number: number, Protocol: protocol})
		}
	}
}

// healthNone as a healthcheck is none at all.
const healthNone = "none"

// healthcheck is how to tell that a service answers: a port, a command, `none`,
// or a map.
type healthcheck struct {
	Command     healthCommand `yaml:"command" doc:"A command that succeeds when the service answers: a line for the shell, or a list of a program and its arguments."`
	Port        integer       `yaml:"port" doc:"A TCP port that accepts connections when the service answers."`
	Interval    duration      `yaml:"interval" doc:"The time between two checks; 1s if it is not there."`
	Timeout     duration      `yaml:"timeout" doc:"How long one check may take; 5s if it is not there."`
	Retries     integer       `yaml:"retries" doc:"After how many failed checks the service is given up; 60 if it is not there."`
	StartPeriod duration      `yaml:"start_period" doc:"How long failed checks don't count after the start."`
	node        *yaml.Node
	disabled    bool
}

func (h *healthcheck) decode(d *decoder, n *yaml.Node) {
	h.node = n
	switch {
	case n.Kind == yaml.MappingNode && !hasSecret(n):
		d.object(n, "healthcheck", h)
	case n.Kind == yaml.SequenceNode, hasSecret(n):
		h.Command.decode(d, n)
	case n.Tag == "!!null":
		h.node = nil
	case n.Tag == "!!int":
		h.Port.decode(d, n)
	case n.Value == healthNone:
		h.disabled = true
	default:
		h.Command.decode(d, n)
	}
	if h.Port.node != nil && (h.Port.value < 1 || h.Port.value > maxPort) {
		d.report(h.Port.node, fmt.Sprintf("`%d` is not a port", h.Port.value), "write a number from 1 to 65535")
	}
	if h.Port.node != nil && h.Command.node != nil {
		d.report(h.Port.node, "a healthcheck has both `port` and `command`", "remove one of them")
	}
	if h.Retries.node != nil && h.Retries.value < 1 {
		d.report(h.Retries.node, "`retries` must be at least 1", "write `healthcheck: none` to wait for nothing")
	}
}

// plan returns nil if the key is not there. What of it is secret is added to the
// service.
func (h *healthcheck) plan(s *Step) *Healthcheck {
	if h.node == nil {
		return nil
	}
	if h.disabled {
		return &Healthcheck{Disabled: true}
	}
	out := HealthcheckDefaults()
	out.Command, out.Port, out.StartPeriod = h.Command.plan(s), h.Port.value, h.StartPeriod.value
	if h.Interval.node != nil {
		out.Interval = h.Interval.value
	}
	if h.Timeout.node != nil {
		out.Timeout = h.Timeout.value
	}
	if h.Retries.node != nil {
		out.Retries = h.Retries.value
	}
	return &out
}

// healthCommand is a line for the shell, or a program and its arguments.
type healthCommand struct {
	line  confidential
	words arguments
	node  *yaml.Node // nil if the key is not there
}

func (c *healthCommand) decode(d *decoder, n *yaml.Node) {
	c.node = n
	errors := d.errors
	if n.Kind == yaml.SequenceNode {
		c.words.decode(d, n)
	} else {
		c.line.decodeAs(d, n, shell)
	}
	if d.errors == errors && c.empty() {
		d.report(n, "the command is empty", "write a command, or `healthcheck: none`")
	}
}

func (c *healthCommand) empty() bool {
	if c.node.Kind == yaml.SequenceNode {
		return len(c.words.items) == 0 || c.words.items[0].value == ""
	}
	return c.line.value == "" && c.line.secret == ""
}

// healthVariable has the command if that is a secret.
const healthVariable = "SLIPWAY_HEALTHCHECK"

// plan returns the program and its arguments, and adds to the service what is
// secret.
func (c *healthCommand) plan(s *Step) []string {
	switch {
	case c.node == nil:
		return nil
	case c.node.Kind == yaml.SequenceNode:
		return c.words.values()
	case c.line.secret != "":
		s.addSecret(healthVariable, c.line.secret)
		return []string{"/bin/sh", "-c", secretCommand(healthVariable)}
	default:
		return []string{"/bin/sh", "-c", c.line.value}
	}
}
