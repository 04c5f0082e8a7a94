package queue

import (
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestForksReachNoMetadata(t *testing.T) {
	trusted := store.Repo{RepoSettings: store.RepoSettings{Trust: store.Trust{Metadata: true}}}
	for name, tt := range map[string]struct {
		repo store.Repo
		pull *store.Pull
		want bool
	}{
		"push":                   {trusted, nil, true},
		"pull request":           {trusted, &store.Pull{}, true},
		"fork":                   {trusted, &store.Pull{Fork: true}, false},
		"no trust":               {store.Repo{}, nil, false},
		"no trust, pull request": {store.Repo{}, &store.Pull{}, false},
	} {
		if got := allowMetadata(tt.repo, store.Build{Pull: tt.pull}); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
