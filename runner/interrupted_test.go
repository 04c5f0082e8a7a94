package runner_test

import (
	"errors"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

const engineReason = "the engine restarted"

func TestEngineRestarts(t *testing.T) {
	s := newScenario(t, step("build"))
	program, said := signal(runnertest.Block())
	s.runs("build", runnertest.Then(say("one\n"), program))
	s.start()
	s.reached(said, "the line")
	s.eng.Restart()
	s.wait()
	s.wantStep("build", runner.Error, engineReason)
	s.wantJob(runner.Error, "step build failed: "+engineReason, "build")
	s.wantNotice("build", engineReason)
	s.wantOutput("build", "one")
}

func TestEngineRestartIsCuredByAnAttempt(t *testing.T) {
	s := newScenario(t, with(step("build"), retried(2, pipeline.RetryInfrastructure)))
	program, begun := signal(runnertest.Block())
	s.eng.Step(1, program, say("whole\n"))
	s.start()
	s.reached(begun, "the build")
	s.eng.Restart()
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantNotice("build", "attempt 2 of 2: attempt 1 failed: "+engineReason)
}

// TestEngineRestartsWhileNobodyWatches: the process is down as well, as after a
// crash of the machine.
func TestEngineRestartsWhileNobodyWatches(t *testing.T) {
	program, said := signal(runnertest.Block())
	s := died(t, runnertest.Then(say("one\n"), program))
	s.reached(said, "the line")
	s.eng.Restart()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantStep("build", runner.Error, engineReason)
	s.wantOutput("build", "one")
}

func TestCancelThatAnEngineRestartAnticipates(t *testing.T) {
	s := newScenario(t, step("build"))
	program, begun := signal(runnertest.Block())
	s.runs("build", program)
	stopping, release := s.eng.Hang("Stop", 1)
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrCancel)
	s.reached(stopping, "the stop")
	s.eng.Restart()
	release()
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

// TestRecordThatCannotBeRead: the container has ended and the engine is there,
// but not what it wrote.
func TestRecordThatCannotBeRead(t *testing.T) {
	goOn := make(chan struct{})
	s := died(t, runnertest.Then(say("one\n"), runnertest.Until(goOn, 3)))
	close(goOn)
	if _, err := s.eng.Wait(s.ctx, runner.ContainerName("srv", "j1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	for n := range 6 { // as often as it is tried
		s.eng.Fail("Logs", n+1, errors.New("invalid character"))
	}
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Failure, "step build failed: exit code 3", "build")
	s.wantNotice("build", "the rest of the output is lost: the output was cut off: Logs: invalid character")
}
