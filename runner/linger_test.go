package runner_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// TestSandboxOfAContainerThatCannotBeStopped is nobody else's, after a restart
// neither: the container may run on until it is removed.
func TestSandboxOfAContainerThatCannotBeStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		exited, removed bool
		want            string
	}{
		"MayRun":  {false, false, "2"},
		"Ended":   {true, false, "1"},
		"Removed": {false, true, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, with(step("one"), func(p *pipeline.Step) { p.Failure = pipeline.FailureIgnore }), step("two", "one"))
			ops := map[string]runner.OpRecord{
				"create-container/1/1": {Done: true, ID: "c1"}, "take-sandbox/1/1": {Done: true, ID: "1"}, "start/1/1": {Done: true},
			}
			if tt.removed {
				ops["remove/1/1"] = runner.OpRecord{Done: true}
			}
			s.resume(runner.State{Ops: ops, Results: map[int]runner.StepResult{1: {Status: runner.Error, Exited: tt.exited, Reason: "stop container: no answer"}}})
			s.wait()
			if got := s.ledger.state.Ops["take-sandbox/2/1"].ID; got != tt.want {
				t.Errorf("two runs in sandbox %q, want %q", got, tt.want)
			}
		})
	}
}
