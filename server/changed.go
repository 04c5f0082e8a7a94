package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

// changed tells which files a build's event changed: those of a push against the
// commit before it, those of a new branch against where it left the default
// branch, and those of a pull request against where it left its target. What
// cannot be compared for good is told in words; the error is temporary.
func (t *Trigger) changed(ctx context.Context, repo store.Repo, b *store.Build) (pipeline.ChangedFacts, error) {
	c := comparison{t: t, key: repo.MirrorKey(), repo: repo, head: b.SHA}
	var err error
	switch pipeline.EventKind(b.Event) {
	case pipeline.EventPush:
		switch {
		case b.Before != "":
			err = c.with(ctx, b.Before, "", "the commit before the push is gone")
		case b.Branch == repo.DefaultBranch:
			err = unknown("it is the first push of the default branch")
		default:
			err = c.since(ctx, repo.DefaultBranch, "")
		}
	case pipeline.EventPullRequest, pipeline.EventPullRequestClosed:
		err = c.since(ctx, b.Pull.BaseBranch, b.Pull.BaseSHA)
	}
	var why unknown
	switch {
	case errors.As(err, &why):
		return pipeline.ChangedFacts{Unknown: string(why)}, nil
	case err != nil:
		return pipeline.ChangedFacts{}, &temporaryError{err}
	}
	return pipeline.ChangedFacts{Files: c.files}, nil
}

// unknown is why it is not known which files were changed.
type unknown string

func (u unknown) Error() string { return string(u) }

// comparison compares a commit that was fetched with others.
type comparison struct {
	t     *Trigger
	key   string
	repo  store.Repo
	head  string
	files []string
}

// with compares the head with another commit, which is fetched if it is not
// there; gone is what to say if that is nowhere any more.
func (c *comparison) with(ctx context.Context, base, ref, gone string) error {
	return c.having(ctx, base, ref, gone, func() (err error) {
		c.files, err = c.t.Mirrors.Changed(ctx, c.key, base, c.head)
		return err
	})
}

// since compares the head with where it left a branch, whose commit is tip; ""
// for where the branch is now.
func (c *comparison) since(ctx context.Context, branch, tip string) error {
	ref := branchPrefix + branch
	if tip == "" {
		remote, err := c.t.Remote(ctx, c.repo)
		if err != nil {
			return err
		}
		found, err := c.t.Mirrors.Refs(ctx, remote, ref)
		switch {
		case errors.Is(err, source.ErrInvalid) || err == nil && found[ref] == "":
			return unknown("there is no branch " + branch)
		case err != nil:
			return err
		}
		tip = found[ref]
	}
	var base string
	err := c.having(ctx, tip, ref, fmt.Sprintf("commit %.7s of %s is gone", tip, branch), func() (err error) {
		base, err = c.t.Mirrors.MergeBase(ctx, c.key, c.head, tip)
		return err
	})
	switch {
	case err != nil:
		return err
	case base == "":
		return unknown("it has no history in common with " + branch)
	}
	return c.with(ctx, base, "", fmt.Sprintf("commit %.7s is gone", base))
}

// having runs f, and if it finds that a commit is missing, fetches sha and runs
// it again.
func (c *comparison) having(ctx context.Context, sha, ref, gone string, f func() error) error {
	err := f()
	if !errors.Is(err, source.ErrCommitNotFound) {
		return err
	}
	remote, err := c.t.Remote(ctx, c.repo)
	if err != nil {
		return err
	}
	err = c.t.Mirrors.Fetch(ctx, c.key, remote, ref, sha, source.FetchOptions{})
	if err == nil {
		err = f()
	}
	if errors.Is(err, source.ErrCommitNotFound) || errors.Is(err, source.ErrInvalid) {
		return unknown(gone)
	}
	return err
}
