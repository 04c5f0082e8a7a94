package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

// resolve completes a build whose event named its ref only in part: a release
// tells a tag and not its commit, a deployment "main", which may be a branch or a
// tag. It returns why there is nothing to build, or "".
func (t *Trigger) resolve(ctx context.Context, remote source.Remote, b *store.Build) (none string, err error) {
	if !strings.HasPrefix(b.Ref, "refs/") {
		if err := t.resolveName(ctx, remote, b); err != nil {
			return "", err
		}
	}
	if b.Deploy != nil {
		b.Branch, b.Tag = after(b.Ref, branchPrefix), after(b.Ref, tagPrefix)
	}
	if b.SHA != "" {
		return "", nil
	}
	found, err := t.Mirrors.Refs(ctx, remote, b.Ref)
	if err != nil {
		return "", err
	}
	if found[b.Ref] == "" {
		return fmt.Sprintf("tag %s is not on GitHub any more", b.Tag), nil
	}
	b.SHA = found[b.Ref]
	return "", nil
}

// resolveName makes a full ref of the name of a branch or a tag: of the one that
// is where the build is, if it is one of them, else of the branch.
func (t *Trigger) resolveName(ctx context.Context, remote source.Remote, b *store.Build) error {
	branch, tag := branchPrefix+b.Ref, tagPrefix+b.Ref
	found, err := t.Mirrors.Refs(ctx, remote, branch, tag)
	if err != nil {
		return err
	}
	isTag := found[tag] != "" && (found[branch] == "" || found[tag] == b.SHA && found[branch] != b.SHA)
	if b.Ref = branch; isTag {
		b.Ref = tag
	}
	return nil
}

// after returns what follows a prefix; "" without it.
func after(s, prefix string) string {
	if rest, ok := strings.CutPrefix(s, prefix); ok {
		return rest
	}
	return ""
}
