package pipeline

import (
	"fmt"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v4"
)

// workflow is one file, or one combination of its matrix, on its way to a
// planned Workflow.
type workflow struct {
	doc     *document
	facts   Facts
	vars    variables
	decoder *decoder
	file    workflowFile
	planned Workflow
}

// newWorkflows returns the jobs of the document of budget, which share it.
// What is wrong with the document itself is known to the first.
func newWorkflows(budget *decoder, f Facts, shared variables) []*workflow {
	doc := budget.doc
	vars := shared.forWorkflow(doc.name)
	budget.vars = budget.vars.another(vars, nil)
	m := readMatrix(budget, doc)
	if len(m.combinations) == 0 {
		w := newWorkflow(budget, f, vars, nil)
		w.planned.Name = doc.name
		return []*workflow{w}
	}
	names := m.jobNames(doc.name)
	out := make([]*workflow, len(names))
	for i, c := range m.combinations {
		vars := shared.forWorkflow(doc.name)
		for k, v := range c.values {
			vars.set(k, v)
		}
		out[i] = newWorkflow(budget, f, vars, m.names)
		out[i].planned.Name, out[i].planned.Base, out[i].planned.Matrix = names[i], doc.name, c.values
	}
	return out
}

// readMatrix reads the matrix before all else: it decides how often the rest is
// read. What is wrong with it is told then.
func readMatrix(budget *decoder, doc *document) matrixFile {
	var m matrixFile
	if doc.root == nil || doc.dialect == drone {
		return m
	}
	d := budget.another(budget.vars)
	for _, p := range d.pairs(doc.root) {
		if p.key.Value == "matrix" {
			m.decode(d, p.value)
		}
	}
	if d.errors > 0 {
		return matrixFile{}
	}
	return m
}

// newWorkflow returns a job whose variables are vars; names are further ones
// that may be mentioned but have no value here.
func newWorkflow(budget *decoder, f Facts, vars variables, names []string) *workflow {
	w := &workflow{doc: budget.doc, facts: f, vars: vars}
	if w.doc.dialect == drone {
		w.vars.setDrone(&f)
	}
	if w.doc.root != nil {
		ws := w.readWorkspace(budget, names)
		w.vars.set("CI_WORKSPACE", ws.Dir())
		if w.doc.dialect == drone {
			w.vars.setDroneStage(w.doc.name, ws)
		}
	}
	known := names
	for name := range f.Variables {
		known = append(known[:len(known):len(known)], name)
	}
	w.decoder = budget.another(budget.vars.another(w.vars, known))
	w.planned = Workflow{File: w.doc.path, OnSuccess: true, Environment: w.vars}
	return w
}

// readWorkspace reads the workspace before all else: every other value may
// mention CI_WORKSPACE. What is wrong with it is told when it is read again.
func (w *workflow) readWorkspace(budget *decoder, names []string) Workspace {
	d := budget.another(budget.vars.another(w.vars, names))
	var ws workspaceFile
	for _, p := range d.pairs(w.doc.root) {
		if p.key.Value == "workspace" {
			ws.decode(d, p.value)
		}
	}
	return ws.workspace(w.doc.dialect, w.facts)
}

// build fills w.planned, reporting problems to w.decoder.
func (w *workflow) build() {
	if !w.read() || w.decoder.spent() {
		return
	}
	w.checkName()
	w.planHead()
	w.planContainers()
	w.checkNames()
	w.planOrder()
	if w.planned.Skip == "" && allSkipped(w.planned.Steps) {
		w.planned.Skip = "no step runs: " + commonSkip(w.planned.Steps)
	}
	if w.planned.Skip == "" {
		w.checkRunning()
	}
}

// read fills w.file and reports whether it could be read at all.
func (w *workflow) read() bool {
	if w.doc.dialect == drone {
		return w.readPipeline()
	}
	return w.decoder.object(w.doc.root, "workflow", &w.file)
}

// planHead plans what concerns the workflow as a whole.
func (w *workflow) planHead() {
	file, p, d := &w.file, &w.planned, w.decoder
	v := w.evaluate(&file.When, wholeWorkflow)
	p.Skip, p.Why = v.skip, v.why
	for _, f := range file.When.list {
		if f.Status.node != nil {
			d.complain(f.Status.node, "`status` in a workflow's `when` has no meaning", "use `runs_on`")
		}
	}
	if file.RunsOn.node != nil {
		p.OnSuccess, p.OnFailure = file.RunsOn.success, file.RunsOn.failure
		if !p.OnSuccess && !p.OnFailure && d.errors == 0 {
			d.report(file.RunsOn.node, "`runs_on` is empty: the workflow would never run", "name `success`, `failure` or both")
		}
	}
	p.Labels = file.Labels.values
	p.Concurrency = file.Concurrency.plan(p, w.facts)
	p.Clone = Clone{Skip: true}
	if !file.SkipClone.value {
		p.Clone = file.Clone.plan(w.facts)
	}
	p.Workspace = file.Workspace.workspace(w.doc.dialect, w.facts)
}

// planContainers plans services and steps, each for itself.
func (w *workflow) planContainers() {
	d := w.decoder
	if len(w.file.Steps.items) == 0 && d.errors == 0 {
		at := w.file.Steps.node
		if at == nil {
			at = w.doc.root
		}
		d.report(at, "the workflow has no steps", "add `steps:` with a name, an image and commands")
	}
	for i := range w.file.Services.items {
		s := &w.file.Services.items[i]
		step := w.planContainer(&s.containerFile, "service", i+1)
		step.Kind = KindService
		step.Detach = false
		step.Ports, step.Healthcheck = s.Ports.items, s.Healthcheck.plan(&step)
		if s.Detach.node != nil && !s.Detach.value {
			d.report(s.Detach.node, "a service always runs beside the steps", "remove `detach`, or make it a step")
		}
		w.planned.Services = append(w.planned.Services, step)
	}
	for i := range w.file.Steps.items {
		s := &w.file.Steps.items[i]
		step := w.planContainer(&s.containerFile, "step", len(w.file.Services.items)+i+1)
		w.planned.Steps = append(w.planned.Steps, step)
	}
}

// planContainer plans what steps and services share. number is the step's
// number in its job, see runner.Job.
func (w *workflow) planContainer(c *containerFile, what string, number int) Step {
	if c.Name.value == "" && what == "step" {
		c.Name.value = fmt.Sprintf("step-%d", number-len(w.file.Services.items))
	}
	w.checkContainer(c, what)
	v := w.evaluate(&c.When, oneStepOf)
	if what == "step" {
		v = w.unlessNamed(&c.When, v)
	}
	step := Step{
		Name: c.Name.value, Kind: KindPlugin, Image: c.Image.value, Pull: c.Pull.value,
		Entrypoint: c.Entrypoint.values(), Args: c.args.values(), Directory: c.Directory.value,
		Failure: c.Failure.value, Detach: c.Detach.value,
		OnSuccess: v.onSuccess, OnFailure: v.onFailure, Skip: v.skip, Why: v.why, Line: c.node.Line,
		Timeout: c.Timeout.value, Retry: c.Retry.plan(), Resources: c.Resources.plan(),
		User: c.BackendOptions.Docker.User.value, Privileged: c.Privileged.value,
		Volumes: c.Volumes.items, Devices: c.Devices.items, Tmpfs: c.Tmpfs.paths,
		DNS: c.DNS.values(), DNSSearch: c.DNSSearch.values(), ExtraHosts: c.ExtraHosts.values(),
		NetworkMode: c.NetworkMode.value, ShmSize: c.shmSize,
	}
	c.plan(&step)
	w.planEnvironment(&step, c, number)
	c.Commands.planCommands(&step)
	if step.Pull == "" {
		step.Pull = PullIfNotPresent
	}
	if step.Failure == "" {
		step.Failure = FailureFail
	}
	if len(step.Commands) > 0 {
		step.Kind = KindCommands
	}
	return step
}

// checkContainer reports what does not fit together in a step or a service.
func (w *workflow) checkContainer(c *containerFile, what string) {
	d := w.decoder
	if c.Image.value == "" && (c.Image.node == nil || c.Image.node.Kind == yaml.ScalarNode) {
		d.report(c.node, fmt.Sprintf("%s `%s` has no image", what, clip(c.Name.value)), "add `image:` with the image to run it in")
	}
	if c.Commands.node != nil && len(c.Commands.items) == 0 && d.errors == 0 && d.doc.dialect == slipway {
		d.report(c.Commands.node, fmt.Sprintf("`commands` of %s `%s` is empty", what, clip(c.Name.value)),
			"add a command, or remove the key to run what the image itself runs")
	}
	if c.Settings.node != nil && c.Commands.node != nil && d.doc.dialect != drone {
		d.report(c.Settings.node, fmt.Sprintf("%s `%s` has both `commands` and `settings`", what, clip(c.Name.value)),
			"settings are for plugins, which run without commands; use `environment`")
	}
}

// checkRunning reports what concerns only what runs. A step that is kept out on
// this event harms nobody, and what it asks for need not be there: an image that
// is named by a tag has no name on a push, and a fork's pull request has none of
// the secrets to publish with.
func (w *workflow) checkRunning() {
	check := func(s *Step, c *containerFile) {
		if s.Skip == "" {
			w.checkImage(s, c)
			w.checkTrust(s, c)
			w.checkSecrets(c)
		}
	}
	for i := range w.planned.Services {
		check(&w.planned.Services[i], &w.file.Services.items[i].containerFile)
	}
	for i := range w.planned.Steps {
		check(&w.planned.Steps[i], &w.file.Steps.items[i].containerFile)
	}
}

// checkImage reports an image that no registry could have.
func (w *workflow) checkImage(s *Step, c *containerFile) {
	if f := imageFault(s.Image); s.Image != "" && f != "" {
		w.decoder.report(c.Image.node, fmt.Sprintf("`%s` %s", clip(s.Image), f), "write for example `alpine:3.22`")
	}
}

func imageFault(image string) string {
	if _, err := reference.ParseNormalizedNamed(image); err != nil {
		return "is not the name of an image"
	}
	return ""
}

func allSkipped(steps []Step) bool {
	for i := range steps {
		if steps[i].Skip == "" {
			return false
		}
	}
	return len(steps) > 0
}

// commonSkip returns the reason if all steps have the same one.
func commonSkip(steps []Step) string {
	for i := range steps {
		if steps[i].Skip != steps[0].Skip {
			return "each step's `when` excludes this event"
		}
	}
	return steps[0].Skip
}
