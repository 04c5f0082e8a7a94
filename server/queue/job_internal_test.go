package queue

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/store/storetest"
)

// A cancel may come before anything of the job was read: it ends canceled all
// the same.
func TestCancelBeforeTheJobIsRead(t *testing.T) {
	s := storetest.Open(t, nil)
	ls, err := logs.Open(t.TempDir(), logs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.UpsertRepo(t.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	if err != nil {
		t.Fatal(err)
	}
	plan := `{"name":"main","clone":{"skip":true},"workspace":{"base":"/work","path":"src"},"steps":[{"name":"test",
		"kind":"commands","image":"busybox","commands":["true"],"on_success":true}]}`
	b, err := s.CreateBuild(t.Context(), store.Build{RepoID: r.ID, Number: 1, Planned: true, Event: "push", SHA: "a"},
		[]store.NewJob{{Name: "main", Plan: []byte(plan), OnSuccess: true, Steps: []store.NewStep{{Name: "test"}}}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := New(Options{Store: s, Logs: ls, Engine: runnertest.NewEngine(t), Logger: slog.New(slog.DiscardHandler), ServerID: "x"})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("%w by mona", runner.ErrCancel))
	q.runJob(t.Context(), ctx, j, nil, func() {})
	if b, err = s.BuildByID(t.Context(), b.ID); err != nil || b.Status != store.Canceled || b.Reason != "canceled by mona" {
		t.Errorf("the build is %s: %s (%v)", b.Status, b.Reason, err)
	}
}
