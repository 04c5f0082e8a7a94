package runner_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
)

// TestOnlyTheStartWaitsForTheNetwork: what takes longest is made beside the
// rest.
func TestOnlyTheStartWaitsForTheNetwork(t *testing.T) {
	s := newScenario(t, step("build"))
	copied := s.ledger.when("done copy-source/0/0")
	_, release := s.eng.Hang("CreateNetwork", 1)
	t.Cleanup(release)
	s.start()
	s.reached(copied, "the source in the volume")
	if n := s.eng.Count("Start"); n > 0 {
		t.Error("a container was started without a network")
	}
	release()
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOrder("done create-network/0/0", "intend start/1/1")
}
