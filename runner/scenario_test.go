package runner_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// A scenario is a job, the engine it runs on and what was recorded of it.
type scenario struct {
	*testing.T
	eng    *runnertest.Engine // nil in tests with Docker
	engine runner.Engine
	ledger *ledger
	job    runner.Job
	ctx    context.Context
	cancel context.CancelCauseFunc
	log    bytes.Buffer // of the runner; read it after the end

	result runner.JobResult
	err    error
	done   chan struct{} // closed when Run has returned
}

// newScenario makes a job of steps on a fake engine.
func newScenario(t *testing.T, steps ...pipeline.Step) *scenario {
	eng := runnertest.NewEngine(t)
	s := newScenarioOn(t, eng, steps...)
	s.eng = eng
	return s
}

// newScenarioOn makes a job of steps on an engine.
func newScenarioOn(t *testing.T, engine runner.Engine, steps ...pipeline.Step) *scenario {
	s := &scenario{T: t, engine: engine, ledger: newLedger()}
	s.job = runner.Job{
		Server: "srv", ID: "j1", Nonce: "n0nce",
		Workflow: pipeline.Workflow{
			Name:      "build",
			Workspace: pipeline.Workspace{Base: "/slipway", Path: "src/repo"},
			Steps:     steps,
		},
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	s.renew()
	t.Cleanup(func() {
		s.cancel(runner.ErrCancel)
		if s.done != nil {
			<-s.done
		}
	})
	return s
}

// renew makes a context that is not canceled.
func (s *scenario) renew() {
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	s.Cleanup(cancel)
	s.ctx, s.cancel = context.WithCancelCause(ctx)
}

// step is a plugin step after others.
func step(name string, needs ...string) pipeline.Step {
	return pipeline.Step{
		Name: name, Kind: pipeline.KindPlugin, Image: "image-" + name, Pull: pipeline.PullIfNotPresent,
		DependsOn: needs, Failure: pipeline.FailureFail, OnSuccess: true,
	}
}

// with returns a step that is changed.
func with(s pipeline.Step, changes ...func(*pipeline.Step)) pipeline.Step {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func onFailure(s *pipeline.Step)     { s.OnSuccess, s.OnFailure = false, true }
func always(s *pipeline.Step)        { s.OnSuccess, s.OnFailure = true, true }
func ignoreFailure(s *pipeline.Step) { s.Failure = pipeline.FailureIgnore }
func detached(s *pipeline.Step)      { s.Detach = true }

func commands(c ...string) func(*pipeline.Step) {
	return func(s *pipeline.Step) { s.Kind, s.Commands = pipeline.KindCommands, c }
}

func (s *scenario) services(services ...pipeline.Step) {
	for i := range services {
		services[i].Kind = pipeline.KindService
	}
	s.job.Workflow.Services = services
}

// start runs the job in the background; wait waits for its end.
func (s *scenario) start() { s.resume(runner.State{}) }

func (s *scenario) resume(state runner.State) {
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		s.result, s.err = runner.Run(s.ctx, s.job, state, s.engine, s.ledger)
	}()
}

func (s *scenario) wait() {
	s.Helper()
	s.reached(s.done, "the end of the job")
}

func (s *scenario) run() {
	s.Helper()
	s.start()
	s.wait()
}

// reached waits for something that has to happen.
func (s *scenario) reached(ch <-chan struct{}, what string) {
	s.Helper()
	select {
	case <-ch:
	case <-time.After(30 * time.Second):
		s.Fatalf("waited in vain for %s; recorded: %v", what, s.ledger.records())
	}
}

// number finds a step by name.
func (s *scenario) number(name string) int {
	s.Helper()
	for n := 1; n <= s.job.Steps(); n++ {
		if s.job.Step(n).Name == name {
			return n
		}
	}
	s.Fatalf("no step %s", name)
	return 0
}

// runs sets what the container of a step does.
func (s *scenario) runs(name string, p runnertest.Program) {
	s.Helper()
	s.eng.Step(s.number(name), p)
}

// wantStep checks how a step ended.
func (s *scenario) wantStep(name string, status runner.Status, reason string) {
	s.Helper()
	got, ok := s.ledger.state.Results[s.number(name)]
	if !ok {
		s.Errorf("step %s has no result", name)
	} else if got.Status != status || got.Reason != reason {
		s.Errorf("step %s: %s %q, want %s %q", name, got.Status, got.Reason, status, reason)
	}
}

// wantJob checks how the job ended, and that nothing is left behind.
func (s *scenario) wantJob(status runner.Status, reason, step string) {
	s.Helper()
	want := runner.JobResult{Status: status, Reason: reason}
	if step != "" {
		want.Step = s.number(step)
	}
	if s.err != nil {
		s.Fatalf("Run: %v", s.err)
	}
	if s.result != want {
		s.Errorf("job ended %+v, want %+v", s.result, want)
	}
	if v := s.ledger.verdicts; len(v) == 0 || v[len(v)-1] != want {
		s.Errorf("told as the job's end: %+v, want %+v", v, want)
	}
	s.wantNothingLeft()
}

// wantOrder checks that one thing was recorded before another.
func (s *scenario) wantOrder(first, second string) {
	s.Helper()
	i, j := slices.Index(s.ledger.ops, first), slices.Index(s.ledger.ops, second)
	if i < 0 || j < i {
		s.Errorf("%s is not recorded before %s: %v", first, second, s.ledger.ops)
	}
}

func (s *scenario) wantNothingLeft() {
	s.Helper()
	left, err := s.engine.List(context.Background(), map[string]string{runner.LabelServer: s.job.Server})
	if err != nil || len(left) > 0 {
		s.Errorf("left behind: %v, %v; log: %s", left, err, s.log.String())
	}
}

func (s *scenario) wantOutput(name string, rows ...string) {
	s.Helper()
	want := strings.Join(rows, "\n") + "\n"
	if len(rows) == 0 {
		want = ""
	}
	if got := s.ledger.output(s.number(name)); got != want {
		s.Errorf("output of %s:\n%s\nwant:\n%s", name, got, want)
	}
}

func (s *scenario) wantNotice(name, text string) {
	s.Helper()
	if rows := s.ledger.rows(s.number(name)); !slices.Contains(rows, "# "+text) {
		s.Errorf("log of %s has no notice %q: %q", name, text, rows)
	}
}

// wantDetached checks that Run left everything as it is.
func (s *scenario) wantDetached() {
	s.Helper()
	if !errors.Is(s.err, runner.ErrDetach) {
		s.Fatalf("Run: %v, want ErrDetach", s.err)
	}
}

// signal returns a program that closes a channel when it has begun.
func signal(next runnertest.Program) (runnertest.Program, <-chan struct{}) {
	ch := make(chan struct{})
	return func(p *runnertest.Process) int {
		close(ch)
		return next(p)
	}, ch
}

// say returns a program that prints texts, each in one write.
func say(texts ...string) runnertest.Program {
	return func(p *runnertest.Process) int {
		for _, text := range texts {
			io.WriteString(p.Stdout(), text)
		}
		return 0
	}
}

// marker is what a script of the scenarios writes before a command.
func marker(index, status string) string {
	return "\x1b]8642;slipway;n0nce;" + index + ";" + status + "\a\n"
}
