package source

import (
	"bytes"
	"io"
	"io/fs"
	"time"
)

// treeInfo is the fs.FileInfo of an entry. Git keeps no times.
type treeInfo struct {
	treeEntry
	size int64
}

// Name implements fs.FileInfo.
func (i treeInfo) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i treeInfo) Size() int64 { return i.size }

// Mode implements fs.FileInfo.
func (i treeInfo) Mode() fs.FileMode { return i.mode }

// ModTime implements fs.FileInfo.
func (i treeInfo) ModTime() time.Time { return time.Time{} }

// IsDir implements fs.FileInfo.
func (i treeInfo) IsDir() bool { return i.mode.IsDir() }

// Sys implements fs.FileInfo.
func (i treeInfo) Sys() any { return nil }

// treeFile is an open regular file.
type treeFile struct {
	info treeInfo
	*bytes.Reader
}

// Stat implements fs.File.
func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *treeFile) Close() error { return nil }

// treeDir is an open directory.
type treeDir struct {
	info    treeInfo
	entries []fs.DirEntry // not yet read
}

// Stat implements fs.ReadDirFile.
func (d *treeDir) Stat() (fs.FileInfo, error) { return d.info, nil }

// Close implements fs.ReadDirFile.
func (d *treeDir) Close() error { return nil }

// Read implements fs.ReadDirFile: a directory has no bytes.
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.entries) {
		if n > 0 && len(d.entries) == 0 {
			return nil, io.EOF
		}
		n = len(d.entries)
	}
	list := d.entries[:n:n]
	d.entries = d.entries[n:]
	return list, nil
}

// treeDirEntry is an entry of a directory. The size of a file is not known
// before it is read.
type treeDirEntry struct {
	treeEntry
	tree *tree
	path string
}

// Name implements fs.DirEntry.
func (e treeDirEntry) Name() string { return e.name }

// IsDir implements fs.DirEntry.
func (e treeDirEntry) IsDir() bool { return e.mode.IsDir() }

// Type implements fs.DirEntry.
func (e treeDirEntry) Type() fs.FileMode { return e.mode.Type() }

// Info implements fs.DirEntry.
func (e treeDirEntry) Info() (fs.FileInfo, error) {
	if !e.mode.IsRegular() {
		return treeInfo{treeEntry: e.treeEntry}, nil
	}
	return fs.Stat(e.tree, e.path)
}
