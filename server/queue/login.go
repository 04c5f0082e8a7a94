package queue

import (
	"context"
	"slices"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
)

// addLogins gives a job the logins for registries: the repository's own, and for
// registries where it has none the server's. What a fork names as its image is
// had with the repository's only, which a maintainer has approved: the server's
// lead to the images of every repository.
func (q *Queue) addLogins(ctx context.Context, j *runner.Job, r store.Repo, b store.Build) error {
	own, err := q.Store.RegistryLogins(ctx, r.ID)
	if err != nil {
		return err
	}
	logins := map[string]runner.Login{}
	j.Secrets = slices.Clone(j.Secrets)
	for _, l := range own {
		logins[l.Registry] = runner.Login{Username: l.Username, Password: l.Password, Holder: store.LoginHolder(r.ID)}
		j.Secrets = append(j.Secrets, l.Password)
	}
	fork := b.Pull != nil && b.Pull.Fork
	j.Login = func(ctx context.Context, registry string) (runner.Login, error) {
		l, ok := logins[registry]
		if ok || fork || q.Login == nil {
			return l, nil
		}
		return q.Login(ctx, registry)
	}
	return nil
}
