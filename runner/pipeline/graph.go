package pipeline

// graph is who waits for whom, by index.
type graph struct {
	names []string
	index map[string]int // of the first node of that name
	edges [][]int
	known map[[2]int]bool // from and to of the edges
}

// edge is one dependency of a cycle.
type edge struct {
	from, to         int
	fromName, toName string
}

func newGraph(names []string) *graph {
	g := &graph{names: names, index: make(map[string]int, len(names)), edges: make([][]int, len(names)), known: map[[2]int]bool{}}
	for i, n := range names {
		if _, ok := g.index[n]; !ok {
			g.index[n] = i
		}
	}
	return g
}

func (g *graph) has(name string) bool {
	_, ok := g.index[name]
	return ok
}

// add lets from wait for to; a second time changes nothing.
func (g *graph) add(from, to int) {
	if e := [2]int{from, to}; !g.known[e] {
		g.known[e] = true
		g.edges[from] = append(g.edges[from], to)
	}
}

// edgeNames returns what node i waits for.
func (g *graph) edgeNames(i int) []string {
	var out []string
	for _, to := range g.edges[i] {
		out = append(out, g.names[to])
	}
	return out
}

// cycles returns cycles that have no node in common, so that mending one after
// the other mends all.
func (g *graph) cycles() [][]edge {
	const (
		unseen = iota
		open
		done
	)
	state := make([]int, len(g.names))
	reported := make([]bool, len(g.names))
	var path []int
	var out [][]edge
	var visit func(int)
	visit = func(n int) {
		state[n] = open
		path = append(path, n)
		for _, to := range g.edges[n] {
			switch state[to] {
			case unseen:
				visit(to)
			case open:
				if reported[n] || reported[to] {
					continue
				}
				if c := g.cycleFrom(path, to); !anyReported(c, reported) {
					out = append(out, c)
				}
			}
		}
		path = path[:len(path)-1]
		state[n] = done
	}
	for n := range g.names {
		if state[n] == unseen {
			visit(n)
		}
	}
	return out
}

// cycleFrom returns the cycle that an edge from the end of path to first closes.
func (g *graph) cycleFrom(path []int, first int) []edge {
	start := len(path) - 1
	for path[start] != first {
		start--
	}
	nodes := path[start:]
	cycle := make([]edge, len(nodes))
	for i, from := range nodes {
		to := nodes[(i+1)%len(nodes)]
		cycle[i] = edge{from: from, to: to, fromName: g.names[from], toName: g.names[to]}
	}
	return cycle
}

// anyReported reports whether a node of the cycle was in one before, and marks all.
func anyReported(cycle []edge, reported []bool) bool {
	for _, e := range cycle {
		if reported[e.from] {
			return true
		}
	}
	for _, e := range cycle {
		reported[e.from] = true
	}
	return false
}
