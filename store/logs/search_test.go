package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contains matches rows that contain it.
type contains []byte

func (c contains) Match(text []byte) bool   { return bytes.Contains(text, c) }
func (c contains) Found(text []byte) string { return string(text) }

func find(t testing.TB, s *Store, text string, limit int) Found {
	t.Helper()
	f, err := s.Search(t.Context(), key, 1, limit, func() Matcher { return contains(text) })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// numbered is a log of so many rows, "line 1" and so on, in many chunks.
func numbered(t testing.TB, rows int) (*Store, *Writer) {
	t.Helper()
	s := openStore(t, t.TempDir(), 300, Options{})
	w := create(t, s)
	for i := range rows {
		appendLines(t, w, out(fmt.Sprintf("line %d", i+1)))
	}
	return s, w
}

func TestSearch(t *testing.T) {
	s, w := numbered(t, 1000)
	check := func(name string, s *Store) {
		t.Helper()
		f := find(t, s, "line 77", 10)
		want := []Hit{{77, "line 77"}}
		for i := range 9 {
			want = append(want, Hit{int64(770 + i), fmt.Sprintf("line %d", 770+i)})
		}
		if d := cmp.Diff(want, f.Hits); d != "" || f.Total != 11 || f.Searched != 1000 {
			t.Errorf("%s: %d hits in %d rows (-want +got):\n%s", name, f.Total, f.Searched, d)
		}
		if len(f.Spread) < 2 || f.Spread[0] != 77 || f.Spread[1] != 770 {
			t.Errorf("%s: spread %v", name, f.Spread)
		}
		if f = find(t, s, "line", 3); f.Total != 1000 || len(f.Hits) != 3 || f.Hits[2].N != 3 || len(f.Spread) < 30 {
			t.Errorf("%s: all rows: %+v", name, f)
		}
		if f = find(t, s, "none", 3); f.Total != 0 || f.Hits != nil || f.Spread != nil || f.Searched != 1000 {
			t.Errorf("%s: nothing: %+v", name, f)
		}
	}
	check("live", s)
	closeLog(t, w)
	check("finished", s)
	check("from the files", openStore(t, s.dir, 0, Options{}))
}

// The first hits are listed whichever chunk a goroutine is through with first.
func TestSearchListsTheFirst(t *testing.T) {
	s, w := numbered(t, 1000)
	closeLog(t, w)
	v, err := s.view(key)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	chunks := make([][]byte, len(v.frames)+1)
	if err := s.scan(t.Context(), v, 0, func() visitor {
		return func(n int, rows []byte) error {
			mu.Lock()
			defer mu.Unlock()
			chunks[n] = bytes.Clone(rows)
			return nil
		}
	}); err != nil {
		t.Fatal(err)
	}
	q := search{view: v, limit: 10, chunks: make([]chunkHits, len(chunks))}
	for n, rows := range slices.Backward(chunks) {
		if err := q.visit(n, rows, contains("line 77")); err != nil {
			t.Fatal(err)
		}
	}
	if f := q.found(); f.Total != 11 || len(f.Hits) != 10 || f.Hits[0].N != 77 || f.Hits[9].N != 778 {
		t.Errorf("%+v", f)
	}
}

// A search from a row on finds what one of the whole log finds there.
func TestSearchFromARow(t *testing.T) {
	s, w := numbered(t, 500)
	for _, from := range []int64{-1, 1, 2, 250, 499, 500, 501, 900} {
		f, err := s.Search(t.Context(), key, from, 2, func() Matcher { return contains("line") })
		if err != nil {
			t.Fatal(err)
		}
		first := max(from, 1)
		if left := max(0, 501-first); f.Total != left || f.Searched != left || left > 0 && f.Hits[0].N != first {
			t.Errorf("from %d: %d of %d rows, %v", from, f.Total, f.Searched, f.Hits)
		}
	}
	closeLog(t, w)
}

func TestSearchEndsWithItsContext(t *testing.T) {
	s, w := numbered(t, 1000)
	closeLog(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := s.Search(ctx, key, 1, 10, func() Matcher { return contains("line") })
	if !errors.Is(err, context.Canceled) || f.Searched == 1000 {
		t.Errorf("%d rows, error %v", f.Searched, err)
	}
}

func TestSearchFindsDamage(t *testing.T) {
	s, w := numbered(t, 1000)
	closeLog(t, w)
	log, tail := readFiles(t, s.dir)
	log[len(log)/4] ^= 1
	dir := t.TempDir()
	writeFiles(t, dir, log, tail)
	_, err := openStore(t, dir, 0, Options{}).Search(t.Context(), key, 1, 10, func() Matcher { return contains("x") })
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkSearch(b *testing.B) {
	s, size := benchLog(b, 500_000)
	b.SetBytes(size)
	for b.Loop() {
		if f := find(b, s, "no such text", 10); f.Searched != 500_000 {
			b.Fatalf("%+v", f)
		}
	}
}

// BenchmarkCommands reads a whole log for its commands.
func BenchmarkCommands(b *testing.B) {
	s, size := benchLog(b, 500_000)
	b.SetBytes(size)
	for b.Loop() {
		s.outlines.removeFunc(func(uint64) bool { return true })
		if _, err := s.Commands(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
