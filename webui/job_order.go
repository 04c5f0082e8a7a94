package webui

import (
	"cmp"
	"slices"
)

// inOrder sorts jobs as they run: each after those it depends on, and last those
// that their conditions kept out.
func inOrder(jobs []jobView) {
	at := make(map[string]int, len(jobs)) // how many come before, one after the other
	for range jobs {                      // a longest way has fewer parts than there are jobs
		moved := false
		for i := range jobs {
			for _, name := range jobs[i].DependsOn {
				if after := at[name] + 1; at[jobs[i].Name] < after {
					at[jobs[i].Name], moved = after, true
				}
			}
		}
		if !moved {
			break
		}
	}
	slices.SortStableFunc(jobs, func(a, b jobView) int {
		return cmp.Or(compareBool(a.Plan.Skip != "", b.Plan.Skip != ""), cmp.Compare(at[a.Name], at[b.Name]))
	})
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
