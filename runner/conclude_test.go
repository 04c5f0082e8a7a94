package runner_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestRecordedEndStands: a process that dies after it recorded how a step ended
// leaves it at that, though it might end otherwise by now.
func TestRecordedEndStands(t *testing.T) {
	s := newScenario(t, step("build"))
	s.runs("build", runnertest.Exit(0))
	s.eng.Fail("PullImage", 1, errors.New("the registry refuses"))
	s.ledger.dieOn, s.ledger.recorded = "done end/1/1", true
	s.run()
	if !errors.Is(s.err, errDead) {
		t.Fatalf("Run: %v", s.err)
	}
	s.resume(s.ledger.revive())
	s.wait()
	const reason = "PullImage: the registry refuses"
	s.wantStep("build", runner.Error, reason)
	if got := s.notices("build"); got != reason {
		t.Errorf("the log says %q, want %q", got, reason)
	}
	if n := s.eng.Count("PullImage"); n != 1 {
		t.Errorf("the image was pulled %d times", n)
	}
	s.wantNothingLeft()
}

// TestReasonIsBounded: what others say may be of any length. The log has it whole.
func TestReasonIsBounded(t *testing.T) {
	s := newScenario(t, step("build"))
	said := strings.Repeat("no ", 10_000) + "never"
	s.eng.Fail("PullImage", 1, errors.New(said))
	s.run()
	for what, reason := range map[string]string{"step": s.ledger.state.Results[1].Reason, "job": s.result.Reason} {
		if n := len(reason); n > 3000 || !strings.Contains(reason, "no no") || !strings.HasSuffix(reason, "…") {
			t.Errorf("the %s's reason has %d bytes and ends %q", what, n, reason[max(0, n-10):])
		}
	}
	if got := s.notices("build"); !strings.HasSuffix(got, said) {
		t.Errorf("the log has %d bytes of it", len(got))
	}
}

// TestServiceIsGivenUpOnce: the next process finds another reason for which a
// service does not answer, and the log has said that it does not.
func TestServiceIsGivenUpOnce(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432, Retries: 1})),
		with(step("report", "test"), onFailure, func(p *pipeline.Step) { p.Services = []string{"db"} }))
	s.runs("db", runnertest.Block())
	s.ledger.dieOn = "intend start/3/1" // that of report, which has said it
	s.run()
	if !errors.Is(s.err, errDead) {
		t.Fatalf("Run: %v", s.err)
	}
	s.resume(s.ledger.revive())
	s.wait()
	s.wantStep("report", runner.Success, "")
	if got := s.notices("report"); strings.Count(got, "going on without service db: ") != 1 {
		t.Errorf("the log says %q, want once that it goes on without db", got)
	}
}
