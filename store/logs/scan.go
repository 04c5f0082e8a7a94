package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
)

// scan visits the encoded rows of the chunks from that number on, each once, by
// several goroutines at a time. Chunks are begun in their order, and end in any.
// newVisitor is called for each goroutine. A scan does not go through the cache,
// which it would sweep out.
func (s *Store) scan(ctx context.Context, v *view, from int, newVisitor func() visitor) error {
	if from > len(v.frames) {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var file *os.File
	if from < len(v.frames) {
		var err error
		if file, err = os.Open(v.path + logSuffix); errors.Is(err, fs.ErrNotExist) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		defer file.Close()
	}
	var mu sync.Mutex // guards next
	next := from
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if next > len(v.frames) || ctx.Err() != nil {
			return -1
		}
		next++
		return next - 1
	}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(v.frames)-from+1) {
		workers.Go(func() {
			w := scanner{s: s, v: v, file: file}
			visit := newVisitor()
			for n := take(); n >= 0; n = take() {
				rows, err := w.rows(n)
				if err == nil {
					err = visit(n, rows)
				}
				if err != nil {
					cancel(fmt.Errorf("scan chunk %d of log: %w", n, err))
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// A visitor is given the encoded rows of a chunk, which it must not keep.
type visitor func(chunk int, rows []byte) error

// A scanner reads chunks one after the other into the same memory.
type scanner struct {
	s           *Store
	v           *view
	file        *os.File
	packed, buf []byte
}

func (sc *scanner) rows(n int) ([]byte, error) {
	if n == len(sc.v.frames) {
		return sc.v.rows, nil
	}
	if rows, ok := sc.s.chunks.get(chunkKey{sc.v.id, n}); ok {
		return rows, nil
	}
	var err error
	sc.packed, sc.buf, err = sc.s.unpack(sc.file, &sc.v.frames[n], sc.packed, sc.buf)
	return sc.buf, err
}
