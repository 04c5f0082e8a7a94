package runner_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func TestCancel(t *testing.T) {
	s := newScenario(t, step("build"), with(step("clean", "build"), always))
	program, begun := signal(runnertest.Block())
	s.runs("build", program)
	s.start()
	s.reached(begun, "the build")
	s.cancel(fmt.Errorf("%w by alice", runner.ErrCancel))
	s.wait()
	s.wantStep("build", runner.Canceled, "canceled by alice")
	s.wantNotice("build", "canceled by alice")
	s.wantStep("clean", runner.Canceled, "canceled by alice")
	s.wantJob(runner.Canceled, "canceled by alice", "build")
	if got := s.ledger.state.Results[1]; got.ExitCode != 143 {
		t.Errorf("build ended with %d, want 143", got.ExitCode)
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	s := newScenario(t, step("build"))
	s.cancel(runner.ErrCancel)
	s.run()
	s.wantJob(runner.Canceled, "canceled", "build")
	if n := s.eng.Count("CreateContainer"); n != 0 {
		t.Errorf("%d containers made", n)
	}
}

func TestCancelWhileAnImageIsPulled(t *testing.T) {
	s := newScenario(t, step("build"))
	pulling, _ := s.eng.Hang("PullImage", 1)
	s.start()
	s.reached(pulling, "the pull")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestSecondCancelKills(t *testing.T) {
	s := newScenario(t, step("build"))
	kill := make(chan struct{})
	s.job.Kill, s.job.Grace = kill, time.Hour
	program, begun := signal(runnertest.Stubborn())
	s.runs("build", program)
	s.start()
	s.reached(begun, "the build")
	stopping := s.ledger.when("intend stop/1/1")
	s.cancel(runner.ErrCancel)
	s.reached(stopping, "the stop")
	close(kill)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestKillIsTriedAgain(t *testing.T) {
	s := newScenario(t, step("build"))
	kill := make(chan struct{})
	s.job.Kill, s.job.Grace = kill, time.Hour
	program, begun := signal(runnertest.Stubborn())
	s.runs("build", program)
	s.eng.Fail("Stop", 2, errors.New("connection reset")) // the first is the one with grace
	s.start()
	s.reached(begun, "the build")
	stopping, goOn := s.eng.Hang("Stop", 1)
	s.cancel(runner.ErrCancel)
	s.reached(stopping, "the stop")
	goOn()
	close(kill)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestGraceEnds(t *testing.T) {
	s := newScenario(t, step("build"))
	s.job.Grace = 20 * time.Millisecond
	program, begun := signal(runnertest.Stubborn())
	s.runs("build", program)
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestStopIsTriedAgain(t *testing.T) {
	s := newScenario(t, step("build"))
	program, begun := signal(runnertest.Block())
	s.runs("build", program)
	s.eng.Fail("Stop", 1, errors.New("connection reset"))
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestRemovalIsTriedAgain(t *testing.T) {
	s := newScenario(t, step("build"))
	for _, m := range []string{"RemoveContainer", "RemoveNetwork", "RemoveVolume", "List"} {
		s.eng.Fail(m, 1, errors.New("connection reset"))
	}
	s.run()
	s.wantJob(runner.Success, "", "")
}

func TestEveryCallOfTheEngineMayFailOrLoseItsAnswer(t *testing.T) {
	for _, method := range []string{"PullImage", "CreateNetwork", "CreateVolume", "CreateContainer", "FillVolume", "Attach", "Start", "Inspect", "Wait"} {
		for _, how := range []string{"Fail", "Lose"} {
			for nth := 1; nth <= 2; nth++ {
				t.Run(fmt.Sprintf("%s/%s/%d", method, how, nth), func(t *testing.T) {
					s := newScenario(t, step("build"), step("test", "build"))
					reset := errors.New("connection reset")
					if how == "Fail" {
						s.eng.Fail(method, nth, reset)
					} else {
						s.eng.Lose(method, nth, reset)
					}
					s.run()
					if s.err != nil {
						t.Fatalf("Run: %v", s.err)
					}
					if s.result.Status != runner.Success && s.result.Status != runner.Error {
						t.Errorf("job ended %+v", s.result)
					}
					for n := 1; n <= 2; n++ {
						if _, ok := s.ledger.state.Results[n]; !ok {
							t.Errorf("step %d has no result", n)
						}
					}
					s.wantNothingLeft()
				})
			}
		}
	}
}

func TestStartWhoseAnswerIsLost(t *testing.T) {
	s := newScenario(t, step("build"))
	s.eng.Lose("Start", 1, errors.New("connection reset"))
	s.runs("build", say("hello\n"))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "hello")
}

func TestSetupFails(t *testing.T) {
	s := newScenario(t, step("build"), step("test", "build"))
	s.eng.Fail("CreateNetwork", 1, errors.New("no addresses left"))
	s.run()
	s.wantStep("test", runner.Error, "the job could not be set up: CreateNetwork: no addresses left")
	s.wantJob(runner.Error, "CreateNetwork: no addresses left", "")
}

func TestObserverFails(t *testing.T) {
	s := newScenario(t, step("build"), step("test", "build"))
	s.ledger.refuse = "intend start/1/1"
	s.run()
	if !errors.Is(s.err, errRefused) {
		t.Fatalf("Run: %v, want %v", s.err, errRefused)
	}
	if ops := s.ledger.records(); ops[len(ops)-1] != "intend start/1/1" {
		t.Errorf("went on: %v", ops)
	}
	if n := s.eng.Count("Start") + s.eng.Count("RemoveContainer") + s.eng.Count("List"); n > 0 {
		t.Errorf("the engine was called: %v", s.eng.Calls())
	}
}

func TestOutOfMemory(t *testing.T) {
	s := newScenario(t, step("build"))
	s.job.Limits.MemoryBytes = 512 << 20
	s.runs("build", func(p *runnertest.Process) int {
		p.SetOOMKilled()
		return 137
	})
	s.run()
	s.wantJob(runner.Failure, "step build failed: exit code 137 (killed); out of memory (limit 512 MiB)", "build")
	s.wantNotice("build", "exit code 137 (killed); out of memory (limit 512 MiB)")
}

// TestOutOfMemoryUnseen: what the state does not say yet, or never.
func TestOutOfMemoryUnseen(t *testing.T) {
	ignored := func(s *pipeline.Step) { s.Failure = pipeline.FailureIgnore }
	s := newScenario(t, with(step("late"), ignored), with(step("never", "late"), ignored), step("other", "never"))
	s.job.Limits.MemoryBytes = 512 << 20
	s.runs("late", func(p *runnertest.Process) int {
		p.SetOOMKilledUnseen()
		return 137
	})
	s.runs("never", runnertest.Exit(137))
	s.runs("other", runnertest.Exit(143))
	s.run()
	s.wantStep("late", runner.Failure, "exit code 137 (killed); out of memory (limit 512 MiB)")
	s.wantStep("never", runner.Failure, "exit code 137 (killed); perhaps out of memory (limit 512 MiB)")
	s.wantStep("other", runner.Failure, "exit code 143 (terminated)")
}

// TestOutOfMemoryOnTheWay: what was killed is not what the step ended with.
func TestOutOfMemoryOnTheWay(t *testing.T) {
	s := newScenario(t, step("goes on"), step("fails", "goes on"))
	s.job.Limits.MemoryBytes = 512 << 20
	for name, code := range map[string]int{"goes on": 0, "fails": 3} {
		s.runs(name, func(p *runnertest.Process) int {
			p.SetOOMKilled()
			return code
		})
	}
	s.run()
	s.wantStep("goes on", runner.Success, "")
	s.wantNotice("goes on", "out of memory (limit 512 MiB): a program of this step was killed, and the step went on")
	s.wantJob(runner.Failure, "step fails failed: exit code 3; out of memory (limit 512 MiB)", "fails")
}

func TestTooManyProcesses(t *testing.T) {
	s := newScenario(t, with(step("bomb"), retried(2, pipeline.RetryFailure)), step("innocent"))
	s.eng.Step(1, uses(runner.Usage{PIDLimit: 64}, 2), runnertest.Exit(3))
	s.run()
	s.wantNotice("bomb", "attempt 2 of 2: attempt 1 failed: exit code 2; pids limit 64 reached")
	s.wantStep("bomb", runner.Failure, "exit code 3")
	s.wantStep("innocent", runner.Success, "")
}

// TestTimeoutOfWhatDoesNotListen: the reason says that it had to be killed.
func TestTimeoutOfWhatDoesNotListen(t *testing.T) {
	s := newScenario(t, with(step("stubborn"), timeout(20*time.Millisecond)))
	s.job.Grace = 10 * time.Millisecond
	s.runs("stubborn", func(p *runnertest.Process) int {
		<-p.Killed()
		return 137
	})
	s.run()
	s.wantJob(runner.Failure, "step stubborn failed: timed out after 20ms; killed after the grace period of 10ms", "stubborn")
	s.wantNotice("stubborn", "timed out after 20ms; killed after the grace period of 10ms")
}

func TestTooMuchOutput(t *testing.T) {
	s := newScenario(t, step("build"))
	s.job.MaxOutput = 100 << 10
	s.runs("build", func(p *runnertest.Process) int {
		line := make([]byte, 1000)
		for i := range line {
			line[i] = 'x'
		}
		for !closed(p.Terminated()) {
			fmt.Fprintf(p.Stdout(), "%s\n", line)
		}
		<-p.Killed()
		return 1
	})
	s.run()
	s.wantJob(runner.Failure, "step build failed: stopped: more than 100 KiB of output", "build")
	s.wantNotice("build", "stopped: more than 100 KiB of output")
}
