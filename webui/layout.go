package webui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A box is a node of a drawing: its size is given, its place is worked out. The
// unit is a CSS pixel.
type box struct{ X, Y, W, H int }

// An edge leads from one box to another, by their indexes.
type edge struct{ from, to int }

// A drawing is a directed graph without cycles, drawn in layers from left to
// right: a box stands in the first layer after all those it comes from.
type drawing struct {
	Boxes []box
	Paths []string // of SVG, one an edge of the reduced graph
	W, H  int
}

const (
	layerGap = 32 // between layers, where the edges bend
	boxGap   = 14 // between boxes of a layer
	lineGap  = 10 // what an edge needs that passes by boxes
	sweeps   = 6  // of ordering and of placing; more change next to nothing
)

// layered lays out a graph. Edges that others imply are left out. Parts that no
// edge joins stand one below the other.
func layered(sizes []box, edges []edge) drawing {
	edges = reduce(len(sizes), edges)
	d := drawing{Boxes: make([]box, len(sizes))}
	for _, part := range parts(len(sizes), edges) {
		d.add(part, sizes, edges)
	}
	return d
}

// parts returns the boxes of each part of a graph that edges hold together, in
// their order.
func parts(n int, edges []edge) [][]int {
	first := make([]int, n) // of the part that a box is in
	for i := range first {
		first[i] = i
	}
	for range n { // a longest way has fewer edges than there are boxes
		moved := false
		for _, e := range edges {
			least := min(first[e.from], first[e.to])
			moved = moved || first[e.from] != first[e.to]
			first[e.from], first[e.to] = least, least
		}
		if !moved {
			break
		}
	}
	byFirst := make([][]int, n)
	for i, f := range first {
		byFirst[f] = append(byFirst[f], i)
	}
	return slices.DeleteFunc(byFirst, func(part []int) bool { return part == nil })
}

// add lays out a part of the graph below those that are there.
func (d *drawing) add(part []int, sizes []box, edges []edge) {
	at := make(map[int]int, len(part)) // indexes in the part
	l := layout{real: len(part)}
	for k, i := range part {
		at[i] = k
		l.boxes = append(l.boxes, sizes[i])
	}
	var inner []edge
	for _, e := range edges {
		if _, ok := at[e.from]; ok {
			inner = append(inner, edge{at[e.from], at[e.to]})
		}
	}
	top := 0
	if d.H > 0 {
		top = d.H + boxGap
	}
	l.rank(inner)
	routes := l.route(inner)
	l.order()
	l.place(top)
	for _, r := range routes {
		d.Paths = append(d.Paths, l.path(r))
	}
	for k, i := range part {
		b := l.boxes[k]
		d.Boxes[i] = b
		d.W, d.H = max(d.W, b.X+b.W), max(d.H, b.Y+b.H)
	}
}

// reduce leaves out each edge whose ends a longer way joins too.
func reduce(n int, edges []edge) []edge {
	next := make([][]int, n)
	for _, e := range edges {
		if !slices.Contains(next[e.from], e.to) {
			next[e.from] = append(next[e.from], e.to)
		}
	}
	var reach func(from int, seen []bool)
	reach = func(from int, seen []bool) {
		for _, to := range next[from] {
			if !seen[to] {
				seen[to] = true
				reach(to, seen)
			}
		}
	}
	var out []edge
	for from := range next {
		further := make([]bool, n)
		for _, to := range next[from] {
			reach(to, further)
		}
		for _, to := range next[from] {
			if !further[to] {
				out = append(out, edge{from, to})
			}
		}
	}
	return out
}

// layout is a drawing on its way. Boxes after the real ones are the points at
// which long edges pass through layers.
type layout struct {
	boxes  []box
	real   int
	layer  []int // of each box
	layers [][]int
	before [][]int // neighbours in the layer before
	after  [][]int
}

func (l *layout) rank(edges []edge) {
	l.layer = make([]int, l.real)
	for range l.real { // a longest way has fewer edges than there are boxes
		moved := false
		for _, e := range edges {
			if want := l.layer[e.from] + 1; l.layer[e.to] < want {
				l.layer[e.to], moved = want, true
			}
		}
		if !moved {
			break
		}
	}
	for i, r := range l.layer {
		for len(l.layers) <= r {
			l.layers = append(l.layers, nil)
		}
		l.layers[r] = append(l.layers[r], i)
	}
}

// route cuts edges into parts from layer to layer, and returns for each the
// boxes that it goes through.
func (l *layout) route(edges []edge) [][]int {
	l.before, l.after = make([][]int, l.real), make([][]int, l.real)
	routes := make([][]int, 0, len(edges))
	for _, e := range edges {
		route := []int{e.from}
		for r := l.layer[e.from] + 1; r < l.layer[e.to]; r++ {
			i := len(l.boxes)
			l.boxes = append(l.boxes, box{H: lineGap})
			l.layer = append(l.layer, r)
			l.layers[r] = append(l.layers[r], i)
			l.before, l.after = append(l.before, nil), append(l.after, nil)
			route = append(route, i)
		}
		route = append(route, e.to)
		for i := 1; i < len(route); i++ {
			a, b := route[i-1], route[i]
			l.after[a], l.before[b] = append(l.after[a], b), append(l.before[b], a)
		}
		routes = append(routes, route)
	}
	return routes
}

// order orders the boxes of each layer by where their neighbours stand, to and
// fro, which untangles most edges.
func (l *layout) order() {
	at := make([]float64, len(l.boxes))
	number := func(layer []int) {
		for k, i := range layer {
			at[i] = float64(k)
		}
	}
	for _, layer := range l.layers {
		number(layer)
	}
	sort := func(layer []int, neighbours [][]int) {
		want := map[int]float64{}
		for _, i := range layer {
			want[i] = at[i]
			if n := neighbours[i]; len(n) > 0 {
				want[i] = mean(n, func(k int) float64 { return at[k] })
			}
		}
		slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(want[a], want[b]) })
		number(layer)
	}
	for range sweeps {
		for _, layer := range l.layers {
			sort(layer, l.before)
		}
		for _, layer := range slices.Backward(l.layers) {
			sort(layer, l.after)
		}
	}
}

// place gives the boxes of each layer the height at which their neighbours are,
// as far as they leave each other room. The highest is at top.
func (l *layout) place(top int) {
	alone := make([][]int, len(l.boxes)) // at first the boxes of a layer stand one below the other
	x := 0
	for _, layer := range l.layers {
		width := 0
		for _, i := range layer {
			l.boxes[i].X = x
			width = max(width, l.boxes[i].W)
		}
		for _, i := range layer {
			if i >= l.real {
				l.boxes[i].W = width
			}
		}
		x += width + layerGap
		l.settle(layer, alone)
	}
	for range sweeps {
		for _, layer := range l.layers {
			l.settle(layer, l.before)
		}
		for _, layer := range slices.Backward(l.layers) {
			l.settle(layer, l.after)
		}
	}
	highest := slices.MinFunc(l.boxes, func(a, b box) int { return cmp.Compare(a.Y, b.Y) }).Y
	for i := range l.boxes {
		l.boxes[i].Y += top - highest
	}
}

// settle moves the boxes of a layer towards their neighbours, in their order.
func (l *layout) settle(layer []int, neighbours [][]int) {
	middle := func(i int) float64 { return float64(l.boxes[i].Y) + float64(l.boxes[i].H)/2 }
	drift, bottom := 0, 0
	for k, i := range layer {
		b := &l.boxes[i]
		want := b.Y
		if len(neighbours[i]) > 0 {
			want = int(mean(neighbours[i], middle)) - b.H/2
		}
		b.Y = want
		if k > 0 {
			b.Y = max(want, bottom+boxGap)
		}
		bottom = b.Y + b.H
		drift += b.Y - want
	}
	for _, i := range layer { // all were pushed down only
		l.boxes[i].Y -= drift / len(layer)
	}
}

func mean(of []int, value func(int) float64) float64 {
	sum := 0.0
	for _, i := range of {
		sum += value(i)
	}
	return sum / float64(len(of))
}

// path draws an edge: level through layers, bent between them.
func (l *layout) path(route []int) string {
	var b strings.Builder
	for k, i := range route {
		x, y := l.boxes[i].X, l.boxes[i].Y+l.boxes[i].H/2
		if k > 0 {
			last := l.boxes[route[k-1]]
			bend := (last.X + last.W + x) / 2
			fmt.Fprintf(&b, " C%d %d %d %d %d %d", bend, last.Y+last.H/2, bend, y, x, y)
			if k == len(route)-1 {
				break
			}
			fmt.Fprintf(&b, " H%d", x+l.boxes[i].W)
			continue
		}
		fmt.Fprintf(&b, "M%d %d", x+l.boxes[i].W, y)
	}
	return b.String()
}
