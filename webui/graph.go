package webui

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// graphView is a build as a graph: a card for each workflow, or for the jobs of
// one matrix, and in it the steps. A phone shows Cards as a list instead.
type graphView struct {
	W, H  int
	Edges []string // paths of SVG
	Cards []graphCard
}

// graphCard is a workflow, or the jobs of one matrix.
type graphCard struct {
	box
	Name   string
	Short  string // Name as far as the card is wide
	Status store.Status
	Jobs   []*jobView
	After  string // names of what it waits for
	Took   span   // zero for a matrix
	Edges  []string
	Rows   []graphRow
}

// graphRow is a step, or a job of a matrix, as a line of a card. X and Y are
// within the card.
type graphRow struct {
	box
	ID     string
	Name   string
	Short  string
	Path   string
	Status store.Status
	Took   span
	Note   string // "service", "may fail"
	Beside bool   // it runs beside those after it
	After  string // names of what it waits for
	First  bool   // begins a stack
	Last   bool   // ends one
}

// Label says what a row shows to who cannot see it.
func (r graphRow) Label() string {
	words := []string{r.Name, word(r.Status)}
	if r.Note != "" {
		words = append(words, r.Note)
	}
	if r.After != "" {
		words = append(words, "after "+r.After)
	}
	return strings.Join(words, ", ")
}

// shown is what stands in the row, as far as it is wide.
func (r graphRow) shown() string {
	if r.Beside {
		return r.Name + " (" + r.Note + ")"
	}
	return r.Name
}

// Started reports whether Took has a meaning.
func (r graphRow) Started() bool { return r.Took != span{} }

// Started reports whether Took has a meaning.
func (c graphCard) Started() bool { return c.Took != span{} }

// TextEnd is where the card's head ends.
func (c graphCard) TextEnd() int { return c.W - cardPad }

// Where the parts of a row stand within it.
func (r graphRow) IconX() int   { return r.X + 8 }
func (r graphRow) IconY() int   { return r.Y + (rowHeight-16)/2 }
func (r graphRow) TextX() int   { return r.X + 31 }
func (r graphRow) TextY() int   { return r.Y + 19 }
func (r graphRow) TextEnd() int { return r.X + r.W - 8 }

// Matrix reports whether the card holds the jobs of a matrix.
func (c graphCard) Matrix() bool { return len(c.Jobs) > 1 || len(c.Jobs) == 1 && c.Jobs[0].Base != "" }

const (
	cardPad    = 12
	cardHead   = 38
	rowHeight  = 28
	minRow     = 120
	maxRow     = 240
	charWidth  = 7 // about what a character of 13 px takes
	rowMargins = 84
)

// newGraph draws a build.
func newGraph(p *buildPage) *graphView {
	g := &graphView{}
	cards, index := groupJobs(p.Jobs)
	for i := range cards {
		cards[i].fill(p.Now)
	}
	var edges []edge
	for to := range cards {
		for _, j := range cards[to].Jobs {
			for _, name := range j.DependsOn {
				if from, ok := index[name]; ok && from != to {
					edges = append(edges, edge{from, to})
				}
			}
		}
	}
	sizes := make([]box, len(cards))
	for i := range cards {
		sizes[i] = cards[i].box
	}
	d := layered(sizes, edges)
	for i := range cards {
		cards[i].X, cards[i].Y = d.Boxes[i].X, d.Boxes[i].Y
	}
	for _, e := range reduce(len(cards), edges) {
		cards[e.to].After = join(cards[e.to].After, cards[e.from].Name)
	}
	g.Cards, g.Edges, g.W, g.H = cards, d.Paths, d.W, d.H
	return g
}

func join(list, name string) string {
	if list == "" {
		return name
	}
	return list + ", " + name
}

// groupJobs makes a card of each workflow, and says which one a job is in.
func groupJobs(jobs []jobView) (cards []graphCard, index map[string]int) {
	index = map[string]int{}
	bases := map[string]int{}
	for i := range jobs {
		j := &jobs[i]
		if at, ok := bases[j.Base]; ok && j.Base != "" {
			cards[at].Jobs = append(cards[at].Jobs, j)
			index[j.Name] = at
			continue
		}
		index[j.Name], bases[j.Base] = len(cards), len(cards)
		name := j.Base
		if name == "" {
			name = j.Name
		}
		cards = append(cards, graphCard{Name: name, Jobs: []*jobView{j}})
	}
	return cards, index
}

// fill works out what stands in a card, at the drawing's corner.
func (c *graphCard) fill(now time.Time) {
	if c.Matrix() {
		c.fillMatrix(now)
	} else {
		c.fillSteps(now)
	}
	for i := range c.Rows {
		c.Rows[i].Short = cut(c.Rows[i].shown(), (c.Rows[i].W-rowMargins)/charWidth)
	}
	c.W = max(c.W, minRow+2*cardPad)
	c.Short = cut(c.Name, (c.W-rowMargins)/charWidth)
}

// cut shortens a name that is longer than n characters.
func cut(name string, n int) string {
	if r := []rune(name); len(r) > n && n > 1 {
		return string(r[:n-1]) + "…"
	}
	return name
}

// rowWidth is how wide a row is that holds the longest of names.
func rowWidth(names ...string) int {
	w := minRow
	for _, n := range names {
		w = max(w, len([]rune(n))*charWidth+rowMargins)
	}
	return min(w, maxRow)
}

// fillMatrix gives each job of a matrix a row.
func (c *graphCard) fillMatrix(now time.Time) {
	c.Status = c.Jobs[0].Status
	names := make([]string, len(c.Jobs))
	for i, j := range c.Jobs {
		c.Status = together(c.Status, j.Status)
		names[i] = strings.TrimSuffix(strings.TrimPrefix(j.Name, c.Name+" ("), ")")
	}
	w := rowWidth(names...)
	for i, j := range c.Jobs {
		r := graphRow{box: box{cardPad, cardHead + i*rowHeight, w, rowHeight}, ID: fmt.Sprintf("g%d", j.Number), Name: names[i],
			Path: j.Path, Status: j.Status, First: i == 0, Last: i == len(c.Jobs)-1}
		if !j.StartedAt.IsZero() {
			r.Took = newSpan(j.StartedAt, j.FinishedAt, now)
		}
		c.Rows = append(c.Rows, r)
	}
	c.W, c.H = w+2*cardPad, cardHead+len(c.Jobs)*rowHeight+cardPad
}

// together is the state of two jobs of a matrix: what goes on, then the worse.
func together(a, b store.Status) store.Status {
	for _, s := range []store.Status{store.Running, store.Pending, store.Blocked} {
		if a == s || b == s {
			return s
		}
	}
	return a.Worse(b)
}

// fillSteps draws the steps of a workflow: stacks of those that follow one
// another, and the edges between these.
func (c *graphCard) fillSteps(now time.Time) {
	j := c.Jobs[0]
	c.Status = j.Status
	if !j.StartedAt.IsZero() {
		c.Took = newSpan(j.StartedAt, j.FinishedAt, now)
	}
	edges := stepEdges(j)
	stacks, between := stackUp(len(j.Steps), edges, func(i int) bool { return j.beside(i + 1) })
	sizes := make([]box, len(stacks))
	for i, stack := range stacks {
		names := make([]string, len(stack))
		for k, s := range stack {
			names[k] = stepRow(j, s, now).shown()
		}
		sizes[i] = box{W: rowWidth(names...), H: len(stack) * rowHeight}
	}
	after := map[int]string{}
	for _, e := range edges {
		after[e.to] = join(after[e.to], j.Steps[e.from].Name)
	}
	d := layered(sizes, between)
	for i, stack := range stacks {
		for k, s := range stack {
			r := stepRow(j, s, now)
			r.box = box{d.Boxes[i].X, d.Boxes[i].Y + k*rowHeight, d.Boxes[i].W, rowHeight}
			r.First, r.Last, r.After = k == 0, k == len(stack)-1, after[s]
			c.Rows = append(c.Rows, r)
		}
	}
	c.Edges = d.Paths
	for i := range c.Rows {
		c.Rows[i].X, c.Rows[i].Y = c.Rows[i].X+cardPad, c.Rows[i].Y+cardHead
	}
	c.W, c.H = d.W+2*cardPad, d.H+cardHead+cardPad
}

func stepRow(j *jobView, i int, now time.Time) graphRow {
	s := &j.Steps[i]
	r := graphRow{ID: fmt.Sprintf("g%d-%d", j.Number, s.Number), Name: s.Name, Path: s.Path, Status: s.Status}
	if !s.StartedAt.IsZero() {
		r.Took = newSpan(s.StartedAt, s.FinishedAt, now)
	}
	switch planned := j.planned(s.Number); {
	case s.Service():
		r.Note, r.Beside = "service", true
	case planned != nil && planned.Detach:
		r.Note, r.Beside = "detached", true
	case planned != nil && planned.Failure == pipeline.FailureIgnore:
		r.Note = "may fail"
	}
	return r
}

// stepEdges are what the steps of a job wait for, by their indexes, as far as it
// is not implied.
func stepEdges(j *jobView) []edge {
	at := map[string]int{}
	for i := range j.Steps {
		at[j.Steps[i].Name] = i
	}
	var edges []edge
	for to := range j.Steps {
		planned := j.planned(to + 1)
		if planned == nil || j.Steps[to].Service() {
			continue
		}
		for _, names := range [][]string{planned.DependsOn, planned.Services} {
			for _, name := range names {
				if from, ok := at[name]; ok {
					edges = append(edges, edge{from, to})
				}
			}
		}
	}
	return reduce(len(j.Steps), edges)
}

// stackUp puts what follows one another into one stack, unless something else
// follows too, or it runs beside what follows.
func stackUp(n int, edges []edge, beside func(int) bool) (stacks [][]int, between []edge) {
	in, out := make([]int, n), make([]int, n)
	for _, e := range edges {
		out[e.from]++
		in[e.to]++
	}
	next, follows := make([]int, n), make([]bool, n)
	for i := range next {
		next[i] = -1
	}
	for _, e := range edges {
		if out[e.from] == 1 && in[e.to] == 1 && !beside(e.from) {
			next[e.from], follows[e.to] = e.to, true
		}
	}
	stackOf := make([]int, n)
	for i := range n {
		if follows[i] {
			continue
		}
		var stack []int
		for k := i; k >= 0; k = next[k] {
			stackOf[k] = len(stacks)
			stack = append(stack, k)
		}
		stacks = append(stacks, stack)
	}
	for _, e := range edges {
		if a, b := stackOf[e.from], stackOf[e.to]; a != b {
			between = append(between, edge{a, b})
		}
	}
	return stacks, between
}
