package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Large files (LFS) are in the tree as pointers. Fetch brings their contents into
// the mirror, below lfs/, and Tar puts them in place of the pointers. It is done
// here and not by git-lfs, which takes the address to ask from the repository's
// files: it would be another program to hold down.

const (
	maxPointer    = 1024    // bytes of a pointer, as the format has it
	maxLargeFiles = 100_000 // of a commit
)

// A pointer stands for a large file.
type pointer struct {
	oid  string // SHA-256 in hex
	size int64
}

var pointerPattern = regexp.MustCompile(`\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n\z`)

// parsePointer returns what the content of a file stands for.
func parsePointer(content []byte) (pointer, bool) {
	m := pointerPattern.FindSubmatch(content)
	if m == nil {
		return pointer{}, false
	}
	size, err := strconv.ParseInt(string(m[2]), 10, 64)
	return pointer{oid: string(m[1]), size: size}, err == nil
}

// lfsPath is where the mirror keeps a large file.
func (mir *mirror) lfsPath(oid string) string {
	return filepath.Join(mir.dir, "lfs", oid[:2], oid[2:4], oid)
}

// fetchLarge makes the large files of a commit present in its mirror.
func (m *Mirrors) fetchLarge(ctx context.Context, key string, remote Remote, sha string) error {
	mir, err := m.mirror(key)
	if err != nil {
		return err
	}
	done, err := mir.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	var missing []pointer
	err = mir.read(func() (err error) {
		missing, err = m.missingLarge(ctx, mir, sha)
		return err
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	c := lfsClient{remote: remote, mir: mir}
	return c.download(ctx, missing)
}

// missingLarge returns the pointers of a commit whose files the mirror has not got.
func (m *Mirrors) missingLarge(ctx context.Context, mir *mirror, sha string) ([]pointer, error) {
	small, err := m.smallBlobs(ctx, mir, sha)
	if err != nil || len(small) == 0 {
		return nil, err
	}
	var missing []pointer
	seen := map[string]bool{}
	err = m.readObjects(ctx, mir, func(r *objectReader) error {
		for _, oid := range small {
			o, err := r.get(oid, maxPointer)
			if err != nil {
				return err
			}
			p, ok := parsePointer(o.data)
			if !ok || seen[p.oid] {
				continue
			}
			seen[p.oid] = true
			if len(seen) > maxLargeFiles {
				return invalid("large files: there are more than %d", maxLargeFiles)
			}
			if info, err := os.Stat(mir.lfsPath(p.oid)); err != nil || info.Size() != p.size {
				missing = append(missing, p)
			}
		}
		return nil
	})
	return missing, err
}

// smallBlobs returns the files of a commit that are of a pointer's size.
func (m *Mirrors) smallBlobs(ctx context.Context, mir *mirror, sha string) ([]string, error) {
	out, err := m.git(ctx, gitCmd{gitDir: mir.dir, args: []string{"ls-tree", "-r", "-l", "-z", "--full-tree", sha}}, maxTreeList)
	if err != nil {
		return nil, err
	}
	var oids []string
	for entry := range strings.SplitSeq(string(out), "\x00") {
		meta, _, _ := strings.Cut(entry, "\t")
		f := strings.Fields(meta) // mode, type, name, size
		if len(f) != 4 || f[1] != "blob" || !strings.HasPrefix(f[0], "100") {
			continue
		}
		if size, err := strconv.Atoi(f[3]); err == nil && size > 100 && size <= maxPointer {
			oids = append(oids, f[2])
		}
	}
	return oids, nil
}

// addLarge puts the large files of a checkout in place of their pointers.
func (m *Mirrors) addLarge(mir *mirror, c checkout) error {
	root, err := os.OpenRoot(c.dir) // nothing that the tree has leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxPointer {
			return err
		}
		content, err := root.ReadFile(file)
		if err != nil {
			return err
		}
		if p, ok := parsePointer(content); ok {
			return mir.placeLarge(p, root, file)
		}
		return nil
	})
}

// placeLarge writes a large file over its pointer, whose mode it keeps.
func (mir *mirror) placeLarge(p pointer, root *os.Root, file string) error {
	from, err := os.Open(mir.lfsPath(p.oid))
	if err != nil {
		return fmt.Errorf("large file %.12s: %w", p.oid, ErrCommitNotFound)
	}
	defer from.Close()
	to, err := root.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if cerr := to.Close(); err == nil {
		err = cerr
	}
	return err
}

// keepLarge stores what a large file's content is read from, which must be what
// the pointer says. It appears whole or not at all.
func (mir *mirror) keepLarge(p pointer, content io.Reader) error {
	dst := mir.lfsPath(p.oid)
	if err := os.MkdirAll(filepath.Dir(dst), 0o777); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(dst), "tmp_")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(tmp, sum), io.LimitReader(content, p.size+1))
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	want, _ := hex.DecodeString(p.oid) // the pattern has it in hex
	switch {
	case err != nil:
		return err
	case n != p.size || !bytes.Equal(sum.Sum(nil), want):
		return fmt.Errorf("large file %.12s: what was sent is not the file", p.oid)
	}
	return os.Rename(tmp.Name(), dst)
}
