package source

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

const (
	maxFile    = 1 << 20  // bytes of a file that FS gives out
	maxTree    = 16 << 20 // bytes of one directory's listing
	readAhead  = 32       // files read at once
	aheadBytes = 4 << 20  // and about as many bytes
)

// FS returns the tree of a commit that was fetched, for reading a few small
// files of it. It is good until ctx ends; nothing needs to be closed, since git
// runs only while something is read. It may be used concurrently.
//
// Symbolic links are listed as such; they are not followed, and opening one is
// an error that is fs.ErrInvalid, and so is opening a file of more than 1 MiB.
// Submodules are empty directories.
func (m *Mirrors) FS(ctx context.Context, key, sha string) (fs.FS, error) {
	t, err := m.tree(ctx, key, sha)
	if err != nil {
		return nil, fmt.Errorf("open tree of %.12s: %w", sha, err)
	}
	return t, nil
}

func (m *Mirrors) tree(ctx context.Context, key, sha string) (*tree, error) {
	mir, err := m.mirror(key)
	if err != nil {
		return nil, err
	}
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	t := &tree{
		ctx:   ctx,
		m:     m,
		mir:   mir,
		dirs:  make(map[string][]treeEntry),
		files: make(map[string][]byte),
	}
	return t, mir.read(func() error {
		return m.readObjects(ctx, mir, func(r *objectReader) error {
			commit, err := r.get(sha, maxCommit)
			if err != nil {
				return err
			}
			if commit.kind != "commit" {
				return ErrCommitNotFound
			}
			t.dirs["."], err = readTree(r, sha+"^{tree}")
			return err
		})
	})
}

// tree is a commit's tree as an fs.FS. What has been read is kept.
type tree struct {
	ctx context.Context // an fs.FS has no other way to be given one
	m   *Mirrors
	mir *mirror

	mu    sync.Mutex
	dirs  map[string][]treeEntry // by path; guarded by mu
	files map[string][]byte      // by object name; guarded by mu
}

// A treeEntry is one name in a git tree.
type treeEntry struct {
	name string
	mode fs.FileMode
	oid  string // empty for what has no object here: a submodule
}

// readTree reads and parses a tree object.
func readTree(r *objectReader, name string) ([]treeEntry, error) {
	o, err := r.get(name, maxTree)
	if err != nil {
		return nil, err
	}
	if o.kind != "tree" {
		return nil, fmt.Errorf("%w: tree %s", errMissing, name)
	}
	return parseTree(o.data, len(o.oid)/2)
}

// parseTree parses a tree object, whose entries are "<mode> <name>\0<hash>". It
// returns them sorted by name.
func parseTree(data []byte, hashLen int) ([]treeEntry, error) {
	var entries []treeEntry
	for len(data) > 0 {
		header, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, ok2 := bytes.Cut(header, []byte{' '})
		if !ok || !ok2 || len(rest) < hashLen {
			return nil, errors.New("malformed tree object")
		}
		e := treeEntry{name: string(name), oid: hex.EncodeToString(rest[:hashLen])}
		data = rest[hashLen:]
		switch string(mode) {
		case "40000":
			e.mode = fs.ModeDir | 0o777
		case "120000":
			e.mode = fs.ModeSymlink | 0o777
		case "160000":
			e.mode, e.oid = fs.ModeDir|0o777, ""
		case "100755":
			e.mode = 0o777
		default:
			e.mode = 0o666
		}
		if fs.ValidPath(e.name) && !strings.Contains(e.name, "/") && e.name != "." {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b treeEntry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// Open implements fs.FS.
func (t *tree) Open(name string) (fs.File, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

func (t *tree) open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "." {
		return t.openDir(name, treeEntry{name: ".", mode: fs.ModeDir | 0o777})
	}
	e, err := t.lookup(name)
	if err != nil {
		return nil, err
	}
	switch {
	case e.mode.IsDir():
		return t.openDir(name, e)
	case e.mode&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%w: it is a symbolic link", fs.ErrInvalid)
	}
	data, err := t.load(path.Dir(name), e)
	if err != nil {
		return nil, err
	}
	return &treeFile{info: treeInfo{treeEntry: e, size: int64(len(data))}, Reader: bytes.NewReader(data)}, nil
}

func (t *tree) openDir(name string, e treeEntry) (fs.File, error) {
	entries, err := t.list(name)
	if err != nil {
		return nil, err
	}
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = treeDirEntry{treeEntry: e, tree: t, path: path.Join(name, e.name)}
	}
	return &treeDir{info: treeInfo{treeEntry: e}, entries: list}, nil
}

// lookup finds what a path other than "." names. The caller has t.mu.
func (t *tree) lookup(name string) (treeEntry, error) {
	entries, err := t.list(path.Dir(name))
	if err != nil {
		return treeEntry{}, err
	}
	i, ok := slices.BinarySearchFunc(entries, path.Base(name), func(e treeEntry, n string) int { return strings.Compare(e.name, n) })
	if !ok {
		return treeEntry{}, fs.ErrNotExist
	}
	return entries[i], nil
}

// list returns the entries of a directory. The caller has t.mu.
func (t *tree) list(dir string) ([]treeEntry, error) {
	if entries, ok := t.dirs[dir]; ok {
		return entries, nil
	}
	e, err := t.lookup(dir)
	switch {
	case err != nil:
		return nil, err
	case !e.mode.IsDir():
		return nil, fs.ErrNotExist
	case e.oid == "":
		return nil, nil
	}
	var entries []treeEntry
	err = t.read(func(r *objectReader) error {
		var err error
		entries, err = readTree(r, e.oid)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.dirs[dir] = entries
	return entries, nil
}

// load returns the content of a regular file. Files of one directory and one
// extension are often read together, so that the next ones of them come with
// it: what costs is to start git. The caller has t.mu.
func (t *tree) load(dir string, e treeEntry) ([]byte, error) {
	if data, ok := t.files[e.oid]; ok {
		return data, nil
	}
	err := t.read(func(r *objectReader) error {
		budget := int64(aheadBytes)
		for _, e := range t.ahead(dir, e) {
			o, err := r.get(e.oid, min(maxFile, budget))
			if err == nil && o.kind != "blob" {
				err = fmt.Errorf("%w: blob %s", errMissing, e.oid)
			}
			if err != nil {
				return err
			}
			t.files[e.oid] = o.data
			budget -= int64(len(o.data))
		}
		return nil
	})
	if data, ok := t.files[e.oid]; ok {
		return data, nil // whatever came of those after it
	}
	if errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("%w: it has more than %d bytes", fs.ErrInvalid, maxFile)
	}
	return nil, err
}

// ahead returns e and files after it that are not loaded.
func (t *tree) ahead(dir string, e treeEntry) []treeEntry {
	files := []treeEntry{e}
	for _, next := range t.dirs[dir] {
		_, loaded := t.files[next.oid]
		if next.name > e.name && next.mode.IsRegular() && !loaded && path.Ext(next.name) == path.Ext(e.name) && len(files) < readAhead {
			files = append(files, next)
		}
	}
	return files
}

func (t *tree) read(f func(*objectReader) error) error {
	return t.mir.read(func() error { return t.m.readObjects(t.ctx, t.mir, f) })
}
