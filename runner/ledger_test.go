package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// errDead is what everything returns once the process has died.
var errDead = errors.New("the process is dead")

// errRefused is the failure of one record.
var errRefused = errors.New("disk full")

// A ledger is an Observer that keeps everything in memory, as a store does on a
// disk: what was recorded outlives the death of the process.
type ledger struct {
	mu       sync.Mutex // guards what follows
	state    runner.State
	ops      []string // "intend start/1/1", "done start/1/1", in order
	finished []int    // steps, in the order of their ends
	verdicts []runner.JobResult
	endedAt  int // how many ops had been recorded when the job ended
	logs     map[int]*memLog
	dead     bool
	dieAt    int                  // the op record that kills the process, from 1; 0 for none
	dieOn    string               // likewise, by what is recorded: "done stop/1/1"
	recorded bool                 // it is recorded before
	refuse   string               // what is not recorded, by a process that lives on
	most     int                  // steps that had begun and not ended, at most
	turn     func(step int) error // called before a step's turn is recorded, which its error prevents
	waiting  []waiter
}

// waiter is closed when an op is recorded.
type waiter struct {
	op string
	ch chan struct{}
}

func newLedger() *ledger {
	return &ledger{
		state: runner.State{Ops: map[string]runner.OpRecord{}, Started: map[int]time.Time{}, Results: map[int]runner.StepResult{}, Used: map[int]runner.Usage{}},
		logs:  map[int]*memLog{},
	}
}

// recordOp records one Intend or Done, or dies of it.
func (l *ledger) recordOp(what string, op runner.Op, record func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	l.ops = append(l.ops, what+" "+op.Key())
	if l.refuse == what+" "+op.Key() {
		return errRefused
	}
	last := l.dieAt == len(l.ops) || l.dieOn == what+" "+op.Key()
	l.dead = last
	if !last || l.recorded {
		record()
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(w waiter) bool {
		if w.op != what+" "+op.Key() {
			return false
		}
		close(w.ch)
		return true
	})
	if last {
		return errDead
	}
	return nil
}

func (l *ledger) Intend(ctx context.Context, op runner.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.recordOp("intend", op, func() {
		if _, ok := l.state.Ops[op.Key()]; !ok {
			l.state.Ops[op.Key()] = runner.OpRecord{}
		}
	})
}

func (l *ledger) Done(ctx context.Context, op runner.Op, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.recordOp("done", op, func() { l.state.Ops[op.Key()] = runner.OpRecord{Done: true, ID: id} })
}

func (l *ledger) StepStarted(ctx context.Context, step int, at time.Time) error {
	if l.turn != nil {
		if err := l.turn(step); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	if _, ok := l.state.Started[step]; ok {
		return fmt.Errorf("step %d started twice", step)
	}
	l.state.Started[step] = at
	l.most = max(l.most, len(l.state.Started)-len(l.state.Results))
	return ctx.Err()
}

func (l *ledger) StepFinished(ctx context.Context, step int, r runner.StepResult) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	if _, ok := l.state.Results[step]; ok {
		return fmt.Errorf("step %d finished twice", step)
	}
	if g := l.logs[step]; g != nil && g.open {
		return fmt.Errorf("step %d finished with its log open", step)
	}
	l.state.Results[step] = r
	l.finished = append(l.finished, step)
	return ctx.Err()
}

// StepUsed implements runner.UsageObserver.
func (l *ledger) StepUsed(ctx context.Context, step int, u runner.Usage) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	l.state.Used[step] = u
	return ctx.Err()
}

// JobEnded implements runner.Ender.
func (l *ledger) JobEnded(ctx context.Context, r runner.JobResult) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	if l.refuse == "end" {
		return errRefused
	}
	l.verdicts, l.endedAt = append(l.verdicts, r), len(l.ops)
	return ctx.Err()
}

func (l *ledger) Log(_ context.Context, step int) (runner.Log, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errDead
	}
	g := l.logs[step]
	if g == nil {
		g = &memLog{l: l}
		l.logs[step] = g
	}
	if g.open {
		return nil, fmt.Errorf("log of step %d has a writer", step)
	}
	g.reopen()
	return g, nil
}

// when returns a channel that is closed when the op is recorded.
func (l *ledger) when(op string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := make(chan struct{})
	l.waiting = append(l.waiting, waiter{op, ch})
	return ch
}

// kill is the death of the process: nothing is recorded from now on.
func (l *ledger) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

// revive is the start of the next process: what was recorded is there.
func (l *ledger) revive() runner.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead, l.dieAt, l.dieOn, l.ops = false, 0, "", nil
	for _, g := range l.logs {
		g.open = false
	}
	state := runner.State{Ops: map[string]runner.OpRecord{}, Started: map[int]time.Time{}, Results: map[int]runner.StepResult{}, Used: map[int]runner.Usage{}}
	for k, v := range l.state.Ops {
		state.Ops[k] = v
	}
	for k, v := range l.state.Started {
		state.Started[k] = v
	}
	for k, v := range l.state.Results {
		state.Results[k] = v
	}
	for k, v := range l.state.Used {
		state.Used[k] = v
	}
	return state
}

// records returns what was recorded of ops, in order.
func (l *ledger) records() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ops)
}

// memLog is a Log in memory. It is guarded by the ledger's mutex.
type memLog struct {
	l       *ledger
	lines   []runner.Line
	live    map[runner.Stream]string // open lines
	open    bool
	again   map[runner.Stream]int // pieces of an unfinished line to be fed again
	appends int
	grown   chan struct{} // closed at the next Append; nil if nobody waits
}

func (g *memLog) reopen() {
	g.open, g.live, g.again = true, map[runner.Stream]string{}, map[runner.Stream]int{}
	for _, line := range g.lines {
		if g.again[line.Stream]++; line.End {
			g.again[line.Stream] = 0
		}
	}
}

func (g *memLog) Append(lines ...runner.Line) error {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	if g.l.dead {
		return errDead
	}
	if !g.open {
		return errors.New("append to a closed log")
	}
	g.appends++
	for _, line := range lines {
		switch {
		case len(line.Text) > runner.MaxLine:
			return fmt.Errorf("a row of %d bytes", len(line.Text))
		case line.Open:
			g.live[line.Stream] = string(line.Text)
			continue
		case g.again[line.Stream] > 0 && !line.End:
			g.again[line.Stream]--
			continue
		}
		g.again[line.Stream] = 0
		delete(g.live, line.Stream)
		line.Text = bytes.Clone(line.Text)
		g.lines = append(g.lines, line)
	}
	if g.grown != nil {
		close(g.grown)
		g.grown = nil
	}
	return nil
}

func (g *memLog) SourceLines(s runner.Stream) int64 {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	n := int64(0)
	for _, line := range g.lines {
		if line.Stream == s && line.End {
			n++
		}
	}
	return n
}

func (g *memLog) Notices(first int64) (texts []string, err error) {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	n := int64(0)
	for _, line := range g.lines {
		if line.Stream != runner.StreamSlipway {
			continue
		}
		if n++; n > first && line.Kind == runner.LineNotice {
			texts = append(texts, string(line.Text))
		}
	}
	return texts, nil
}

func (g *memLog) Close() error {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	g.open = false
	if g.l.dead {
		return errDead
	}
	return nil
}

// rows returns the rows of a step's log, each as its text with a prefix for
// what it is: "$ " a command, "> " more of it, "# " a notice; "2:" for stderr
// and "…" at the end for rows that are continued.
func (l *ledger) rows(step int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.logs[step]
	if g == nil {
		return nil
	}
	var rows []string
	for _, line := range g.lines {
		text := string(line.Text)
		switch line.Kind {
		case runner.LineCommand:
			text = fmt.Sprintf("$ %s [%d]", text, line.Exit)
		case runner.LineMore:
			text = "> " + text
		case runner.LineNotice:
			text = "# " + text
		}
		if line.Stream == runner.StreamStderr {
			text = "2:" + text
		}
		if !line.End {
			text += "…"
		}
		rows = append(rows, text)
	}
	return rows
}

// output returns the rows that are not notices, one a line.
func (l *ledger) output(step int) string {
	var b strings.Builder
	for _, row := range l.rows(step) {
		if !strings.HasPrefix(row, "# ") {
			b.WriteString(row + "\n")
		}
	}
	return b.String()
}

// until waits until a step's log, open lines included, satisfies cond.
func (l *ledger) until(ctx context.Context, step int, cond func(lines []runner.Line, open map[runner.Stream]string) bool) error {
	for {
		l.mu.Lock()
		g := l.logs[step]
		if g == nil {
			g = &memLog{l: l}
			l.logs[step] = g
		}
		if cond(g.lines, g.live) {
			l.mu.Unlock()
			return nil
		}
		if g.grown == nil {
			g.grown = make(chan struct{})
		}
		grown := g.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
