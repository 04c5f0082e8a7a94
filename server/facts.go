package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// facts is what is known of a build before its files are read. b is fetched.
func (t *Trigger) facts(ctx context.Context, repo store.Repo, b *store.Build) (pipeline.Facts, error) {
	f := pipeline.Facts{
		Event:  pipeline.EventKind(b.Event),
		Repo:   t.repoFacts(repo),
		Commit: commitFacts(b),
		Sender: b.Sender, SenderAvatar: b.SenderAvatar,
		Build:            t.buildFacts(repo, b),
		System:           t.systemFacts(),
		PrivilegedImages: t.PrivilegedImages,
	}
	if f.Build.Created.IsZero() {
		f.Build.Created = t.Store.Now()
	}
	if p := b.Pull; p != nil {
		f.PullRequest = &pipeline.PullRequestFacts{Number: p.Number, Action: pullAction(p.Action), Title: p.Title, SourceBranch: p.HeadBranch,
			TargetBranch: p.BaseBranch, SourceRepo: p.HeadRepo, Fork: p.Fork, Draft: p.Draft, Labels: p.Labels, Milestone: p.Milestone}
	}
	if r := b.Release; r != nil {
		f.Release = pipeline.ReleaseFacts{Name: r.Name, Prerelease: r.Prerelease}
	}
	f.Deploy = deployFacts(b)
	var err error
	if f.Previous, err = t.previous(ctx, repo, b); err != nil {
		return f, err
	}
	f.Changed, err = t.changed(ctx, repo, b)
	return f, err
}

// pullAction returns what GitHub says of a pull request in the language's words.
func pullAction(action string) string {
	if action == "synchronize" {
		return pipeline.PullSynchronized
	}
	return pipeline.PullOpened
}

func (t *Trigger) repoFacts(repo store.Repo) pipeline.RepoFacts {
	f := pipeline.RepoFacts{RemoteID: repo.MirrorKey(), Owner: repo.Owner, Name: repo.Name, URL: repo.HTMLURL,
		CloneURL: repo.CloneURL, DefaultBranch: repo.DefaultBranch, Private: repo.Private,
		Trust: pipeline.Trust{Security: repo.Trust.Security, Volumes: repo.Trust.Volumes, Network: repo.Trust.Network}}
	if u, err := url.Parse(t.GitHubURL); err == nil && u.Hostname() != "" {
		f.CloneSSHURL = fmt.Sprintf("git@%s:%s.git", u.Hostname(), repo.FullName())
	}
	return f
}

func commitFacts(b *store.Build) pipeline.CommitFacts {
	return pipeline.CommitFacts{SHA: b.SHA, Ref: b.Ref, Branch: b.Branch, Tag: b.Tag, Message: b.Message,
		URL: b.URL, Before: b.Before, Author: b.Author, AuthorEmail: b.AuthorEmail, AvatarURL: b.AvatarURL}
}

func (t *Trigger) buildFacts(repo store.Repo, b *store.Build) pipeline.BuildFacts {
	return pipeline.BuildFacts{Number: b.Number, Parent: b.Parent, Created: b.CreatedAt, Started: b.StartedAt,
		URL: fmt.Sprintf("%s/repos/%s/builds/%d", strings.TrimSuffix(t.URL, "/"), repo.FullName(), b.Number)}
}

func (t *Trigger) systemFacts() pipeline.SystemFacts {
	f := pipeline.SystemFacts{URL: t.URL, Version: t.Version, ForgeURL: t.GitHubURL, Instance: t.Instance, Platform: t.Platform}
	if u, err := url.Parse(t.URL); err == nil {
		f.Host = u.Host
	}
	return f
}

func deployFacts(b *store.Build) pipeline.DeployFacts {
	if b.Deploy == nil {
		return pipeline.DeployFacts{}
	}
	return pipeline.DeployFacts{Target: b.Deploy.Target, Task: b.Deploy.Task, ID: b.Deploy.ID}
}

// previous is the build before b on its branch; nil if there is none.
func (t *Trigger) previous(ctx context.Context, repo store.Repo, b *store.Build) (*pipeline.PreviousFacts, error) {
	prev, err := t.Store.PreviousBuild(ctx, *b)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // as Facts.Previous says that there is none
	}
	if err != nil {
		return nil, err
	}
	f := &pipeline.PreviousFacts{Build: t.buildFacts(repo, &prev), Event: pipeline.EventKind(prev.Event),
		Status: string(prev.Status), Finished: prev.FinishedAt, Commit: commitFacts(&prev), Deploy: deployFacts(&prev),
		Sender: prev.Sender, Avatar: prev.SenderAvatar}
	if p := prev.Pull; p != nil {
		f.Source, f.Target = p.HeadBranch, p.BaseBranch
	}
	return f, nil
}
