package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errTooLarge: an object has more bytes than the reader allows.
var errTooLarge = errors.New("too large")

// An object is what git cat-file gives.
type object struct {
	oid  string
	kind string // "commit", "tree", "blob", "tag"; "" if there is none
	data []byte
}

// An objectReader asks a running git for objects, one after another.
type objectReader struct {
	in  io.Writer
	out *bufio.Reader
}

// readObjects runs f with a reader of the mirror's objects, which is no longer
// valid when f returns.
func (m *Mirrors) readObjects(ctx context.Context, mir *mirror, f func(*objectReader) error) error {
	_, err := m.git(ctx, gitCmd{
		gitDir: mir.dir,
		args:   []string{"cat-file", "--batch"},
		converse: func(in io.Writer, out io.Reader) error {
			return f(&objectReader{in: in, out: bufio.NewReader(out)})
		},
	}, 0)
	return err
}

// get returns the object with that name, which has no line end in it. If it has
// more than limit bytes the error is errTooLarge and the reader is of no use any
// more.
func (r *objectReader) get(name string, limit int64) (object, error) {
	if _, err := io.WriteString(r.in, name+"\n"); err != nil {
		return object{}, err
	}
	header, err := r.out.ReadString('\n')
	if err != nil {
		return object{}, fmt.Errorf("read object header: %w", unexpected(err))
	}
	if strings.HasSuffix(header, " missing\n") {
		return object{}, nil
	}
	var o object
	var size int64
	if _, err := fmt.Sscanf(header, "%s %s %d\n", &o.oid, &o.kind, &size); err != nil {
		return object{}, fmt.Errorf("read object header %q: %w", header, err)
	}
	if size > limit {
		return o, errTooLarge
	}
	o.data = make([]byte, size+1) // and a newline
	if _, err := io.ReadFull(r.out, o.data); err != nil {
		return object{}, fmt.Errorf("read object: %w", unexpected(err))
	}
	o.data = o.data[:size]
	return o, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
