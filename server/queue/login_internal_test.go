package queue

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// TestLoginsOfAJob: the repository's go first, and no fork has the server's.
func TestLoginsOfAJob(t *testing.T) {
	s := storetest.OpenAt(t, filepath.Join(t.TempDir(), "slipway.db"), nil)
	r, err := s.UpsertRepo(t.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetRegistryLogin(t.Context(), r.ID, store.RegistryLogin{Registry: "ghcr.io", Username: "app", Password: "own password"}); err != nil {
		t.Fatal(err)
	}
	servers := runner.Login{Username: "server", Password: "pw", Holder: "server"}
	q := New(Options{Store: s, Secrets: []string{"token"},
		Login: func(context.Context, string) (runner.Login, error) { return servers, nil }})
	own := runner.Login{Username: "app", Password: "own password", Holder: store.LoginHolder(r.ID)}
	for name, test := range map[string]struct {
		build        store.Build
		ghcr, others runner.Login
	}{
		"push":         {store.Build{}, own, servers},
		"pull request": {store.Build{Pull: &store.Pull{Number: 1}}, own, servers},
		"fork":         {store.Build{Pull: &store.Pull{Number: 1, Fork: true}}, own, runner.Login{}},
	} {
		j := runner.Job{Secrets: q.Secrets}
		if err := q.addLogins(t.Context(), &j, r, test.build); err != nil {
			t.Fatal(err)
		}
		for registry, want := range map[string]runner.Login{"ghcr.io": test.ghcr, "quay.io": test.others} {
			if got, err := j.Login(t.Context(), registry); err != nil || got != want {
				t.Errorf("%s, %s: %v (%v), want %v", name, registry, got, err, want)
			}
		}
		if want := []string{"token", "own password"}; !slices.Equal(j.Secrets, want) {
			t.Errorf("%s: the log hides %q, want %q", name, j.Secrets, want)
		}
	}
}
