package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// rootfs writes an image's files as a tar stream. What is written under a name
// first stays. The first error sticks; close returns it.
type rootfs struct {
	tar     *tar.Writer
	written map[string]bool
	now     time.Time
	dynamic []string // programs that need libraries
	err     error
}

func newRootfs(w io.Writer) *rootfs {
	return &rootfs{tar: tar.NewWriter(w), written: map[string]bool{}, now: time.Now()}
}

// header begins an entry and tells whether its content is to be written.
func (r *rootfs) header(h tar.Header) bool {
	h.Name = strings.TrimPrefix(filepath.ToSlash(h.Name), "/")
	if r.err != nil || r.written[h.Name] {
		return false
	}
	r.written[h.Name] = true
	h.ModTime = r.now // what is as old as the epoch would be thrown out of Go's cache
	r.err = r.tar.WriteHeader(&h)
	return r.err == nil
}

func (r *rootfs) dir(name string, mode int64) {
	r.header(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode})
}

func (r *rootfs) link(name, target string) {
	r.header(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

func (r *rootfs) text(name, content string) {
	if r.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}) {
		_, r.err = io.WriteString(r.tar, content)
	}
}

// file copies a file, or what a link leads to.
func (r *rootfs) file(name, from string) {
	f, err := os.Open(from)
	if err != nil {
		r.fail(err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		r.fail(err)
		return
	}
	if r.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size()}) {
		_, r.err = io.CopyN(r.tar, f, info.Size())
	}
}

// tree copies a file or a folder. Links to what stands beside them stay links;
// others are followed, because Debian's Go consists of links to other folders.
func (r *rootfs) tree(name, from string) {
	info, err := os.Stat(from)
	if err != nil {
		r.fail(err)
		return
	}
	if !info.IsDir() {
		r.file(name, from)
		return
	}
	r.dir(name, 0o755)
	entries, err := os.ReadDir(from)
	if err != nil {
		r.fail(err)
		return
	}
	for _, e := range entries {
		to, path := filepath.Join(name, e.Name()), filepath.Join(from, e.Name())
		if target, err := os.Readlink(path); err == nil && filepath.Base(target) == target {
			r.link(to, target)
			continue
		}
		r.tree(to, path)
	}
}

// program copies a program and remembers which libraries it needs.
func (r *rootfs) program(name, from string) {
	r.file(name, from)
	f, err := elf.Open(from)
	if err != nil {
		return // a script
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		r.dynamic = append(r.dynamic, from)
	}
}

// programs copies a folder of programs to the same path.
func (r *rootfs) programs(dir string) {
	entries, err := os.ReadDir(dir)
	r.fail(err)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.Type()&fs.ModeType == 0 {
			r.program(path, path)
		}
	}
	r.tree(dir, dir)
}

// libraries copies what the programs so far are linked with, to where they look
// for it.
func (r *rootfs) libraries(ctx context.Context) {
	if r.err != nil {
		return
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "ldd", r.dynamic...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.fail(fmt.Errorf("find libraries: %w: %s", err, &stderr))
		return
	}
	for line := range strings.Lines(string(out)) {
		// libc.so.6 => /lib/…/libc.so.6 (0x…), or /lib64/ld-linux….so.2 (0x…)
		for field := range strings.FieldsSeq(line) {
			if filepath.IsAbs(field) && !strings.HasSuffix(field, ":") {
				r.file(field, field)
			}
		}
	}
}

func (r *rootfs) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *rootfs) close() error {
	r.fail(r.tar.Close())
	return r.err
}
