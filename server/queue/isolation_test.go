package queue_test

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/store"
)

// TestIsolationOfContainers: what a repository leaves open is the server's.
func TestIsolationOfContainers(t *testing.T) {
	w := newWorld(t)
	w.options.Isolation = runner.Isolation{Runtime: "runc", UserNS: "host"}
	seen := make(chan runner.Isolation, 1)
	w.engine.Default(func(s runner.ContainerSpec) runnertest.Program {
		seen <- s.Isolation
		return runnertest.Exit(0)
	})
	w.start()
	b := w.build("app", workflow("test"))
	w.want(w.verdict(b), "success")
	w.want(<-seen, runner.Isolation{Runtime: "runc", UserNS: "host"})
	_, err := w.store.ChangeRepoSettings(w.ctx, b.RepoID, func(s *store.RepoSettings) { s.Runtime = "runsc" })
	w.ok(err)
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.want(<-seen, runner.Isolation{Runtime: "runsc", UserNS: "host"})
}
