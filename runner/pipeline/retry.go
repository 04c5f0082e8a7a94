package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// maxAttempts is how often a step may run.
const maxAttempts = 10

// retry is when a step is run again: the number of attempts or a map.
type retry struct {
	Attempts integer `yaml:"attempts" doc:"How often the step runs at most, the first time included: from 1 to 10; 2 if it is not there."`
	On       retryOn `yaml:"on" doc:"After what it is run again: failure (its commands failed), infrastructure (it could not be run: image, engine or server), timeout. By default failure and infrastructure."`
	node     *yaml.Node
}

func (r *retry) decode(d *decoder, n *yaml.Node) {
	r.node = n
	if n.Kind == yaml.MappingNode {
		d.object(n, "retry", r)
	} else {
		r.Attempts.decode(d, n)
	}
	if r.Attempts.node != nil && (r.Attempts.value < 1 || r.Attempts.value > maxAttempts) {
		d.report(r.Attempts.node, fmt.Sprintf("a step can have from 1 to %d attempts, not %d", maxAttempts, r.Attempts.value), "")
	}
}

// plan returns nil if the step runs once.
func (r *retry) plan() *Retry {
	if r.node == nil {
		return nil
	}
	out := &Retry{Attempts: 2, On: r.On.values}
	if r.Attempts.node != nil {
		out.Attempts = r.Attempts.value
	}
	if out.Attempts < 2 {
		return nil
	}
	if r.On.node == nil {
		out.On = []RetryOn{RetryFailure, RetryInfrastructure}
	}
	return out
}

// retryOn is a list of ways to fail.
type retryOn struct {
	values []RetryOn
	node   *yaml.Node // nil if the key is not there
}

func retryWords() []string {
	return []string{string(RetryFailure), string(RetryInfrastructure), string(RetryTimeout)}
}

func (r *retryOn) decode(d *decoder, n *yaml.Node) {
	var list texts
	list.decode(d, n)
	r.node = n
	seen := map[string]bool{}
	for _, item := range list.items {
		if !contains(retryWords(), item.value) {
			d.report(item.node, fmt.Sprintf("`%s` is not a reason to retry", clip(item.value)), didYouMean(item.value, retryWords()))
			continue
		}
		if !seen[item.value] {
			seen[item.value] = true
			r.values = append(r.values, RetryOn(item.value))
		}
	}
	if len(list.items) == 0 {
		d.report(n, "`on` is empty: the step would never run again", "remove the key to retry after both `failure` and `infrastructure`")
	}
}

// minMemory is the least memory that Docker lets a container have, in bytes.
const minMemory = 6 << 20

// resources are how much of the machine a container may use.
type resources struct {
	CPUs   number `yaml:"cpus" doc:"How many processors, such as 2 or 0.5."`
	Memory size   `yaml:"memory" doc:"How much memory, such as 512MiB or 2GiB. Units are powers of 1024."`
}

func (r *resources) decode(d *decoder, n *yaml.Node) {
	d.object(n, "resources", r)
	if r.Memory.node != nil && r.Memory.value < minMemory {
		d.report(r.Memory.node, "is too little memory for a container", "give it at least 6MiB")
	}
	const most = 1024
	if r.CPUs.value > most || r.CPUs.node != nil && r.CPUs.value < 0.01 {
		d.report(r.CPUs.node, fmt.Sprintf("`cpus` must be from 0.01 to %d", most), "")
	}
}

// plan returns nil if nothing is bounded.
func (r *resources) plan() *Resources {
	if r.CPUs.node == nil && r.Memory.node == nil {
		return nil
	}
	return &Resources{CPUs: r.CPUs.value, MemoryBytes: r.Memory.value}
}
