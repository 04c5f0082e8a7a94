package runner_test

import (
	"io"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestLinesReadAgainHaveTheirTimes: what a step wrote while nobody was there is
// not from when it was found.
func TestLinesReadAgainHaveTheirTimes(t *testing.T) {
	s := newScenario(t, step("build"))
	begun, goOn, wrote := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.runs("build", func(p *runnertest.Process) int {
		close(begun)
		<-goOn
		io.WriteString(p.Stdout(), "alone\n")
		close(wrote)
		return runnertest.Block()(p)
	})
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	from := time.Now()
	close(goOn)
	s.reached(wrote, "the line")
	to := time.Now()
	s.renew()
	s.resume(s.ledger.revive())
	var at time.Time
	err := s.ledger.until(s.ctx, 1, func(lines []runner.Line, _ map[runner.Stream]string) bool {
		for _, l := range lines {
			if string(l.Text) == "alone" {
				at = l.Time
				return true
			}
		}
		return false
	})
	if err != nil || at.Before(from) || at.After(to) {
		t.Errorf("a line that was written from %v to %v has the time %v (%v)", from, to, at, err)
	}
	s.cancel(runner.ErrCancel)
	s.wait()
}
