package pipeline

import (
	"fmt"
	"strings"
)

// planOrder makes the order of the steps explicit: as depends_on says if any
// step has it, else one after the other.
func (w *workflow) planOrder() {
	items, steps := w.file.Steps.items, w.planned.Steps
	explicit := false
	for i := range items {
		explicit = explicit || items[i].DependsOn.node != nil
	}
	if explicit {
		w.planGraph()
	} else {
		for i := 1; i < len(steps); i++ {
			steps[i].DependsOn = []string{steps[i-1].Name}
		}
	}
	for i := range steps {
		w.planServices(&steps[i], &items[i].DependsOn)
	}
}

// planGraph orders the steps as depends_on says.
func (w *workflow) planGraph() {
	items, steps := w.file.Steps.items, w.planned.Steps
	names := make([]string, len(steps))
	for i := range steps {
		names[i] = steps[i].Name
	}
	graph := newGraph(names)
	has := func(name string) bool { return graph.has(name) || w.service(name) != nil }
	for i := range items {
		for _, dep := range items[i].DependsOn.resolve(w.decoder, "step", names, has) {
			if graph.has(dep.Name.value) {
				w.addEdge(graph, i, graph.index[dep.Name.value], dep.Name, "step")
			}
		}
		steps[i].DependsOn = graph.edgeNames(i)
	}
	for _, c := range graph.cycles() {
		w.reportCycle(c, "steps", items[c[0].from].DependsOn.items)
	}
}

// planServices says which services a step waits for: those that it names, or
// all. What is skipped is not waited for.
func (w *workflow) planServices(step *Step, deps *dependencies) {
	var named []string
	all := true
	for _, dep := range deps.items {
		if s := w.service(dep.Name.value); s != nil {
			if s.Skip == "" && !contains(named, s.Name) {
				named = append(named, s.Name)
			}
			all = false
		}
	}
	step.Services = named
	for _, s := range w.planned.Services {
		if all && s.Skip == "" {
			step.Services = append(step.Services, s.Name)
		}
	}
}

// service returns the planned service of that name, or nil.
func (w *workflow) service(name string) *Step {
	for i := range w.planned.Services {
		if w.planned.Services[i].Name == name {
			return &w.planned.Services[i]
		}
	}
	return nil
}

// checkWorkflows checks what concerns workflows among each other: names that
// two files have, and depends_on. The jobs of a matrix wait, and are waited
// for, together.
func checkWorkflows(jobs []*workflow) {
	var files []*workflow // the first job of each file
	members := map[*document][]string{}
	for _, w := range jobs {
		if members[w.doc] == nil {
			files = append(files, w)
		}
		members[w.doc] = append(members[w.doc], w.planned.Name)
	}
	names := make([]string, len(files))
	for i, w := range files {
		names[i] = w.doc.name
	}
	graph := newGraph(names)
	for i, w := range files {
		if first := graph.index[w.doc.name]; first != i {
			w.decoder.add(w.doc.problem(0, 0, fmt.Sprintf("makes the workflow `%s`, as %s does", clip(w.doc.name), files[first].doc.path), "rename one of the two files"))
		}
		for _, dep := range w.file.DependsOn.resolve(w.decoder, "workflow", names, graph.has) {
			w.addEdge(graph, i, graph.index[dep.Name.value], dep.Name, "workflow")
		}
	}
	for _, c := range graph.cycles() {
		w := files[c[0].from]
		w.reportCycle(c, "workflows", w.file.DependsOn.items)
	}
	for _, w := range jobs {
		for _, to := range graph.edges[graph.index[w.doc.name]] {
			w.planned.DependsOn = append(w.planned.DependsOn, members[files[to].doc]...)
		}
	}
}

// addEdge lets node i depend on node to, which dep names.
func (w *workflow) addEdge(g *graph, i, to int, dep text, what string) {
	if to == i {
		w.decoder.report(dep.node, fmt.Sprintf("%s `%s` depends on itself", what, clip(dep.value)), "remove it")
		return
	}
	g.add(i, to)
}

// reportCycle reports at the depends_on, one of items, that leads into it.
func (w *workflow) reportCycle(cycle []edge, what string, items []dependency) {
	names := make([]string, 0, len(cycle)+1)
	for _, e := range cycle {
		names = append(names, clip(e.fromName))
	}
	names = append(names, names[0])
	const most = 10
	if len(names) > most {
		names = append(append(names[:most-2:most-2], "…"), names[len(names)-1])
	}
	message := fmt.Sprintf("%s wait for each other: %s", what, strings.Join(names, " → "))
	for _, item := range items {
		if item.Name.value == cycle[0].toName {
			w.decoder.report(item.Name.node, message, "remove one of these dependencies")
			return
		}
	}
}
