package queue_test

import (
	"context"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
)

// sandboxWatch tells of each sandbox whether it reaches the metadata services.
type sandboxWatch struct {
	runner.Engine
	metadata chan bool
}

func (s sandboxWatch) CreateSandbox(ctx context.Context, spec runner.SandboxSpec) (string, error) {
	s.metadata <- spec.Metadata
	return s.Engine.CreateSandbox(ctx, spec)
}

func TestMetadataOfTrustedRepositories(t *testing.T) {
	w := newWorld(t)
	watch := sandboxWatch{w.engine, make(chan bool, 10)}
	w.options.Engine = watch
	w.start()
	b := w.build("app", workflow("test"))
	w.want(w.verdict(b), "success")
	w.want(<-watch.metadata, false)

	_, err := w.store.ChangeRepoSettings(w.ctx, b.RepoID, func(s *store.RepoSettings) { s.Trust.Metadata = true })
	w.ok(err)
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.want(<-watch.metadata, true)
}
