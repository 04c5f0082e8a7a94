package main

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// localObserver shows what the runner tells and keeps nothing: a run that is
// cut off is not resumed.
type localObserver struct {
	view  *runView
	names []string // of the steps, by number - 1
	// onShell, if not nil, is called when a step says that it waits for a shell.
	onShell func(step int)
}

func newLocalObserver(v *runView, w pipeline.Workflow) *localObserver {
	o := &localObserver{view: v}
	for _, steps := range [][]pipeline.Step{w.Services, w.Steps} { // numbered as runner.Job does
		for _, s := range steps {
			o.names = append(o.names, s.Name)
		}
	}
	return o
}

func (o *localObserver) Intend(context.Context, runner.Op) error       { return nil }
func (o *localObserver) Done(context.Context, runner.Op, string) error { return nil }

func (o *localObserver) StepStarted(_ context.Context, step int, at time.Time) error {
	o.view.started(o.names[step-1], at)
	return nil
}

func (o *localObserver) StepFinished(_ context.Context, step int, r runner.StepResult) error {
	o.view.finished(o.names[step-1], r)
	return nil
}

func (o *localObserver) Log(_ context.Context, step int) (runner.Log, error) {
	return localLog{o, step}, nil
}

// localLog prints lines as they come.
type localLog struct {
	obs  *localObserver
	step int
}

func (l localLog) Append(lines ...runner.Line) error {
	if l.obs.onShell != nil && slices.ContainsFunc(lines, waitsForShell) {
		l.obs.onShell(l.step)
		return nil
	}
	l.obs.view.lines(l.obs.names[l.step-1], lines)
	return nil
}

func waitsForShell(l runner.Line) bool {
	return l.Kind == runner.LineCommand && bytes.HasSuffix(l.Text, []byte(shellReady))
}

func (l localLog) SourceLines(runner.Stream) int64 { return 0 }
func (l localLog) Notices(int64) ([]string, error) { return nil, nil }
func (l localLog) Close() error                    { return nil }
