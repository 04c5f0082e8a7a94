package source

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// A checkout is a work tree with a .git of its own in a temporary directory.
type checkout struct {
	dir string
}

func (c checkout) remove() error { return os.RemoveAll(c.dir) }

// checkout makes a checkout of sha. It owns nothing in the mirror: the objects
// it needs are copied as one pack, while git writes the files with the mirror's.
// That is faster than a shallow clone of the mirror, which does the same one
// after the other and talks a protocol about it.
func (m *Mirrors) checkout(ctx context.Context, mir *mirror, sha string, o TarOptions) (c checkout, err error) {
	dir, err := os.MkdirTemp(m.tmp, "checkout-")
	if err != nil {
		return c, err
	}
	c = checkout{dir: dir}
	defer func() {
		if err != nil {
			_ = c.remove() // err says more
		}
	}()
	err = mir.read(func() error { return m.fill(ctx, mir, c, sha, o) })
	if err == nil && o.LFS {
		err = mir.read(func() error { return m.addLarge(mir, c) })
	}
	if err == nil && o.Submodules != nil {
		err = m.addSubmodules(ctx, mir.key, *o.Submodules, c, sha)
	}
	return c, err
}

func (m *Mirrors) fill(ctx context.Context, mir *mirror, c checkout, sha string, o TarOptions) error {
	h, err := m.history(ctx, mir, sha, o.Depth)
	if err != nil {
		return err
	}
	spec := gitDirSpec{sha256: len(sha) == 64, head: sha, origin: o.URL, branch: o.Branch, shallow: h.shallow, copied: true,
		partial: o.Partial && o.URL != ""}
	if o.Branch != "" {
		spec.head = "ref: refs/heads/" + o.Branch
		spec.refs = append(spec.refs, packedRef{name: "refs/heads/" + o.Branch, oid: sha})
		if o.URL != "" {
			spec.refs = append(spec.refs, packedRef{name: "refs/remotes/origin/" + o.Branch, oid: sha})
		}
	}
	if o.Tags {
		tags, err := m.tags(ctx, mir, sha, h)
		if err != nil {
			return err
		}
		spec.refs = append(spec.refs, tags...)
	}
	gitDir := filepath.Join(c.dir, ".git")
	if err := writeGitDir(gitDir, spec); err != nil {
		return fmt.Errorf("write .git: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.writePacks(ctx, mir, gitDir, sha, spec) })
	g.Go(func() error { return m.writeFiles(ctx, mir, c, sha) })
	return g.Wait()
}

// writePacks copies the objects of the history and the tags into the checkout.
func (m *Mirrors) writePacks(ctx context.Context, mir *mirror, gitDir, sha string, spec gitDirSpec) error {
	if !spec.partial {
		return m.writePack(ctx, mir, gitDir, sha, spec)
	}
	if err := m.writePartialPack(ctx, mir, gitDir, sha, spec); err != nil {
		return err
	}
	return m.writePack(ctx, mir, gitDir, sha, gitDirSpec{shallow: []string{sha}})
}

// revs is what pack-objects is told to pack.
func (s gitDirSpec) revs(sha string) string {
	var revs strings.Builder
	for _, c := range s.shallow {
		revs.WriteString("--shallow " + c + "\n")
	}
	revs.WriteString(sha + "\n")
	for _, r := range s.refs {
		revs.WriteString(r.oid + "\n")
	}
	return revs.String()
}

var packSettings = []setting{
	{"core.commitGraph", "false"}, // knows nothing of the boundary
	{"core.fsync", "none"},        // the checkout is of no use after a crash
}

func (m *Mirrors) writePack(ctx context.Context, mir *mirror, gitDir, sha string, spec gitDirSpec) error {
	_, err := m.git(ctx, gitCmd{
		gitDir:   mir.dir,
		settings: packSettings,
		// No search for deltas: those that the mirror has are used again.
		args:  []string{"pack-objects", "--quiet", "--revs", "--window=0", "--delta-base-offset", filepath.Join(gitDir, "objects", "pack", "pack")},
		stdin: strings.NewReader(spec.revs(sha)),
	}, maxStderr)
	return err
}

// writePartialPack is writePack without the contents of files. Only another git
// can keep what is packed so.
func (m *Mirrors) writePartialPack(ctx context.Context, mir *mirror, gitDir, sha string, spec gitDirSpec) error {
	_, err := m.git(ctx, gitCmd{
		gitDir:   mir.dir,
		settings: packSettings,
		args:     []string{"pack-objects", "--quiet", "--revs", "--window=0", "--delta-base-offset", "--filter=blob:none", "--stdout"},
		converse: func(in io.Writer, out io.Reader) error {
			if _, err := io.WriteString(in, spec.revs(sha)+"\n"); err != nil { // the empty line is the end
				return err
			}
			_, err := m.git(ctx, gitCmd{
				gitDir:   gitDir,
				settings: packSettings,
				args:     []string{"index-pack", "--stdin", "--promisor"},
				stdin:    out,
			}, maxStderr)
			return err
		},
	}, 0)
	return err
}

// writeFiles writes the work tree and the index. Attributes may name filters,
// but there is no configuration that would give them a command.
func (m *Mirrors) writeFiles(ctx context.Context, mir *mirror, c checkout, sha string) error {
	_, err := m.git(ctx, gitCmd{
		gitDir:   filepath.Join(c.dir, ".git"),
		workTree: c.dir,
		env:      []string{"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + quoteAlternate(filepath.Join(mir.dir, "objects"))},
		settings: []setting{
			{"core.fsync", "none"},
			{"checkout.workers", "0"}, // as many as there are cores, for large trees
		},
		args: []string{"read-tree", "--reset", "-u", sha},
	}, maxStderr)
	return err
}

// quoteAlternate quotes a path for a list that is separated by colons.
func quoteAlternate(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
