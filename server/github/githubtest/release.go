package githubtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// A Release is a release to be published.
type Release struct {
	Tag        string // which need not exist
	Name       string
	Prerelease bool
	Author     Person
}

// PublishRelease publishes a release of a tag and sends its webhook.
func (r *Repo) PublishRelease(rel Release) error {
	if err := checkRef(rel.Tag); err != nil {
		return fmt.Errorf("publish release: %w", err)
	}
	rel.Author = rel.Author.orMona()
	return r.announceEvent("release", "published", rel.Author.login(), object{"release": object{
		"id": r.s.nextID(), "tag_name": rel.Tag, "target_commitish": r.defaultBranch, "name": rel.Name, "draft": false,
		"prerelease": rel.Prerelease, "html_url": r.HTMLURL() + "/releases/tag/" + rel.Tag, "author": r.s.userJSON(rel.Author.login()),
		"created_at": stamp(r.s.now()), "published_at": stamp(r.s.now()), "assets": []object{}, "body": "",
	}})
}

// A Deployment is a deployment to be asked for.
type Deployment struct {
	Ref         string // a branch, a tag or a SHA; empty means the default branch
	Environment string // empty means "production"
	Task        string // empty means "deploy"
	Creator     Person
}

// Deploy asks for a deployment, sends its webhook and returns its number and the
// SHA that its ref leads to.
func (r *Repo) Deploy(ctx context.Context, d Deployment) (id int64, sha string, err error) {
	d.Ref, d.Environment = cmp.Or(d.Ref, r.defaultBranch), cmp.Or(d.Environment, "production")
	d.Task, d.Creator = cmp.Or(d.Task, "deploy"), d.Creator.orMona()
	for _, prefix := range []string{"refs/heads/", "refs/tags/", ""} {
		if sha, err = r.Resolve(ctx, prefix+d.Ref); sha != "" || err != nil {
			break
		}
	}
	if err != nil {
		return 0, "", err
	}
	if sha == "" {
		return 0, "", fmt.Errorf("deploy %s: there is no %s", r.FullName(), d.Ref)
	}
	id = r.s.nextID()
	return id, sha, r.announceEvent("deployment", "created", d.Creator.login(), object{"deployment": object{
		"id": id, "sha": sha, "ref": d.Ref, "task": d.Task, "payload": object{}, "environment": d.Environment,
		"original_environment": d.Environment, "description": nil, "creator": r.s.userJSON(d.Creator.login()),
		"created_at": stamp(r.s.now()), "updated_at": stamp(r.s.now()),
	}})
}

// announceEvent sends the webhook of an event that is about the repository.
func (r *Repo) announceEvent(event, action, sender string, payload object) error {
	payload["action"], payload["repository"], payload["sender"] = action, r.json(), r.s.userJSON(sender)
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	r.s.hooks.send(event, action, r, body)
	return nil
}
