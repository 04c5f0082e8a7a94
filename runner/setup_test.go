package runner_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
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

// TestNoSource: the engine may be about to take a source that cannot be opened. It
// is why the job ends, whatever the engine says of it.
func TestNoSource(t *testing.T) {
	for name, scenarioOf := range map[string]func(*testing.T, ...pipeline.Step) *scenario{"Fake": newScenario, "Docker": newDockerScenario} {
		t.Run(name, func(t *testing.T) {
			s := scenarioOf(t, with(step("build"), commands("make")))
			preparing := s.ledger.when("intend copy-source/0/0")
			s.job.Source = func(context.Context) (io.ReadCloser, error) {
				<-preparing
				return nil, errors.New("the commit is gone")
			}
			s.run()
			s.wantJob(runner.Error, "open source: the commit is gone", "")
			s.wantNothingLeft()
		})
	}
}
