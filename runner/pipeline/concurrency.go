package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// concurrency is how many jobs of a group run at once: a number or a map.
type concurrency struct {
	Limit  integer `yaml:"limit" doc:"How many jobs of the group run at the same time; 1 if it is not there."`
	Group  text    `yaml:"group" doc:"The name of the group within the repository. By default the workflow and the ref."`
	Cancel boolean `yaml:"cancel" doc:"Cancel the oldest job of the group instead of waiting for it."`
	node   *yaml.Node
}

func (c *concurrency) decode(d *decoder, n *yaml.Node) {
	c.node = n
	if n.Kind == yaml.MappingNode {
		d.object(n, "concurrency", c)
	} else {
		c.Limit.decode(d, n)
	}
	if c.Limit.node != nil && c.Limit.value < 1 {
		d.report(c.Limit.node, "the limit must be at least 1", "a workflow that never runs can be kept out with `when`")
	}
	if c.Limit.node == nil {
		c.Limit.value = 1
	}
	if c.Group.node != nil && c.Group.value == "" || len(c.Group.value) > maxGroup {
		d.report(c.Group.node, fmt.Sprintf("`group` must have from 1 to %d bytes", maxGroup), "remove it to have a group for each workflow and ref")
	}
}

// maxGroup is the most bytes of a group's name.
const maxGroup = 300

// plan returns nil if the key is not there.
func (c *concurrency) plan(w *Workflow, f Facts) *Concurrency {
	if c.node == nil {
		return nil
	}
	out := &Concurrency{Limit: c.Limit.value, Group: c.Group.value, Cancel: c.Cancel.value}
	if out.Group == "" {
		out.Group = w.Name + " " + f.Commit.Ref
	}
	return out
}
