package source

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

const (
	maxCommit = 8 << 20 // bytes of a commit object
	maxTags   = 32 << 20
)

// history is the part of a commit's history that a checkout has.
type history struct {
	commits map[string]bool // nil: all of it
	shallow []string        // those of commits whose parents are left out
}

// history walks depth commits deep from sha; depth below 0 means to the roots.
func (m *Mirrors) history(ctx context.Context, mir *mirror, sha string, depth int) (history, error) {
	var h history
	err := m.readObjects(ctx, mir, func(r *objectReader) error {
		commit, err := r.get(sha, maxCommit)
		if err != nil {
			return err
		}
		if commit.kind != "commit" {
			return ErrCommitNotFound
		}
		if depth < 0 {
			return nil
		}
		h.commits = make(map[string]bool)
		level := []string{sha}
		for d := 1; len(level) > 0; d++ {
			var next []string
			for _, oid := range level {
				if h.commits[oid] {
					continue
				}
				h.commits[oid] = true
				parents, err := parents(r, oid)
				if err != nil {
					return err
				}
				if d == depth && len(parents) > 0 {
					h.shallow = append(h.shallow, oid)
					continue
				}
				next = append(next, parents...)
			}
			level = next
		}
		return nil
	})
	return h, err
}

// parents reads the parents of a commit.
func parents(r *objectReader, oid string) ([]string, error) {
	o, err := r.get(oid, maxCommit)
	if err != nil {
		return nil, err
	}
	if o.kind != "commit" {
		return nil, fmt.Errorf("%w: commit %s", errMissing, oid)
	}
	var parents []string
	for line := range bytes.Lines(o.data) {
		if len(line) == 1 {
			break // the message begins
		}
		if p, ok := strings.CutPrefix(string(line), "parent "); ok {
			parents = append(parents, strings.TrimSpace(p))
		}
	}
	return parents, nil
}

// tags returns the tags that stand for a commit of h.
func (m *Mirrors) tags(ctx context.Context, mir *mirror, sha string, h history) ([]packedRef, error) {
	out, err := m.git(ctx, gitCmd{
		gitDir: mir.dir,
		args:   []string{"for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", "--merged=" + sha, "refs/tags/"},
	}, maxTags)
	if err != nil {
		return nil, err
	}
	var tags []packedRef
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(f) != 3 {
			return nil, fmt.Errorf("git for-each-ref: unexpected line %q", line)
		}
		t := packedRef{oid: f[0], peeled: f[1], name: f[2]}
		commit := t.oid
		if t.peeled != "" {
			commit = t.peeled
		}
		if h.commits == nil || h.commits[commit] {
			tags = append(tags, t)
		}
	}
	return tags, nil
}
