package runner_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func TestStepsRunInOrder(t *testing.T) {
	s := newScenario(t, step("build"), step("test", "build"), step("publish", "test"))
	for _, name := range []string{"build", "test", "publish"} {
		s.runs(name, func(p *runnertest.Process) int {
			log, _ := p.File("/slipway/log")
			p.SetFile("/slipway/log", log+name+" ")
			fmt.Fprintln(p.Stdout(), log)
			return 0
		})
	}
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantStep("publish", runner.Success, "")
	s.wantOutput("publish", "build test ")
	if n := s.eng.Count("FillVolume"); n != 1 {
		t.Errorf("source copied %d times", n)
	}
}

func TestStepStartsAsSoonAsItsOwnNeedsAreMet(t *testing.T) {
	s := newScenario(t, step("slow"), step("fast"), step("after-fast", "fast"))
	program, begun := signal(runnertest.Exit(0))
	s.runs("after-fast", program)
	s.runs("slow", runnertest.Until(begun, 0)) // would wait for ever
	s.run()
	s.wantJob(runner.Success, "", "")
}

func TestMaxSteps(t *testing.T) {
	var steps []pipeline.Step
	for i := range 9 {
		steps = append(steps, step(fmt.Sprint("s", i)))
	}
	s := newScenario(t, steps...)
	s.job.MaxSteps = 3
	var begun atomic.Int32
	three := make(chan struct{})
	s.eng.Default(func(runner.ContainerSpec) runnertest.Program {
		return func(p *runnertest.Process) int {
			if begun.Add(1) == 3 {
				close(three)
			}
			return runnertest.Until(three, 0)(p)
		}
	})
	s.run()
	s.wantJob(runner.Success, "", "")
	if s.ledger.most != 3 {
		t.Errorf("%d steps at once, want 3", s.ledger.most)
	}
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestFailureSkipsWhatDependsOnIt(t *testing.T) {
	s := newScenario(t,
		step("test"),
		step("build", "test"),
		step("publish", "build"),
		step("lint"),
		with(step("notify", "publish"), onFailure),
		with(step("clean", "lint"), always),
		with(step("lament", "lint"), onFailure),
	)
	s.runs("test", runnertest.Exit(2))
	s.run()
	s.wantStep("test", runner.Failure, "exit code 2")
	s.wantStep("build", runner.Skipped, "step test failed")
	s.wantStep("publish", runner.Skipped, "step test failed")
	s.wantStep("lint", runner.Success, "")
	s.wantStep("notify", runner.Success, "")
	s.wantStep("clean", runner.Success, "")
	s.wantStep("lament", runner.Skipped, "runs on failure only")
	s.wantJob(runner.Failure, "step test failed: exit code 2", "test")
	if got := s.ledger.state.Results[1]; !got.Exited || got.ExitCode != 2 {
		t.Errorf("result %+v has no exit code 2", got)
	}
}

func TestIgnoredFailure(t *testing.T) {
	s := newScenario(t, with(step("flaky"), ignoreFailure), step("build", "flaky"))
	s.runs("flaky", runnertest.Exit(1))
	s.run()
	s.wantStep("flaky", runner.Failure, "exit code 1")
	s.wantStep("build", runner.Success, "")
	s.wantJob(runner.Success, "", "")
}

func TestStepThatIsKeptOutPassesOnWhatItWaitsFor(t *testing.T) {
	s := newScenario(t,
		step("build"),
		with(step("docs", "build"), func(p *pipeline.Step) { p.Skip = "branch is not main" }),
		step("publish", "docs"),
	)
	s.runs("build", runnertest.Exit(1))
	s.run()
	s.wantStep("docs", runner.Skipped, "branch is not main")
	s.wantStep("publish", runner.Skipped, "step build failed")
	s.wantJob(runner.Failure, "step build failed: exit code 1", "build")
}

func TestJobWithNothingToRunMakesNothing(t *testing.T) {
	s := newScenario(t, with(step("a"), func(p *pipeline.Step) { p.Skip = "event is push" }))
	s.run()
	s.wantJob(runner.Success, "", "")
	if calls := s.eng.Calls(); len(calls) > 1 { // List, by the check above
		t.Errorf("calls: %v", calls)
	}
}

func TestStatusSoFarIsInTheEnvironment(t *testing.T) {
	s := newScenario(t, step("a"), step("b"), with(step("c", "a"), always), with(step("d", "b", "c"), always))
	env := map[string]string{}
	var mu sync.Mutex
	s.eng.Default(func(spec runner.ContainerSpec) runnertest.Program {
		mu.Lock()
		defer mu.Unlock()
		for _, v := range spec.Env {
			if len(v) > 18 && v[:18] == "CI_PIPELINE_STATUS" {
				env[spec.Aliases[0]] = v[19:]
			}
		}
		return nil
	})
	s.runs("b", runnertest.Exit(1))
	s.run()
	if env["a"] != "success" || env["d"] != "failure" {
		t.Errorf("statuses: %v", env)
	}
}

func TestServices(t *testing.T) {
	s := newScenario(t, step("test"))
	s.services(step("db"))
	program, up := signal(runnertest.Block())
	s.runs("db", program)
	s.runs("test", runnertest.Until(up, 0))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantStep("db", runner.Success, "stopped with the job")
	s.wantOrder("done start/1/1", "intend create-container/2/1")
}

func TestServiceThatFailsByItselfIsShownAndNotCounted(t *testing.T) {
	s := newScenario(t, step("test"))
	s.services(step("db"))
	program, up := signal(runnertest.Exit(1))
	s.runs("db", program)
	s.runs("test", runnertest.Until(up, 0))
	s.run()
	s.wantJob(runner.Success, "", "")
	got := s.ledger.state.Results[1]
	if got.Status != runner.Failure && got.Status != runner.Success {
		t.Errorf("service ended %+v", got)
	}
}

func TestServiceThatCannotBeStarted(t *testing.T) {
	s := newScenario(t, step("test"), with(step("report", "test"), onFailure))
	s.services(step("db"))
	s.eng.Missing("image-db")
	s.run()
	s.wantStep("test", runner.Skipped, "service db failed")
	s.wantStep("report", runner.Success, "")
	s.wantJob(runner.Error, "service db failed: image image-db not found: manifest unknown", "db")
}

func TestDetachedStep(t *testing.T) {
	s := newScenario(t, step("build"), with(step("server", "build"), detached), step("test", "server"))
	program, up := signal(runnertest.Block())
	s.runs("server", program)
	s.runs("test", runnertest.Until(up, 0))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantStep("server", runner.Success, "stopped with the job")
}

func TestImageMissing(t *testing.T) {
	s := newScenario(t, step("build"), step("test", "build"))
	s.eng.Missing("image-build")
	s.run()
	s.wantStep("build", runner.Error, "image image-build not found: manifest unknown")
	s.wantNotice("build", "image image-build not found: manifest unknown")
	s.wantStep("test", runner.Skipped, "step build failed")
	s.wantJob(runner.Error, "step build failed: image image-build not found: manifest unknown", "build")
}

func TestStepTimeout(t *testing.T) {
	s := newScenario(t, with(step("hang"), func(p *pipeline.Step) { p.Timeout = 20 * time.Millisecond }), step("next", "hang"))
	s.runs("hang", runnertest.Block())
	s.run()
	s.wantStep("hang", runner.Failure, "timed out after 20ms")
	s.wantNotice("hang", "timed out after 20ms")
	s.wantStep("next", runner.Skipped, "step hang failed")
	s.wantJob(runner.Failure, "step hang failed: timed out after 20ms", "hang")
}

func TestJobTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the step begins before the time is up
		s := newScenario(t, step("hang"), with(step("next", "hang"), always))
		s.job.Timeout = time.Hour
		s.job.Started = time.Now().Add(-time.Hour + 50*time.Millisecond)
		s.runs("hang", runnertest.Block())
		s.run()
		s.wantStep("next", runner.Skipped, "the job timed out after 1h")
		s.wantJob(runner.Failure, "step hang failed: timed out after 1h", "hang")
	})
}

func TestJobWhoseTimeIsUpMakesNothing(t *testing.T) {
	s := newScenario(t, step("build"))
	s.job.Timeout, s.job.Started = time.Hour, time.Now().Add(-2*time.Hour)
	s.run()
	s.wantStep("build", runner.Skipped, "the job timed out after 1h")
	s.wantJob(runner.Failure, "timed out after 1h", "")
	if n := s.eng.Count("CreateContainer"); n != 0 {
		t.Errorf("%d containers made", n)
	}
}
