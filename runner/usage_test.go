package runner_test

import (
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// uses is a program that ends when its usage was seen.
func uses(u runner.Usage, exit int) runnertest.Program {
	return func(p *runnertest.Process) int {
		<-p.Use(u)
		return exit
	}
}

func (s *scenario) wantUsage(name string, want runner.Usage) {
	s.Helper()
	if got := s.ledger.state.Results[s.number(name)].Usage; got != want {
		s.Errorf("step %s used %+v, want %+v", name, got, want)
	}
}

func TestUsageOfSteps(t *testing.T) {
	s := newScenario(t, step("measured"), step("short"), with(step("flaky"), retried(2, pipeline.RetryFailure)))
	s.runs("measured", uses(runner.Usage{CPU: 3 * time.Second, PeakMemory: 100}, 0))
	s.eng.Step(3, uses(runner.Usage{CPU: time.Second, PeakMemory: 300}, 1), uses(runner.Usage{CPU: 2 * time.Second, PeakMemory: 200}, 0))
	s.run()
	s.wantUsage("measured", runner.Usage{CPU: 3 * time.Second, PeakMemory: 100})
	s.wantUsage("short", runner.Usage{}) // too short to be seen
	s.wantUsage("flaky", runner.Usage{CPU: 3 * time.Second, PeakMemory: 300})
}

// TestUsageSurvivesAdoption: the peak that an earlier process saw counts, and the
// container's CPU is counted once.
func TestUsageSurvivesAdoption(t *testing.T) {
	s := newScenario(t, step("long"))
	seen, again := make(chan struct{}), make(chan struct{})
	s.runs("long", func(p *runnertest.Process) int {
		<-p.Use(runner.Usage{CPU: 3 * time.Second, PeakMemory: 500})
		close(seen)
		<-again
		<-p.Use(runner.Usage{CPU: 4 * time.Second, PeakMemory: 100})
		return 0
	})
	s.start()
	s.reached(seen, "a sample")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	s.renew()
	close(again)
	s.resume(s.ledger.revive())
	s.wait()
	s.wantUsage("long", runner.Usage{CPU: 4 * time.Second, PeakMemory: 500})
}
