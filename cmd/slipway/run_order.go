package main

import (
	"slices"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// graph is what each step depends on, by name.
type graph map[string][]string

func stepGraph(steps []pipeline.Step) graph {
	g := graph{}
	for _, s := range steps {
		g[s.Name] = s.DependsOn
	}
	return g
}

// after reports whether a comes after b. Planning made sure that there is no
// cycle.
func (g graph) after(a, b string) bool {
	for _, d := range g[a] {
		if d == b || g.after(d, b) {
			return true
		}
	}
	return false
}

// inOrder sorts workflows so that each stands after those it depends on, and
// otherwise as they were.
func inOrder(workflows []pipeline.Workflow) []pipeline.Workflow {
	var out []pipeline.Workflow
	placed := map[string]bool{}
	var place func(w pipeline.Workflow)
	place = func(w pipeline.Workflow) {
		if placed[w.Name] {
			return
		}
		placed[w.Name] = true
		for _, other := range workflows {
			if slices.Contains(w.DependsOn, other.Name) {
				place(other)
			}
		}
		out = append(out, w)
	}
	for _, w := range workflows {
		place(w)
	}
	return out
}

// blocked says why a workflow does not run after those that failed, "" if it does.
func blocked(w pipeline.Workflow, failed map[string]bool) string {
	for _, d := range w.DependsOn {
		if failed[d] {
			if w.OnFailure {
				return ""
			}
			return "workflow " + d + " did not succeed"
		}
	}
	if !w.OnSuccess {
		return "runs on failure only"
	}
	return ""
}
