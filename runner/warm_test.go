package runner_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// chain is a job of steps with commands, one after the other. The first runs
// until two others are warm. begun counts how often the commands of each began.
func chain(t *testing.T) (s *scenario, begun *[5]atomic.Int32) {
	s = newScenario(t,
		with(step("one"), commands("one")), with(step("two", "one"), commands("two")),
		with(step("three", "two"), commands("three")), with(step("four", "three"), commands("four")),
	)
	begun = new([5]atomic.Int32)
	for n := 1; n <= 4; n++ {
		next := runnertest.Then(say(marker("0", "-1"), fmt.Sprintf("output %d\n", n)), vacate, say(marker("1", "0")))
		if n == 1 {
			next = runnertest.Then(runnertest.Until(s.ledger.when("done warm/3/1"), 0), next)
		}
		s.runs(s.job.Step(n).Name, func(p *runnertest.Process) int {
			begun[n].Add(1)
			return next(p)
		})
	}
	return s, begun
}

func vacate(p *runnertest.Process) int {
	p.Vacate()
	return 0
}

func (s *scenario) wantChainDone(begun *[5]atomic.Int32) {
	s.Helper()
	s.wantJob(runner.Success, "", "")
	for n := 1; n <= 4; n++ {
		name := s.job.Step(n).Name
		s.wantOutput(name, "$ "+name+" [-1]", fmt.Sprintf("output %d", n))
		if got := begun[n].Load(); got != 1 {
			s.Errorf("step %s began %d times", name, got)
		}
	}
}

// TestNextStepsAreWarm: the containers of the next two steps wait, and no more.
func TestNextStepsAreWarm(t *testing.T) {
	s, begun := chain(t)
	s.run()
	s.wantChainDone(begun)
	s.wantOrder("done start/1/1", "intend warm/2/1")
	s.wantOrder("done warm/3/1", "intend start/2/1")
	s.wantOrder("done start/2/1", "intend warm/4/1")
}

// TestDiedAtEachRecordWhileWarm: no container that waits is lost, or opened
// before its turn, whenever the process dies.
func TestDiedAtEachRecordWhileWarm(t *testing.T) {
	for at := 1; ; at++ {
		died := false
		for _, recorded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", at, recorded), func(t *testing.T) {
				s, begun := chain(t)
				s.ledger.dieAt, s.ledger.recorded = at, recorded
				s.run()
				if s.err == nil {
					return
				}
				died = true
				t.Logf("died at %s", s.ledger.ops[at-1])
				s.resume(s.ledger.revive())
				s.wait()
				s.wantChainDone(begun)
				if n := s.eng.Count("CreateContainer") - 4; n > 2 { // two may have been on their way
					t.Errorf("%d containers were asked for again", n)
				}
			})
		}
		if !died {
			if at < 30 {
				t.Errorf("only %d records", at)
			}
			return
		}
	}
}

// TestDetachedWhileWarm: what is warm stays so for the Run that comes.
func TestDetachedWhileWarm(t *testing.T) {
	s, begun := chain(t)
	warm := s.ledger.when("done warm/2/1")
	s.start()
	s.reached(warm, "the second step at its gate")
	s.cancel(runner.ErrDetach)
	s.wait()
	if errors.Is(s.err, runner.ErrDetach) {
		s.renew()
		s.resume(s.ledger.revive())
		s.wait()
	}
	s.wantChainDone(begun)
}

// TestWarmStepWhoseTurnDoesNotCome has run nothing.
func TestWarmStepWhoseTurnDoesNotCome(t *testing.T) {
	for name, end := range map[string]func(*scenario, func()){
		"failure": func(_ *scenario, fail func()) { fail() },
		"cancel":  func(s *scenario, _ func()) { s.cancel(runner.ErrCancel) },
	} {
		t.Run(name, func(t *testing.T) {
			s, begun := chain(t)
			failed := make(chan struct{})
			s.runs("one", runnertest.Until(failed, 1))
			warm := s.ledger.when("done warm/3/1")
			s.start()
			s.reached(warm, "the third step at its gate")
			end(s, func() { close(failed) })
			s.wait()
			if s.result.Status == runner.Success {
				t.Errorf("the job ended %+v", s.result)
			}
			for n := 2; n <= 4; n++ {
				if begun[n].Load() > 0 || s.ledger.state.Results[n].Status == runner.Success {
					t.Errorf("step %d began %d times and ended %+v", n, begun[n].Load(), s.ledger.state.Results[n])
				}
			}
			s.wantNothingLeft()
		})
	}
}

// TestStepThatCannotBeWarm runs in its turn.
func TestStepThatCannotBeWarm(t *testing.T) {
	gone := errors.New("the engine is busy")
	for name, fault := range map[string]func(*runnertest.Engine){
		"image":  func(e *runnertest.Engine) { e.Fail("PullImage", 2, gone) },
		"create": func(e *runnertest.Engine) { e.Fail("CreateContainer", 2, gone) },
		"attach": func(e *runnertest.Engine) { e.Fail("Attach", 2, gone) },
		"start":  func(e *runnertest.Engine) { e.Lose("Start", 2, gone) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScenario(t, with(step("one"), commands("one")), with(step("two", "one"), commands("two")))
				goOn := make(chan struct{})
				s.runs("one", runnertest.Until(goOn, 0))
				s.runs("two", say("done\n"))
				fault(s.eng)
				s.start()
				synctest.Wait() // for the second step to have been tried
				close(goOn)
				s.wait()
				s.wantJob(runner.Success, "", "")
				s.wantOutput("two", "done")
			})
		})
	}
}

// TestWhatIsNotWarm: where it would make a difference, or nobody could hold it.
// With nothing of the kind it is.
func TestWhatIsNotWarm(t *testing.T) {
	for name, change := range map[string]func(*scenario, *pipeline.Step){
		"nothing":    func(*scenario, *pipeline.Step) {},
		"plugin":     func(_ *scenario, p *pipeline.Step) { p.Kind, p.Commands = pipeline.KindPlugin, nil },
		"entrypoint": func(_ *scenario, p *pipeline.Step) { p.Entrypoint = []string{"python", "-c"} },
		"pull":       func(_ *scenario, p *pipeline.Step) { p.Pull = pipeline.PullAlways },
		"on failure": func(_ *scenario, p *pipeline.Step) { onFailure(p) },
		"privileged": func(s *scenario, _ *pipeline.Step) { s.job.Workflow.Steps[0].Privileged = true },
		"host folder": func(s *scenario, _ *pipeline.Step) {
			s.job.Workflow.Steps[0].Volumes = []pipeline.Mount{{Kind: pipeline.MountHost, Source: "/run/docker.sock", Target: "/run/docker.sock"}}
		},
		"step limit": func(s *scenario, _ *pipeline.Step) { s.job.MaxSteps = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScenario(t, with(step("one"), commands("one")), with(step("two", "one"), commands("two")))
				change(s, &s.job.Workflow.Steps[1])
				goOn := make(chan struct{})
				s.runs("one", runnertest.Until(goOn, 0))
				s.start()
				synctest.Wait() // for everything that can be done while the first step runs
				if ops := s.ledger.records(); slices.Contains(ops, "intend create-container/2/1") != (name == "nothing") {
					t.Errorf("while the first step runs: %v", ops)
				}
				close(goOn)
				s.wait()
				s.wantJob(runner.Success, "", "")
			})
		})
	}
}
