package pipeline

import (
	"fmt"
	"maps"

	"go.yaml.in/yaml/v4"
)

// readPipeline fills w.file from a pipeline of a .drone.yml and reports whether
// it could be read at all.
func (w *workflow) readPipeline() bool {
	var p droneFile
	d := w.decoder
	w.warnOfSecrets()
	if !d.object(w.doc.root, "pipeline", &p) || d.spent() {
		return false
	}
	w.setStage(&p)
	w.planned.Environment = w.pipelineEnvironment(p.Environment.values)
	w.file = workflowFile{
		When: p.workflowFilters(), RunsOn: p.Trigger.outcomes(), DependsOn: p.DependsOn,
		Labels: p.Node, Concurrency: p.Concurrency.group(w.doc.name), Clone: p.Clone.plan(w.doc.root),
		SkipClone: p.Clone.Disable, Workspace: p.Workspace,
	}
	w.file.Steps.node = p.Steps.node
	for i := range p.Steps.items {
		w.file.Steps.items = append(w.file.Steps.items, p.step(d, &p.Steps.items[i]))
	}
	for i := range p.Services.items {
		w.file.Services.items = append(w.file.Services.items, p.service(d, &p.Services.items[i]))
	}
	w.checkPipeline(&p)
	return true
}

// checkPipeline reports what of a pipeline can be read and not be done.
func (w *workflow) checkPipeline(p *droneFile) {
	for _, name := range p.PullSecrets.items {
		w.decoder.warn(name.node, fmt.Sprintf("the registry credentials in `%s` are not used yet", clip(name.value)),
			"images that need them must be on the machine already")
	}
}

// pipelineEnvironment returns what every container gets: what the pipeline says
// and over it the variables of the build.
func (w *workflow) pipelineEnvironment(values map[string]string) map[string]string {
	env := make(map[string]string, len(values)+len(w.vars))
	maps.Copy(env, values)
	maps.Copy(env, w.vars)
	return env
}

// workflowFilters returns the trigger, which is there in any case: an event
// that Drone does not have runs nothing, and neither does another platform.
func (p *droneFile) workflowFilters() filters {
	return filters{list: []filter{{node: p.Trigger.node, drone: p.conditions}}, node: p.Trigger.node}
}

// conditions are those of the trigger, and those that every pipeline has.
func (p *droneFile) conditions(f *Facts) []Condition {
	var out []Condition
	if droneEvent(f) == "" {
		out = append(out, Condition{Key: "event", Want: droneEvents(), Got: string(f.Event)})
	}
	out = append(out, p.Trigger.conditions(f)...)
	return append(out, p.Platform.conditions(f)...)
}

// outcomes returns after which outcome of what it depends on a pipeline runs.
func (w *droneWhen) outcomes() outcomes {
	if w.Status.node == nil {
		return outcomes{}
	}
	return outcomes{success: w.Status.match(outcomeSuccess, true), failure: w.Status.match(outcomeFailure, true), node: w.Status.node}
}

// container returns what steps and services share.
func (p *droneFile) container(d *decoder, s *droneStep) containerFile {
	c := containerFile{
		Name: s.Name, Image: s.Image, Commands: s.Commands, Entrypoint: s.Entrypoint, args: s.Command, missing: s.missing,
		Environment: s.Environment, Settings: s.Settings, When: s.When.filters(),
		Failure: failure{value: s.Failure.value}, Pull: pull{value: s.Pull.policy(s.Image.value)},
		Directory: s.WorkingDir, Privileged: s.Privileged,
		DNS: s.DNS, DNSSearch: s.DNSSearch, ExtraHosts: s.ExtraHosts, NetworkMode: s.NetworkMode,
		Volumes: s.Volumes.mounts(d, &p.Volumes), Devices: s.Devices.devices(d, &p.Volumes),
		Resources: resources{Memory: s.MemLimit}, shmSize: s.ShmSize.value,
	}
	c.BackendOptions.Docker.User = s.User
	if len(s.Commands.items) > 0 {
		s.warnUnused(d, s.Entrypoint.node, "entrypoint")
		s.warnUnused(d, s.Command.node, "command")
		c.Entrypoint, c.args = arguments{}, arguments{}
	}
	if n := s.MemLimit.node; n != nil && s.MemLimit.value < minMemory {
		d.report(n, "is too little memory for a container", "give it at least 6MiB")
	}
	c.at(d, s.key, s.node)
	return c
}

// warnUnused warns of a key that `commands` makes meaningless.
func (s *droneStep) warnUnused(d *decoder, n *yaml.Node, key string) {
	if n != nil {
		d.warn(n, fmt.Sprintf("`%s` has no effect beside `commands`", key), "remove one of them")
	}
}

func (p *droneFile) step(d *decoder, s *droneStep) stepFile {
	out := stepFile{containerFile: p.container(d, s), DependsOn: s.DependsOn}
	out.Detach = s.Detach
	// `depends_on: []` is none in Drone, and the source is fetched in a step
	// called clone.
	if len(out.DependsOn.items) == 0 {
		out.DependsOn.node = nil
	}
	if !p.hasStep("clone") {
		var others []dependency
		for _, dep := range out.DependsOn.items {
			if dep.Name.value != "clone" {
				others = append(others, dep)
			}
		}
		out.DependsOn.items = others
	}
	return out
}

func (p *droneFile) hasStep(name string) bool {
	for i := range p.Steps.items {
		if p.Steps.items[i].Name.value == name {
			return true
		}
	}
	return false
}

// service returns a service. Drone's files wait for their services themselves,
// or need not: nobody else shall, on a port that may never answer.
func (p *droneFile) service(d *decoder, s *droneStep) serviceFile {
	if s.DependsOn.node != nil {
		d.warn(s.DependsOn.node, "`depends_on` of a service has no effect", "services start before all steps")
	}
	return serviceFile{
		containerFile: p.container(d, s),
		Healthcheck:   healthcheck{node: s.node, disabled: true},
	}
}
