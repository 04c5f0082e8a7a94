package webui

import (
	"slices"
	"sort"
	"time"

	"github.com/slipway-ci/slipway/store/logs"
)

// group puts the rows of a window under their commands, of which those that came
// after the window was read are left out. What failed, what runs, and the command
// of the line that is looked at are open; where nothing failed, the last one.
func (v *logView) group(commands []logs.CommandSpan, rows []logRow, t *logTarget) {
	before := logGroup{First: 1, Last: v.Total}
	if len(commands) > 0 {
		before.Last = commands[0].First - 1
	}
	if before.First <= before.Last {
		v.add(before, rows)
	}
	maker := rowMaker{path: t.path, raw: t.raw()}
	for i := range commands {
		if c := &commands[i]; c.First <= v.Total {
			v.addCommand(c, rows, &maker)
		}
	}
	if len(v.Groups) == 0 {
		return
	}
	last := &v.Groups[len(v.Groups)-1]
	if t.step.Status.Final() {
		last.end(t.step.ExitCode, t.step.Exited, t.step.FinishedAt)
	}
	failed := func(g logGroup) bool { return g.Failed() }
	last.Open = !v.Finished || !slices.ContainsFunc(v.Groups, failed)
	for i := range v.Groups {
		g := &v.Groups[i]
		g.Open = g.Open || g.Failed() || g.First <= v.Line && v.Line <= g.Last
	}
}

func (v *logView) addCommand(c *logs.CommandSpan, rows []logRow, maker *rowMaker) {
	g := logGroup{First: c.Body(), Last: min(c.Last, v.Total)}
	for i := range c.Head {
		head := &c.Head[i]
		row := maker.row(head)
		if at, ok := find(rows, head.N); ok { // all of its text, and what marks it
			row = rows[at]
		}
		g.Head = append(g.Head, row)
	}
	if !c.End.IsZero() {
		g.end(c.Exit, c.Exit >= 0, c.End)
	}
	v.add(g, rows)
}

// find returns the place of row n in a window, or that of the first one after it.
func find(rows []logRow, n int64) (int, bool) {
	return sort.Find(len(rows), func(i int) int { return int(n - rows[i].N) })
}

// add adds a group with those of its rows that are in the window.
func (v *logView) add(g logGroup, rows []logRow) {
	from, _ := find(rows, g.First)
	to, _ := find(rows, g.Last+1)
	next := g.First
	if from < to {
		rows = rows[from:to]
		g.leaveOut(v.Path, g.First, rows[0].N-1)
		g.Parts = append(g.Parts, logPart{Rows: rows})
		next = rows[len(rows)-1].N + 1
	}
	g.leaveOut(v.Path, next, g.Last)
	v.Groups = append(v.Groups, g)
}

// leaveOut adds a link to rows that are not in the window: to the part of them
// that is next to it.
func (g *logGroup) leaveOut(path string, from, to int64) {
	if from > to {
		return
	}
	line := from + windowLead // they begin where the window ends
	if len(g.Parts) == 0 {
		line = to - windowRows + windowLead + 1
	}
	line = min(max(line, from), to)
	g.Parts = append(g.Parts, logPart{From: from, To: to, Link: lineLink(path, line)})
}

func (g *logGroup) end(exit int, known bool, at time.Time) {
	g.Ended, g.Exit, g.HasExit = true, exit, known
	if len(g.Head) > 0 && at.After(g.Head[0].Time) {
		g.Duration = at.Sub(g.Head[0].Time)
	}
}
