package runner_test

import (
	"errors"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestTurnThatCannotBeRecorded: that a step's commands are about to begin may be
// recorded before its turn is, but then they must not.
func TestTurnThatCannotBeRecorded(t *testing.T) {
	for name, s := range map[string]*scenario{
		"gated":           newScenario(t, with(step("build"), commands("make"))),
		"plugin":          newScenario(t, step("build")),
		"after a failure": newScenario(t, with(step("build"), always)),
	} {
		t.Run(name, func(t *testing.T) {
			s.runs("build", func(*runnertest.Process) int {
				t.Error("it has begun")
				return 0
			})
			intended := s.ledger.when("intend start/1/1")
			s.ledger.turn = func(int) error {
				if name != "after a failure" {
					s.reached(intended, "the intention to begin")
				}
				return errRefused
			}
			s.run()
			if !errors.Is(s.err, errRefused) {
				t.Errorf("Run: %v, want %v", s.err, errRefused)
			}
		})
	}
}
