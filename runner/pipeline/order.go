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
	if !explicit {
		for i := 1; i < len(steps); i++ {
			steps[i].DependsOn = []string{steps[i-1].Name}
		}
		return
	}
	names := make([]string, len(steps))
	for i := range steps {
		names[i] = steps[i].Name
	}
	services := map[string]bool{}
	for i := range w.planned.Services {
		services[w.planned.Services[i].Name] = true
	}
	graph := newGraph(names)
	for i := range items {
		for _, dep := range items[i].DependsOn.items {
			if services[dep.value] && !graph.has(dep.value) {
				w.decoder.report(dep.node, fmt.Sprintf("`%s` is a service", clip(dep.value)), "remove it: services start before all steps")
				continue
			}
			w.addEdge(graph, i, dep, "step")
		}
		steps[i].DependsOn = graph.edgeNames(i)
	}
	for _, c := range graph.cycles() {
		w.reportCycle(c, "steps", items[c[0].from].DependsOn.items)
	}
}

// checkWorkflows checks what concerns workflows among each other: names that
// two files have, and depends_on.
func checkWorkflows(all []*workflow) {
	names := make([]string, len(all))
	for i, w := range all {
		names[i] = w.doc.name
	}
	graph := newGraph(names)
	for i, w := range all {
		if first := graph.index[w.doc.name]; first != i {
			w.decoder.add(w.doc.problem(0, 0, fmt.Sprintf("makes the workflow `%s`, as %s does", clip(w.doc.name), all[first].doc.path), "rename one of the two files"))
		}
		for _, dep := range w.file.DependsOn.items {
			w.addEdge(graph, i, dep, "workflow")
		}
		w.planned.DependsOn = graph.edgeNames(i)
	}
	for _, c := range graph.cycles() {
		w := all[c[0].from]
		w.reportCycle(c, "workflows", w.file.DependsOn.items)
	}
}

// addEdge lets node i depend on dep, or reports why it cannot.
func (w *workflow) addEdge(g *graph, i int, dep text, what string) {
	switch to, ok := g.index[dep.value]; {
	case !ok:
		w.decoder.report(dep.node, fmt.Sprintf("there is no %s `%s` to depend on", what, clip(dep.value)), didYouMean(dep.value, g.names))
	case to == i:
		w.decoder.report(dep.node, fmt.Sprintf("%s `%s` depends on itself", what, clip(dep.value)), "remove it")
	default:
		g.add(i, to)
	}
}

// reportCycle reports at the depends_on, one of items, that leads into it.
func (w *workflow) reportCycle(cycle []edge, what string, items []text) {
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
		if item.value == cycle[0].toName {
			w.decoder.report(item.node, message, "remove one of these dependencies")
			return
		}
	}
}
