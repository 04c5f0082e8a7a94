package githubtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
)

// A Tag is a tag to be made.
type Tag struct {
	Name string
	// Target is what is tagged, a SHA or a full ref; empty means the head of
	// the default branch.
	Target string
	// Message makes the tag an annotated one.
	Message string
	Tagger  Person
}

// Tag makes a tag, sends the webhooks of its push and returns the SHA of the
// commit that it leads to.
func (r *Repo) Tag(ctx context.Context, t Tag) (sha string, err error) {
	t.Target, t.Tagger = cmp.Or(t.Target, "refs/heads/"+r.defaultBranch), t.Tagger.orMona()
	if err := errors.Join(checkRef(t.Name), t.Tagger.check()); err != nil {
		return "", fmt.Errorf("tag %s: %w", r.FullName(), err)
	}
	sha, err = r.Resolve(ctx, t.Target)
	if err != nil {
		return "", err
	}
	if sha == "" {
		return "", fmt.Errorf("tag %s: there is no commit %s", r.FullName(), t.Target)
	}
	object := sha
	if t.Message != "" {
		if object, err = r.tagObject(ctx, t, sha); err != nil {
			return "", err
		}
	}
	ref := "refs/tags/" + t.Name
	// With the old value given as none, git refuses to move a tag.
	if _, err := r.s.git.run(ctx, r.dir, nil, "update-ref", ref, object, strings.Repeat("0", 40)); err != nil {
		return "", err
	}
	return sha, r.announce(ctx, []update{{ref: ref, after: object}}, t.Tagger.login())
}

func (r *Repo) tagObject(ctx context.Context, t Tag, sha string) (string, error) {
	r.s.remember(t.Tagger)
	object := fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger %s <%s> %d +0000\n\n%s\n",
		sha, t.Name, t.Tagger.Name, t.Tagger.Email, r.s.now().Unix(), t.Message)
	return r.s.git.run(ctx, r.dir, strings.NewReader(object), "mktag")
}

// Delete deletes a branch or a tag, given as a full ref, and sends the webhooks
// of its deletion.
func (r *Repo) Delete(ctx context.Context, ref string) error {
	before, err := r.s.git.run(ctx, r.dir, nil, "rev-parse", "--verify", "--end-of-options", ref)
	if err != nil {
		return err
	}
	if _, err := r.s.git.run(ctx, r.dir, nil, "update-ref", "-d", ref, before); err != nil {
		return err
	}
	return r.announce(ctx, []update{{ref: ref, before: before}}, r.owner)
}
