package runner_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// passes is what the script of one command does that has passed.
func passes() runnertest.Program {
	return runnertest.Then(vacate, say(marker("0", "-1"), marker("1", "0")))
}

// TestNextStepBeginsOnceOneHasPassed: it need not wait for the container's end.
func TestNextStepBeginsOnceOneHasPassed(t *testing.T) {
	s := newScenario(t, with(step("one"), commands("one")), with(step("two", "one"), commands("two")))
	s.job.MaxSteps = 1
	s.runs("one", runnertest.Then(passes(), runnertest.Until(s.ledger.when("done start/2/1"), 0)))
	s.run()
	s.wantJob(runner.Success, "", "")
	one, two := s.ledger.state.Results[1], s.ledger.state.Results[2]
	if one.FinishedAt.After(two.StartedAt) {
		t.Errorf("one ended at %v, after %v, when two began", one.FinishedAt, two.StartedAt)
	}
}

// TestStepThatPassedAndFailed: how its container ended counts, for all that has
// not begun.
func TestStepThatPassedAndFailed(t *testing.T) {
	s := newScenario(t,
		with(step("one"), commands("one")), with(step("two", "one"), commands("two")), with(step("three", "two"), commands("three")),
		with(step("help", "one"), commands("help"), onFailure))
	failed := s.ledger.when("done remove/1/1")
	s.runs("one", runnertest.Then(passes(), runnertest.Until(s.ledger.when("done start/2/1"), 1)))
	s.runs("two", runnertest.Until(failed, 0))
	s.run()
	s.wantJob(runner.Failure, "step one failed: exit code 1", "one")
	s.wantStep("two", runner.Success, "")
	s.wantStep("three", runner.Skipped, "step one failed")
	s.wantStep("help", runner.Success, "")
}

// TestStepThatMayBeRunAgain has not passed before its container ended.
func TestStepThatMayBeRunAgain(t *testing.T) {
	s := newScenario(t, with(step("one"), commands("one"), func(s *pipeline.Step) {
		s.Retry = &pipeline.Retry{Attempts: 2, On: []pipeline.RetryOn{pipeline.RetryFailure}}
	}), with(step("two", "one"), commands("two")))
	codes := make(chan int, 2)
	codes <- 1
	codes <- 0
	s.runs("one", func(p *runnertest.Process) int {
		passes()(p)
		return <-codes
	})
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantOrder("done start/1/2", "intend start/2/1")
}

// TestScriptKnowsWhetherItIsAlone: only then it says that the step has passed.
func TestScriptKnowsWhetherItIsAlone(t *testing.T) {
	for command, alone := range map[string]bool{
		"true":                       true,
		"printf a; cd /":             true,
		"sleep 100 &":                false, // not asked
		"sleep 100 & true":           false,
		"set -f":                     false, // it cannot look
		"exit 0":                     false,
		"cat <<EOF\ntext":            false,
		"set +e; true; false":        false,
		"trap 'sleep 1' EXIT":        false, // it is not at its end
		"trap 'date' TERM":           false,
		"trap : EXIT; trap - EXIT":   true,
		"set -C; >/dev/shm/.slipway": false, // nor here
	} {
		t.Run(command, func(t *testing.T) {
			spec, _ := specOf(t, with(step("one"), commands("cd /tmp", command)))
			out := scriptOutput(t, spec)
			if got := strings.Contains(out, marker("2", "0")); got != alone {
				t.Errorf("says that it has passed: %v, want %v: %q", got, alone, out)
			}
		})
	}
}

// scriptOutput runs a step's script in a container of its own.
func scriptOutput(t *testing.T, of runner.ContainerSpec) string {
	t.Helper()
	ctx := t.Context()
	engine := docker.New(runnertest.Docker(t), docker.Options{})
	id, err := engine.CreateContainer(ctx, runner.ContainerSpec{
		Name: "test" + strings.ToLower(ulid.Make().String()), Image: runnertest.Image(t),
		Entrypoint: of.Entrypoint, Cmd: of.Cmd, Gate: of.Gate,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.RemoveContainer(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	out, err := engine.Attach(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := engine.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := engine.Open(ctx, id, ":"); err != nil {
		// The script may have come to its end before that was told.
		if st, ierr := engine.Inspect(ctx, id); ierr != nil || st.Running {
			t.Fatal(err, ierr)
		}
	}
	var said bytes.Buffer
	if err := out.Copy(&said, io.Discard); err != nil {
		t.Fatal(err)
	}
	return said.String()
}
