package queue

import (
	"testing"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

func TestForksSubmodulesGetNoCredential(t *testing.T) {
	remote := source.Remote{URL: "https://git.example/acme/app.git", Username: "x", Password: "secret"}
	for name, tt := range map[string]struct {
		pull *store.Pull
		want string
	}{
		"push":         {nil, "secret"},
		"pull request": {&store.Pull{}, "secret"},
		"fork":         {&store.Pull{Fork: true}, ""},
	} {
		if got := submodulesOf(store.Build{Pull: tt.pull}, remote); got.Password != tt.want || got.URL != remote.URL {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if remote.Password != "secret" {
		t.Error("the repository's own credential is gone")
	}
}
