package webui

import (
	"context"

	"github.com/slipway-ci/slipway/store"
)

// whyFailed is the reason of a build that a reader of a list looks for: where it
// is known, what the digest of the step that decided says.
func (u *UI) whyFailed(ctx context.Context, b store.Build) (string, error) {
	if b.Status != store.Failure {
		return b.Reason, nil
	}
	culprits, err := u.store.Culprits(ctx, b.ID)
	if err != nil {
		return "", err
	}
	why, first := b.Reason, 0
	for job, c := range culprits {
		if c.Title != "" && (first == 0 || job < first) {
			why, first = c.Step+": "+c.Title, job
		}
	}
	return why, nil
}

// explain gives the builds of a list these reasons.
func (u *UI) explain(ctx context.Context, builds []store.Build) (err error) {
	for i := range builds {
		if builds[i].Reason, err = u.whyFailed(ctx, builds[i]); err != nil {
			return err
		}
	}
	return nil
}
