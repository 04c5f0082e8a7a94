package source

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotMerged: a pull request cannot be had merged into its target: there are
// conflicts, or the host's merge is of another head.
var ErrNotMerged = errors.New("the pull request is not merged into its target for a trial")

// FetchMerge makes the commit present with which the host tries out merging a
// pull request, and returns its SHA. ref is where the host keeps it,
// "refs/pull/3/merge"; its last parent must be head. The error may be
// ErrNotMerged, and those of Fetch.
func (m *Mirrors) FetchMerge(ctx context.Context, key string, r Remote, ref, head string, o FetchOptions) (string, error) {
	found, err := m.Refs(ctx, r, ref)
	if err != nil {
		return "", err
	}
	sha := found[ref]
	if sha == "" {
		return "", fmt.Errorf("%w: the remote has no %s; are there conflicts?", ErrNotMerged, ref)
	}
	if err := m.Fetch(ctx, key, r, ref, sha, o); err != nil {
		return "", err
	}
	merged, err := m.lastParent(ctx, key, sha)
	if err != nil {
		return "", fmt.Errorf("read merge %.12s: %w", sha, err)
	}
	if merged != head {
		return "", fmt.Errorf("%w: %s merges %.7s and not %.7s; was it pushed to meanwhile?", ErrNotMerged, ref, merged, head)
	}
	return sha, nil
}

// lastParent returns the last parent of a commit, "" if it has none.
func (m *Mirrors) lastParent(ctx context.Context, key, sha string) (last string, err error) {
	mir, err := m.mirror(key)
	if err != nil {
		return "", err
	}
	err = mir.read(func() error {
		return m.readObjects(ctx, mir, func(r *objectReader) error {
			ps, err := parents(r, sha)
			if len(ps) > 0 {
				last = ps[len(ps)-1]
			}
			return err
		})
	})
	return last, err
}
