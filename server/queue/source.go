package queue

import (
	"context"
	"fmt"
	"io"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

// source opens the tree that a job works in, fetching what is not there: the
// mirror may have been removed since the build was planned, and what only this
// job asks for was not fetched then.
func (q *Queue) source(ctx context.Context, r store.Repo, b store.Build, w pipeline.Workflow) (io.ReadCloser, error) {
	remote, err := q.Remote(ctx, r)
	if err != nil {
		return nil, err
	}
	key, clone := r.MirrorKey(), w.Clone
	fetch := source.FetchOptions{Tags: clone.Tags, LFS: clone.LFS}
	if clone.Submodules {
		fetch.Submodules = submodulesOf(b, remote)
	}
	sha := b.SHA
	if clone.Ref == pipeline.CloneMerge && b.Pull != nil {
		ref := fmt.Sprintf("refs/pull/%d/merge", b.Pull.Number)
		if sha, err = q.Mirrors.FetchMerge(ctx, key, remote, ref, b.SHA, fetch); err != nil {
			return nil, fmt.Errorf("fetch the merge of %.7s: %w", b.SHA, err)
		}
	} else if err := q.Mirrors.Fetch(ctx, key, remote, b.Ref, sha, fetch); err != nil {
		return nil, fmt.Errorf("fetch %.7s: %w", sha, err)
	}
	branch := b.Branch
	if b.Pull != nil {
		branch = ""
	}
	depth := clone.Depth
	if depth >= pipeline.CloneAll {
		depth = -1
	}
	return q.Mirrors.Tar(ctx, key, sha, source.TarOptions{
		Prefix:     w.Workspace.Path,
		Depth:      depth,
		Tags:       clone.Tags,
		Branch:     branch,
		URL:        r.CloneURL,
		Submodules: fetch.Submodules,
		LFS:        clone.LFS,
		Partial:    clone.Partial,
	})
}

// submodulesOf is the remote that submodules are fetched as. What a fork names
// as its submodules gets no credential: it would lead to every repository that
// the server may read.
func submodulesOf(b store.Build, remote source.Remote) *source.Remote {
	if b.Pull != nil && b.Pull.Fork {
		remote.Username, remote.Password = "", ""
	}
	return &remote
}
