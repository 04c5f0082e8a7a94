package runner_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func cancels(s *pipeline.Step) { s.Failure = pipeline.FailureCancel }

// toppling is a job whose step lint fails when the others run, and cancels them.
func toppling(t *testing.T, lint runnertest.Program) *scenario {
	s := newScenario(t,
		with(step("lint"), cancels),
		step("build"),
		step("publish", "build"),
		step("other"),
		with(step("notify", "publish"), onFailure),
		with(step("clean"), always, func(p *pipeline.Step) { p.DependsOn = []string{"other"} }),
	)
	s.services(step("db"))
	build, buildBegun := signal(runnertest.Block())
	other, otherBegun := signal(runnertest.Block())
	s.runs("build", build)
	s.runs("other", other)
	s.runs("db", runnertest.Block())
	s.runs("lint", runnertest.Then(runnertest.Until(buildBegun, 0), runnertest.Until(otherBegun, 0), lint))
	return s
}

func (s *scenario) wantToppled() {
	s.Helper()
	s.wantJob(runner.Failure, "step lint failed: exit code 2", "lint")
	for _, name := range []string{"build", "other"} {
		s.wantStep(name, runner.Canceled, "step lint failed")
		s.wantNotice(name, "step lint failed")
	}
	s.wantStep("publish", runner.Skipped, "step lint failed")
	s.wantStep("notify", runner.Success, "")
	s.wantStep("clean", runner.Success, "")
	s.wantStep("db", runner.Success, "stopped with the job")
}

func TestFailureThatCancels(t *testing.T) {
	s := toppling(t, runnertest.Exit(2))
	s.run()
	s.wantToppled()
}

func TestFailureThatCancelsAtEachRecord(t *testing.T) {
	probe := toppling(t, runnertest.Exit(2))
	probe.run()
	for _, op := range probe.ledger.ops {
		t.Run(op, func(t *testing.T) {
			s := toppling(t, runnertest.Exit(2))
			s.ledger.dieOn, s.ledger.recorded = op, true
			s.run()
			if s.err == nil { // the order was another this time
				s.wantToppled()
				return
			}
			s.resume(s.ledger.revive())
			s.wait()
			s.wantToppled()
		})
	}
}

// TestStepAfterTheFailureIsNotCanceled: a restart tells it from those before.
func TestStepAfterTheFailureIsNotCanceled(t *testing.T) {
	s := newScenario(t, with(step("lint"), cancels), with(step("notify", "lint"), onFailure))
	s.runs("lint", runnertest.Exit(2))
	goOn := make(chan struct{})
	program, begun := signal(runnertest.Then(runnertest.Until(goOn, 0), say("told\n")))
	s.runs("notify", program)
	s.start()
	s.reached(begun, "notify")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	s.renew()
	s.resume(s.ledger.revive())
	close(goOn)
	s.wait()
	s.wantJob(runner.Failure, "step lint failed: exit code 2", "lint")
	s.wantStep("notify", runner.Success, "")
	s.wantOutput("notify", "told")
}

func TestErrorCancelsToo(t *testing.T) {
	s := newScenario(t, step("first"), with(step("lint", "first"), cancels), step("build"))
	program, begun := signal(runnertest.Block())
	s.runs("build", program)
	s.runs("first", runnertest.Until(begun, 0))
	s.eng.Missing("image-lint")
	s.run()
	s.wantStep("build", runner.Canceled, "step lint failed")
	s.wantJob(runner.Error, "step lint failed: image image-lint not found: manifest unknown", "lint")
}

func TestPersonCancelsAfterTheFailure(t *testing.T) {
	s := newScenario(t, with(step("lint"), cancels), with(step("notify", "lint"), onFailure))
	s.runs("lint", runnertest.Exit(2))
	program, begun := signal(runnertest.Block())
	s.runs("notify", program)
	s.start()
	s.reached(begun, "notify")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "notify")
}

// TestRetriedStepCancelsOnlyInTheEnd: as long as it has attempts left it has not
// failed.
func TestRetriedStepCancelsOnlyInTheEnd(t *testing.T) {
	s := newScenario(t, with(step("flaky"), cancels, retried(2, pipeline.RetryFailure)), step("build"))
	second, began := signal(runnertest.Exit(0))
	s.eng.Step(1, runnertest.Exit(1), second)
	s.runs("build", runnertest.Until(began, 0))
	s.run()
	s.wantJob(runner.Success, "", "")
}
