package runner_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/slipway-ci/slipway/runner"
)

func TestVerdictStandsBeforeTheRemoval(t *testing.T) {
	s := newScenario(t, step("build"))
	s.run()
	s.wantJob(runner.Success, "", "")
	if n := len(s.ledger.verdicts); n != 1 {
		t.Errorf("told of the job's end %d times", n)
	}
	if at := slices.Index(s.ledger.ops, "intend remove-job/0/0"); at < s.ledger.endedAt {
		t.Errorf("the job's end was told after %v, as number %d", s.ledger.ops, s.ledger.endedAt)
	}
}

func TestEndThatIsNotRecordedRemovesNothing(t *testing.T) {
	s := newScenario(t, step("build"))
	s.ledger.refuse = "end"
	s.run()
	if !errors.Is(s.err, errRefused) {
		t.Fatalf("Run: %v, want the Observer's error", s.err)
	}
	left, err := s.engine.List(context.Background(), map[string]string{runner.LabelServer: s.job.Server})
	if err != nil || !slices.ContainsFunc(left, func(r runner.Resource) bool { return r.Kind == runner.ResourceNetwork }) {
		t.Errorf("left for the next Run: %v, %v; want the network", left, err)
	}
	s.ledger.refuse = ""
	s.renew()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Success, "", "")
}
