package source

import (
	"context"
	"fmt"
	"strings"
)

const maxChanged = 64 << 20 // bytes of paths

// Changed returns the paths in which the trees of two commits differ, sorted;
// a renamed file counts with both its names. ErrCommitNotFound means that the
// mirror has not got one of the commits.
func (m *Mirrors) Changed(ctx context.Context, key, base, head string) ([]string, error) {
	paths, err := m.changed(ctx, key, base, head)
	if err != nil {
		return nil, fmt.Errorf("compare %.12s with %.12s: %w", base, head, err)
	}
	return paths, nil
}

func (m *Mirrors) changed(ctx context.Context, key, base, head string) ([]string, error) {
	mir, err := m.mirror(key)
	if err != nil {
		return nil, err
	}
	for _, sha := range []string{base, head} {
		if err := checkSHA(sha); err != nil {
			return nil, err
		}
	}
	var out []byte
	err = mir.read(func() error {
		types, err := m.objectTypes(ctx, mir, base, head)
		if err != nil {
			return err
		}
		if types[0] != "commit" || types[1] != "commit" {
			return ErrCommitNotFound
		}
		out, err = m.git(ctx, gitCmd{
			gitDir: mir.dir,
			args:   []string{"diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--end-of-options", base, head},
		}, maxChanged)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}
