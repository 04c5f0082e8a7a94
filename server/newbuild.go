package server

import (
	"fmt"
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

// newBuild is what an event says of the build it makes. What the event does not
// say (the commit of a release, whether a deployment is of a branch or a tag) is
// completed by Trigger.resolve.
func newBuild(repo store.Repo, ev github.Event) store.Build {
	b := store.Build{RepoID: repo.ID, Sender: ev.Sender.Login, SenderAvatar: ev.Sender.AvatarURL}
	switch ev.Kind {
	case github.KindPush:
		ofPush(&b, ev)
	case github.KindPullRequest:
		ofPullRequest(&b, ev.PullRequest)
	case github.KindRelease:
		ofRelease(&b, ev.Release)
	case github.KindDeployment:
		ofDeployment(&b, ev.Deployment, repo)
	}
	return b
}

func ofPush(b *store.Build, ev github.Event) {
	p := ev.Push
	b.Event = string(pipeline.EventPush)
	b.Ref, b.Branch, b.Tag = p.Ref, p.Branch(), p.Tag()
	if b.Tag != "" {
		b.Event = string(pipeline.EventTag)
	}
	b.SHA, b.Before, b.Message, b.URL = p.Head.SHA, p.Before, p.Head.Message, p.Head.URL
	b.Author, b.AuthorEmail = firstOf(p.Head.AuthorLogin, p.Head.AuthorName), p.Head.AuthorEmail
	b.AvatarURL = ev.Sender.AvatarURL // a push does not tell the author's
}

func ofPullRequest(b *store.Build, p *github.PullRequest) {
	b.Event = string(pipeline.EventPullRequest)
	if p.Closed() {
		b.Event = string(pipeline.EventPullRequestClosed)
	}
	b.Ref, b.Branch = fmt.Sprintf("refs/pull/%d/head", p.Number), p.BaseRef
	b.SHA, b.URL, b.Author, b.AvatarURL, b.Message = p.HeadSHA, p.URL, p.Author.Login, p.Author.AvatarURL, p.Title
	b.Pull = &store.Pull{
		Number: p.Number, Action: p.Action, Title: p.Title, HeadBranch: p.HeadRef, BaseBranch: p.BaseRef, BaseSHA: p.BaseSHA,
		HeadRepo: p.HeadRepo, Fork: p.Fork, Draft: p.Draft, Labels: p.Labels, Milestone: p.Milestone,
	}
	b.NeedsApproval = p.Fork
}

func ofRelease(b *store.Build, r *github.Release) {
	b.Event = string(pipeline.EventRelease)
	b.Ref, b.Tag = tagPrefix+r.Tag, r.Tag
	b.URL, b.Author, b.AvatarURL = r.URL, r.Author.Login, r.Author.AvatarURL
	b.Release = &store.Release{Name: r.Name, Prerelease: r.Prerelease}
}

func ofDeployment(b *store.Build, d *github.Deployment, repo store.Repo) {
	b.Event = string(pipeline.EventDeployment)
	b.SHA, b.Ref, b.URL = d.SHA, d.Ref, repo.HTMLURL+"/commit/"+d.SHA
	if strings.HasPrefix(d.SHA, d.Ref) { // a commit of no branch in particular
		b.Ref = branchPrefix + repo.DefaultBranch
	}
	b.Author, b.AvatarURL = d.Creator.Login, d.Creator.AvatarURL
	b.Deploy = &store.Deploy{Target: d.Environment, Task: d.Task, ID: d.ID}
}

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// quiet reports whether an event makes a build only if a workflow is for it. The
// commit has its verdict from the push or the pull request that brought it.
func quiet(event string) bool {
	switch pipeline.EventKind(event) {
	case pipeline.EventPullRequestClosed, pipeline.EventRelease, pipeline.EventDeployment:
		return true
	default:
		return false
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}
