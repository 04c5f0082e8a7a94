package source

import (
	"context"
	"fmt"
	"strings"
)

// A Commit is what a commit says of itself.
type Commit struct {
	Author, AuthorEmail string
	Message             string // valid UTF-8
}

// Commit describes a commit that a Fetch has brought; else the error is
// ErrCommitNotFound.
func (m *Mirrors) Commit(ctx context.Context, key, sha string) (Commit, error) {
	c, err := m.commit(ctx, key, sha)
	if err != nil {
		return Commit{}, fmt.Errorf("read commit %.12s: %w", sha, err)
	}
	return c, nil
}

func (m *Mirrors) commit(ctx context.Context, key, sha string) (c Commit, err error) {
	mir, err := m.mirror(key)
	if err != nil {
		return c, err
	}
	if err := checkSHA(sha); err != nil {
		return c, err
	}
	err = mir.read(func() error {
		types, err := m.objectTypes(ctx, mir, sha)
		if err != nil {
			return err
		}
		if types[0] != "commit" {
			return ErrCommitNotFound
		}
		out, err := m.git(ctx, gitCmd{
			gitDir: mir.dir,
			args:   []string{"log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%an%x00%ae%x00%B", "--end-of-options", sha},
		}, maxCommit)
		if err != nil {
			return err
		}
		author, rest, _ := strings.Cut(strings.ToValidUTF8(string(out), "\uFFFD"), "\x00")
		email, message, _ := strings.Cut(rest, "\x00")
		c = Commit{Author: author, AuthorEmail: email, Message: strings.TrimSpace(message)}
		return nil
	})
	return c, err
}
