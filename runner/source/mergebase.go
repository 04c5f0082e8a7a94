package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// MergeBase returns the best common ancestor of two commits that were fetched;
// "" if they have no history in common. ErrCommitNotFound means that the mirror
// has not got one of them.
func (m *Mirrors) MergeBase(ctx context.Context, key, a, b string) (string, error) {
	base, err := m.mergeBase(ctx, key, a, b)
	if err != nil {
		return "", fmt.Errorf("find where %.12s and %.12s part: %w", a, b, err)
	}
	return base, nil
}

func (m *Mirrors) mergeBase(ctx context.Context, key, a, b string) (base string, err error) {
	mir, err := m.mirror(key)
	if err != nil {
		return "", err
	}
	for _, sha := range []string{a, b} {
		if err := checkSHA(sha); err != nil {
			return "", err
		}
	}
	err = mir.read(func() error {
		types, err := m.objectTypes(ctx, mir, a, b)
		if err != nil {
			return err
		}
		if types[0] != "commit" || types[1] != "commit" {
			return ErrCommitNotFound
		}
		out, err := m.git(ctx, gitCmd{gitDir: mir.dir, args: []string{"merge-base", a, b}}, maxStderr)
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 && !isCorrupt(err) {
			return nil
		}
		base = string(bytes.TrimSpace(out))
		return err
	})
	return base, err
}
