package docker_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func newEngine(t *testing.T) runner.Engine {
	return docker.New(runnertest.Docker(t), docker.Options{})
}

func TestConformance(t *testing.T) {
	runnertest.Conformance(t, newEngine, runnertest.Image(t))
}
