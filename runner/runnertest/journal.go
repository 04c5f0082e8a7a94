package runnertest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// journal is what processes record of one job; it outlives them.
type journal struct {
	mu     sync.Mutex // guards what follows
	state  runner.State
	ended  *runner.JobResult
	logs   map[int]*journalLog
	errors []string // what no Observer should be told
}

// journalLog is the log of one step.
type journalLog struct {
	rows  []runner.Line
	again [runner.StreamStderr + 1]int // rows of an unfinished line to be fed again
}

func newJournal() *journal {
	return &journal{logs: map[int]*journalLog{}, state: runner.State{
		Ops: map[string]runner.OpRecord{}, Started: map[int]time.Time{}, Results: map[int]runner.StepResult{}}}
}

// recorded is what the next process finds.
func (j *journal) recorded() runner.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return runner.State{Ops: maps.Clone(j.state.Ops), Started: maps.Clone(j.state.Started), Results: maps.Clone(j.state.Results)}
}

// ending reports whether the end of every step is recorded that others wait for.
func (j *journal) ending() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range unkillableSteps {
		if _, ok := j.state.Results[i+1]; !ok && !s.service {
			return false
		}
	}
	return true
}

// rows are those that a reader sees of each step's log, as texts.
func (j *journal) rows() map[int][]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := map[int][]string{}
	for step, g := range j.logs {
		for _, r := range g.rows {
			all[step] = append(all[step], fmt.Sprintf("%d %d %v %s", r.Stream, r.Kind, r.End, r.Text))
		}
	}
	return all
}

// output is the text that a step's own commands wrote.
func (j *journal) output(step int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b bytes.Buffer
	if g := j.logs[step]; g != nil {
		for _, r := range g.rows {
			if r.Kind == runner.LineOutput {
				b.Write(r.Text)
				if r.End {
					b.WriteByte('\n')
				}
			}
		}
	}
	return b.String()
}

// wrongNotices tells what is wrong with slipway's own words in the logs: each
// stands there once for an attempt, and those that the step, or its reason, asks
// for do.
func (j *journal) wrongNotices() (wrong []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range unkillableSteps {
		var said, attempt []string
		if g := j.logs[i+1]; g != nil {
			said = notices(g.rows, 0)
		}
		for _, text := range said {
			if slices.Contains(attempt, text) {
				wrong = append(wrong, fmt.Sprintf("step %s says twice %q", s.name, text))
			}
			if strings.HasPrefix(text, "attempt ") {
				attempt = nil
			}
			attempt = append(attempt, text)
		}
		want := []string{s.notice}
		if res := j.state.Results[i+1]; res.Status == runner.Error || strings.Contains(res.Reason, ";") {
			want = append(want, res.Reason)
		}
		for _, text := range want {
			if text != "" && !slices.Contains(said, text) {
				wrong = append(wrong, fmt.Sprintf("step %s does not say %q", s.name, text))
			}
		}
	}
	return wrong
}

// writer is the journal as one process has it.
type writer struct {
	*journal
	life *life
}

var (
	_ runner.Observer = writer{}
	_ runner.Ender    = writer{}
)

func (w writer) do(ctx context.Context, name string, record func()) error {
	return w.life.do(ctx, name, func(context.Context) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		record()
		return nil
	})
}

func (w writer) Intend(ctx context.Context, op runner.Op) error {
	return w.do(ctx, "intend "+op.Key(), func() {
		if _, ok := w.state.Ops[op.Key()]; !ok {
			w.state.Ops[op.Key()] = runner.OpRecord{}
		}
	})
}

func (w writer) Done(ctx context.Context, op runner.Op, id string) error {
	return w.do(ctx, "done "+op.Key(), func() { w.state.Ops[op.Key()] = runner.OpRecord{Done: true, ID: id} })
}

func (w writer) StepStarted(ctx context.Context, step int, at time.Time) error {
	return w.do(ctx, fmt.Sprintf("step %d started", step), func() { w.state.Started[step] = at })
}

func (w writer) StepFinished(ctx context.Context, step int, r runner.StepResult) error {
	return w.do(ctx, fmt.Sprintf("step %d finished", step), func() {
		if _, ok := w.state.Results[step]; ok {
			w.errors = append(w.errors, fmt.Sprintf("step %d finished twice", step))
		}
		w.state.Results[step] = r
	})
}

func (w writer) JobEnded(ctx context.Context, r runner.JobResult) error {
	return w.do(ctx, "job ended", func() { w.ended = &r })
}

func (w writer) Log(_ context.Context, step int) (runner.Log, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.logs[step]
	if g == nil {
		g = &journalLog{}
		w.logs[step] = g
	}
	g.again = [runner.StreamStderr + 1]int{}
	for _, r := range g.rows {
		if g.again[r.Stream]++; r.End {
			g.again[r.Stream] = 0
		}
	}
	return &pen{w: w, step: step, log: g}, nil
}

// pen is a journalLog as one process has it.
type pen struct {
	w    writer
	step int
	log  *journalLog
}

func (p *pen) Append(lines ...runner.Line) error {
	return p.w.do(context.Background(), fmt.Sprintf("append %d", p.step), func() {
		for _, l := range lines {
			switch g := p.log; {
			case l.Open:
			case g.again[l.Stream] > 0 && !l.End:
				g.again[l.Stream]--
			default:
				g.again[l.Stream] = 0
				l.Text = bytes.Clone(l.Text)
				g.rows = append(g.rows, l)
			}
		}
	})
}

func (p *pen) SourceLines(s runner.Stream) (n int64) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	for _, r := range p.log.rows {
		if r.Stream == s && r.End {
			n++
		}
	}
	return n
}

func (p *pen) Notices(first int64) ([]string, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return notices(p.log.rows, first), nil
}

// notices are the texts of slipway's words in rows, save those among its first
// lines.
func notices(rows []runner.Line, first int64) (texts []string) {
	n := int64(0)
	for _, r := range rows {
		if r.Stream != runner.StreamSlipway {
			continue
		}
		if n++; n > first && r.Kind == runner.LineNotice {
			texts = append(texts, string(r.Text))
		}
	}
	return texts
}

func (p *pen) Close() error {
	return p.w.do(context.Background(), fmt.Sprintf("close %d", p.step), func() {})
}
