package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

const (
	maxCommits = 50
	maxFiles   = 200
	branchRefs = "refs/heads/"
	maxSubject = 200 // bytes
	unreadable = "the repository's mirror could not be read"
)

// changes works out what a build has in it since the last one that passed; nil
// if that is stored already. What cannot be told is told in words.
func (d *Digester) changes(ctx context.Context, b store.Build) (*store.Changes, error) {
	if _, err := d.Store.BuildChanges(ctx, b.ID); !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	repo, err := d.Store.RepoByID(ctx, b.RepoID)
	if err != nil {
		return nil, err
	}
	base, branch, err := d.base(ctx, b, repo)
	if errors.Is(err, store.ErrNotFound) {
		return &store.Changes{Unknown: "no earlier build has passed"}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &store.Changes{Number: base.Number, SHA: base.SHA, Branch: branch}
	err = d.compare(ctx, repo.MirrorKey(), b.SHA, c)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, source.ErrCommitNotFound):
		c.Unknown = fmt.Sprintf("commit %.7s of build #%d is not in the repository any more", base.SHA, base.Number)
	case err != nil:
		d.Logger.Warn("cannot tell what changed since the last build that passed", "repo", repo.FullName(), "build", b.ID, "error", err)
		c.Unknown = unreadable
	}
	return c, nil
}

// base returns the build to compare with: the last one of the same branch or
// pull request that passed, else that of the branch it goes to, which is named
// then. A branch goes to the default branch.
func (d *Digester) base(ctx context.Context, b store.Build, repo store.Repo) (base store.Build, branch string, err error) {
	base, err = d.Store.LastPassed(ctx, b.RepoID, b.Ref, b.Number)
	if !errors.Is(err, store.ErrNotFound) {
		return base, "", err
	}
	branch = repo.DefaultBranch
	if b.Pull != nil {
		branch = b.Pull.BaseBranch
	}
	base, err = d.Store.LastPassed(ctx, b.RepoID, branchRefs+branch, b.Number)
	return base, branch, err
}

// compare fills in the commits and the files between c.SHA and head. Against
// another branch it is the files that changed since head left it.
func (d *Digester) compare(ctx context.Context, key, head string, c *store.Changes) error {
	if c.SHA == head {
		return nil
	}
	commits, total, err := d.Mirrors.Log(ctx, key, c.SHA, head, maxCommits)
	if err != nil {
		return err
	}
	from := c.SHA
	if c.Branch != "" {
		fork, err := d.Mirrors.MergeBase(ctx, key, c.SHA, head)
		if err != nil {
			return err
		}
		if fork != "" {
			from = fork
		}
	}
	files, err := d.Mirrors.Changed(ctx, key, from, head)
	if err != nil {
		return err
	}
	for _, e := range commits {
		c.Commits = append(c.Commits, store.ChangedCommit{SHA: e.SHA, Author: cut(e.Author, maxSubject), Subject: cut(e.Subject, maxSubject)})
	}
	c.MoreCommits = total - len(commits)
	for _, f := range files[:min(len(files), maxFiles)] {
		c.Files = append(c.Files, strings.ToValidUTF8(f, "\uFFFD"))
	}
	c.MoreFiles = len(files) - len(c.Files)
	return nil
}
