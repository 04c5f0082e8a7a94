package runnertest_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func TestLifecycle(t *testing.T) {
	runnertest.Lifecycle(t, func(t *testing.T) runner.Engine {
		e := runnertest.NewEngine(t)
		e.Default(runnertest.Scripts)
		return e
	}, "any")
}
