package webui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// outlineOf writes groups as "head:open:exit [first-last] rows and gaps".
func outlineOf(v *logView) (out []string) {
	for i := range v.Groups {
		g := &v.Groups[i]
		var b strings.Builder
		for _, r := range g.Head {
			fmt.Fprintf(&b, "%d ", r.N)
		}
		if g.Open {
			b.WriteString("open ")
		}
		if g.HasExit {
			fmt.Fprintf(&b, "exit %d in %v ", g.Exit, g.Duration)
		}
		for _, p := range g.Parts {
			if p.Rows != nil {
				fmt.Fprintf(&b, "rows %d-%d ", p.Rows[0].N, p.Rows[len(p.Rows)-1].N)
			} else {
				fmt.Fprintf(&b, "gap %d-%d (%s) ", p.From, p.To, strings.TrimPrefix(p.Link, "/step?line="))
			}
		}
		out = append(out, strings.TrimSpace(b.String()))
	}
	return out
}

func TestGroups(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0) }
	head := func(first, n int64, s int) (rows []logs.Line) {
		for i := range n {
			rows = append(rows, logs.Line{N: first + i, Kind: logs.Command, Time: at(s)})
		}
		return rows
	}
	commands := []logs.CommandSpan{
		{Head: head(2, 2, 0), First: 2, Last: 1000, End: at(5), Exit: 1},
		{Head: head(1001, 1, 5), First: 1001, Last: 1002, End: at(7), Exit: 0},
		{Head: head(1003, 1, 7), First: 1003, Last: 1003, End: at(9), Exit: 0},
		{Head: head(1004, 1, 9), First: 1004, Last: 5000},
		{Head: head(5001, 1, 11), First: 5001, Last: 5001}, // came later
	}
	began := map[int64]time.Time{}
	for _, c := range commands {
		began[c.First] = c.Head[0].Time
	}
	rows := func(from, to int64) (out []logRow) {
		for n := from; n <= to; n++ {
			out = append(out, logRow{N: n, Time: began[n]})
		}
		return out
	}
	passed := store.Step{Status: store.Success, Exited: true, FinishedAt: at(12)}
	for name, c := range map[string]struct {
		line, total int64
		step        store.Step
		rows        []logRow
		commands    []logs.CommandSpan
		want        []string
	}{
		"around a line": {900, 5000, passed, rows(870, 1069), commands, []string{
			"gap 1-1 (1#L1)",
			"2 3 open exit 1 in 5s gap 4-869 (780#L780) rows 870-1000",
			"1001 exit 0 in 2s rows 1002-1002",
			"1003 exit 0 in 2s",
			"1004 exit 0 in 3s rows 1005-1069 gap 1070-5000 (1100#L1100)",
		}},
		"the end of one that runs": {0, 5000, store.Step{Status: store.Running}, rows(4801, 5000), commands, []string{
			"gap 1-1 (1#L1)", "2 3 open exit 1 in 5s gap 4-1000 (911#L911)", "1001 exit 0 in 2s gap 1002-1002 (1002#L1002)", "1003 exit 0 in 2s",
			"1004 open gap 1005-4800 (4711#L4711) rows 4801-5000",
		}},
		"none failed": {0, 1003, passed, rows(1001, 1003), commands[1:3], []string{
			"gap 1-1000 (911#L911)", "1001 exit 0 in 2s rows 1002-1002", "1003 open exit 0 in 5s",
		}},
		"no command": {0, 3, passed, rows(1, 3), nil, []string{"open exit 0 in 0s rows 1-3"}},
		"nothing":    {0, 0, passed, nil, nil, nil},
	} {
		v := &logView{Path: "/step", Total: c.total, Line: c.line, Finished: c.step.Status.Final()}
		v.group(c.commands, c.rows, &logTarget{path: "/step", step: c.step})
		if got := strings.Join(outlineOf(v), "\n"); got != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, strings.Join(c.want, "\n"))
		}
	}
}
