package runner_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// TestDockerOutOfMemory: whatever was killed for lack of memory, the step ends as
// its commands do, and the log and the reason name the lack beside that. What goes
// on a while is sure to be told of it; of what ends at once the engine may not hear.
func TestDockerOutOfMemory(t *testing.T) {
	const hog = "dd if=/dev/zero of=/dev/null bs=200M count=1"
	little := func(s *pipeline.Step) {
		s.Resources, s.Failure = &pipeline.Resources{MemoryBytes: 64 << 20}, pipeline.FailureIgnore
	}
	s := newDockerScenario(t,
		with(step("survives"), little, commands(hog+" || echo $?", "sleep 1", "echo on")),
		with(step("gives up", "survives"), little, commands(hog+" || { sleep 1; exit 4; }")),
		with(step("dies", "gives up"), little, commands("exec "+hog)))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantStep("survives", runner.Success, "")
	s.wantOutput("survives", "$ "+hog+" || echo $? [-1]", "Killed", "137", "$ sleep 1 [0]", "$ echo on [0]", "on")
	s.wantNotice("survives", "out of memory (limit 64 MiB): a program of this step was killed, and the step went on")
	died := "exit code 137 (killed); out of memory (limit 64 MiB)"
	if perhaps := "exit code 137 (killed); perhaps out of memory (limit 64 MiB)"; s.ledger.state.Results[s.number("dies")].Reason == perhaps {
		died = perhaps
	}
	for name, reason := range map[string]string{"gives up": "exit code 4; out of memory (limit 64 MiB)", "dies": died} {
		s.wantStep(name, runner.Failure, reason)
		s.wantNotice(name, reason)
	}
}
