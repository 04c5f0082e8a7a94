package source

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// TarOptions describe a checkout.
type TarOptions struct {
	// Prefix is the directory in the tar below which the tree stands,
	// "slipway/src"; empty means at the top. Its directories get entries too.
	Prefix string
	// URL is the repository's public address, the checkout's remote "origin".
	// Empty means no remote. It has no credential in it.
	URL string
	// Branch is the branch that HEAD is on, without refs/heads/. Empty means a
	// detached HEAD.
	Branch string
	// Depth is how many commits deep the history goes; 0 means 1, and a
	// negative one all of it.
	Depth int
	// Tags includes the tags of the commits that are in the history, as far as
	// a Fetch with FetchOptions.Tags has brought them.
	Tags bool
	// Submodules checks out the submodules too, one commit deep, as a Fetch with
	// the same FetchOptions.Submodules has brought them. nil: they are empty
	// directories.
	Submodules *Remote
	// Partial leaves out the contents of files that the commit itself has not
	// got. Git asks the remote for them when it needs them, so that it does
	// nothing without URL.
	Partial bool
	// LFS puts large files in the place of their pointers, as a Fetch with
	// FetchOptions.LFS has brought them. Without git-lfs, git takes them for
	// changed.
	LFS bool
}

// Tar returns a checkout of a commit that was fetched, as a tar stream with a
// .git of its own. When unpacked, `git status` is clean.
//
// Entries are owned by root; files have mode 0666, or 0777 if executable, and
// directories 0777, so that any user can work there. Symbolic links are not
// followed. The order is by name. Files that are marked export-ignore are there;
// line ends are converted as .gitattributes has it; filters are not run.
//
// What goes wrong before the first byte is returned, what goes wrong later comes
// from Read. The caller must Close, which waits until nothing is left behind;
// the end of ctx ends the stream too.
func (m *Mirrors) Tar(ctx context.Context, key, sha string, o TarOptions) (io.ReadCloser, error) {
	mir, err := m.checkTar(key, sha, &o)
	if err != nil {
		return nil, fmt.Errorf("check out %.12s: %w", sha, err)
	}
	c, err := m.checkout(ctx, mir, sha, o)
	if err != nil {
		return nil, fmt.Errorf("check out %.12s: %w", sha, err)
	}
	return m.stream(ctx, c, o.Prefix), nil
}

// checkTar validates what Tar is given and fills in what it leaves out.
func (m *Mirrors) checkTar(key, sha string, o *TarOptions) (*mirror, error) {
	mir, err := m.mirror(key)
	if err != nil {
		return nil, err
	}
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	if o.Branch != "" {
		if err := checkRef("refs/heads/" + o.Branch); err != nil {
			return nil, err
		}
	}
	if o.URL != "" {
		if _, err := checkURL(o.URL, true); err != nil {
			return nil, err
		}
	}
	if o.Depth == 0 {
		o.Depth = 1
	}
	o.Prefix, err = cleanPrefix(o.Prefix)
	return mir, err
}

// A tarStream is a checkout on its way out.
type tarStream struct {
	*io.PipeReader
	once func() error
}

// Close ends the stream and returns when the checkout is removed.
func (s *tarStream) Close() error { return s.once() }

// stream starts to write the checkout, which it removes at the end.
func (m *Mirrors) stream(ctx context.Context, c checkout, prefix string) io.ReadCloser {
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = pw.CloseWithError(context.Cause(ctx)) })
	removed := make(chan error, 1)
	go func() {
		err := writeTar(pw, c.dir, prefix, nil)
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if err != nil {
			err = fmt.Errorf("write tar: %w", err)
		}
		_ = pw.CloseWithError(err) // nil is the end of the stream
		removed <- c.remove()
	}()
	return &tarStream{PipeReader: pr, once: sync.OnceValue(func() error {
		_ = pr.Close()
		stop()
		if err := <-removed; err != nil {
			return fmt.Errorf("remove checkout: %w", err)
		}
		return nil
	})}
}

// writeTar writes the tree at dir below prefix, without what skip, if not nil,
// says yes to; it is asked with the path below dir.
func writeTar(w io.Writer, dir, prefix string, skip func(rel string, d fs.DirEntry) bool) error {
	buf := bufio.NewWriterSize(w, 256<<10) // a pipe hands over each write
	t := &tarWriter{Writer: tar.NewWriter(buf), now: time.Now().Truncate(time.Second)}
	if err := t.prefix(prefix); err != nil {
		return err
	}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if rel == "." {
			return nil
		}
		if skip != nil && skip(filepath.ToSlash(rel), d) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return t.add(file, path.Join(prefix, filepath.ToSlash(rel)), d)
	})
	if err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

type tarWriter struct {
	*tar.Writer
	now time.Time // of entries that stand for nothing on the disk
}

// prefix writes the directories above the tree.
func (t *tarWriter) prefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	dir := ""
	for part := range strings.SplitSeq(prefix, "/") {
		dir = path.Join(dir, part)
		if err := t.header(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o777, ModTime: t.now}); err != nil {
			return err
		}
	}
	return nil
}

// add writes one file, directory or symbolic link.
func (t *tarWriter) add(file, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	// Whole seconds, cut off as git cuts them when it compares.
	h := tar.Header{Name: name, ModTime: info.ModTime().Truncate(time.Second)}
	switch mode := info.Mode(); {
	case mode.IsDir():
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, name+"/", 0o777
	case mode&fs.ModeSymlink != 0:
		h.Typeflag, h.Mode = tar.TypeSymlink, 0o777
		if h.Linkname, err = os.Readlink(file); err != nil {
			return err
		}
	case mode.IsRegular():
		h.Typeflag, h.Mode, h.Size = tar.TypeReg, 0o666, info.Size()
		if mode&0o100 != 0 {
			h.Mode = 0o777
		}
		if err := t.header(h); err != nil {
			return err
		}
		return t.content(file)
	default:
		return errors.New("unexpected kind of file in a checkout: " + name)
	}
	return t.header(h)
}

// header writes a header in the one format that takes names of any bytes and
// any length.
func (t *tarWriter) header(h tar.Header) error {
	h.Format = tar.FormatGNU
	return t.WriteHeader(&h)
}

func (t *tarWriter) content(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(t, f)
	return err
}
