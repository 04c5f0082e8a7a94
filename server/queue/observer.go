package queue

import (
	"context"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// observer turns what the runner tells into rows and logs.
type observer struct {
	q   *Queue
	job store.Job
	// ended records the end of the job and tells Run.
	ended func(runner.JobResult) error
}

var (
	_ runner.Observer      = (*observer)(nil)
	_ runner.Ender         = (*observer)(nil)
	_ runner.UsageObserver = (*observer)(nil)
)

// JobEnded implements runner.Ender: neither the verdict nor the next job need
// wait until the job's network is gone. If this process dies before that, the next one's sweep finds
// what is left.
func (o *observer) JobEnded(_ context.Context, r runner.JobResult) error {
	return o.ended(r)
}

func (o *observer) Intend(ctx context.Context, op runner.Op) error {
	return o.q.Store.IntendOp(ctx, o.job.ID, op.Key(), marks(op, false)...)
}

func (o *observer) Done(ctx context.Context, op runner.Op, id string) error {
	return o.q.Store.DoneOp(ctx, o.job.ID, op.Key(), id, marks(op, true)...)
}

// marks are the points that a job has come to when an op is intended, or done:
// nobody makes a container before its image is there.
func marks(op runner.Op, done bool) []store.Mark {
	m := store.Mark{Step: op.Step, At: time.Now()}
	switch {
	case op.Kind == runner.OpCopySource && done:
		m.Kind = store.MarkSourced
	case op.Kind == runner.OpCreateContainer && !done:
		m.Kind = store.MarkImaged
	case op.Kind == runner.OpStart && done:
		m.Kind = store.MarkRan
	default:
		return nil
	}
	return []store.Mark{m}
}

func (o *observer) StepStarted(ctx context.Context, step int, at time.Time) error {
	return o.q.Store.StartStep(ctx, o.job.ID, step, at)
}

func (o *observer) StepFinished(ctx context.Context, step int, r runner.StepResult) error {
	return o.q.Store.FinishStep(ctx, store.Step{
		JobID: o.job.ID, Number: step, Status: store.Status(r.Status), Reason: r.Reason,
		Exited: r.Exited, ExitCode: r.ExitCode, StartedAt: r.StartedAt, FinishedAt: r.FinishedAt,
		CPU: r.Usage.CPU, PeakMemory: r.Usage.PeakMemory,
	})
}

// StepUsed implements runner.UsageObserver.
func (o *observer) StepUsed(ctx context.Context, step int, u runner.Usage) error {
	return o.q.Store.StepUsed(ctx, o.job.ID, step, u.CPU, u.PeakMemory)
}

func (o *observer) Log(_ context.Context, step int) (runner.Log, error) {
	w, err := o.q.Logs.Create(store.LogKey(o.job.BuildID, o.job.Number, step))
	if err != nil {
		return nil, err
	}
	return &stepLog{w: w}, nil
}

var (
	_ runner.Log      = (*stepLog)(nil)
	_ runner.Releaser = (*stepLog)(nil)
)

// stepLog hands the runner's lines to the log store.
type stepLog struct {
	w   *logs.Writer
	buf []logs.Line // reused: a log has one writer
}

func (l *stepLog) Append(lines ...runner.Line) error {
	l.buf = l.buf[:0]
	for _, ln := range lines {
		l.buf = append(l.buf, logs.Line{
			Stream: logs.Stream(ln.Stream), Kind: logs.Kind(ln.Kind), Time: ln.Time,
			Text: ln.Text, End: ln.End, Open: ln.Open, Exit: ln.Exit,
		})
	}
	return l.w.Append(l.buf...)
}

func (l *stepLog) SourceLines(s runner.Stream) int64 { return l.w.SourceLines(logs.Stream(s)) }

func (l *stepLog) Notices(first int64) ([]string, error) { return l.w.Notices(first) }

func (l *stepLog) Close() error { return l.w.Close() }

// Release implements runner.Releaser: who follows the log goes on waiting for
// the process that takes the step up.
func (l *stepLog) Release() error { return l.w.Release() }
