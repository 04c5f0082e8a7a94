package logs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const key = "12/3/4"

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// openStore returns a store whose chunks are sealed at fill bytes (0: as in
// production).
func openStore(t testing.TB, dir string, fill int, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if fill > 0 {
		s.fill = fill
	}
	return s
}

func create(t testing.TB, s *Store) *Writer {
	t.Helper()
	w, err := s.Create(key)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func appendLines(t testing.TB, w *Writer, lines ...Line) {
	t.Helper()
	if err := w.Append(lines...); err != nil {
		t.Fatal(err)
	}
}

func closeLog(t testing.TB, w *Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// abandon lets go of a writer as the death of the process does.
func abandon(t testing.TB, w *Writer) {
	t.Helper()
	if err := w.tail.Close(); err != nil {
		t.Fatal(err)
	}
}

// collect reads rows and copies them out of their batches.
func collect(t testing.TB, s *Store, from, n int64) []Line {
	t.Helper()
	lines, err := tryCollect(s, from, n)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func tryCollect(s *Store, from, n int64) (lines []Line, err error) {
	for batch, err := range s.Read(context.Background(), key, from, n) {
		if err != nil {
			return lines, err
		}
		lines = append(lines, batch...)
	}
	return lines, nil
}

func allText(t testing.TB, s *Store) string {
	t.Helper()
	text, err := s.Text(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(text); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != text.Size() {
		t.Fatalf("text has %d bytes, Size says %d", b.Len(), text.Size())
	}
	return b.String()
}

func out(text string) Line {
	return Line{Stream: Stdout, Time: epoch, Text: []byte(text), End: true}
}

func piece(text string) Line {
	return Line{Stream: Stdout, Time: epoch, Text: []byte(text)}
}

func openLineOf(text string) Line {
	return Line{Stream: Stdout, Time: epoch, Text: []byte(text), Open: true}
}

// source is what a container wrote: commands, both streams mixed, long lines in
// pieces.
func source() []Line {
	var lines []Line
	for i := range 8 {
		at := epoch.Add(time.Duration(i) * time.Second)
		lines = append(lines,
			Line{Stream: Stdout, Kind: Command, Time: at, Text: fmt.Appendf(nil, "make %d", i), End: true, Exit: i - 1},
			Line{Stream: Stdout, Kind: More, Time: at, Text: []byte("  all"), End: true},
			Line{Stream: Stdout, Time: at, Text: fmt.Appendf(nil, "out %d, ", i)},
			Line{Stream: Stderr, Time: at, Text: fmt.Appendf(nil, "err %d", i), End: true},
			Line{Stream: Stdout, Time: at, Text: []byte("second piece, ")},
			Line{Stream: Stdout, Time: at, Text: []byte(strings.Repeat("x", 7*i)), End: true},
			Line{Stream: Stderr, Time: at, Text: []byte("begun ")},
			Line{Stream: Stderr, Time: at, End: true},
		)
	}
	return lines
}

// feed appends a source from its beginning as the runner does: complete lines
// that are stored are left out.
func feed(t testing.TB, w *Writer, source []Line) {
	t.Helper()
	for _, l := range unstored(w, source) {
		appendLines(t, w, l)
	}
}

func unstored(w *Writer, source []Line) []Line {
	var left [streams]int64
	for st := range left {
		left[st] = w.SourceLines(Stream(st))
	}
	var rest []Line
	for _, l := range source {
		if left[l.Stream] == 0 {
			rest = append(rest, l)
		} else if l.End {
			left[l.Stream]--
		}
	}
	return rest
}

// number sets the numbers that readers set.
func number(lines []Line) []Line {
	lines = append([]Line(nil), lines...)
	for i := range lines {
		lines[i].N = int64(i + 1)
	}
	return lines
}

func diffLines(t testing.TB, got, want []Line) {
	t.Helper()
	same := slices.EqualFunc(got, want, func(a, b Line) bool {
		return a.N == b.N && a.Stream == b.Stream && a.Kind == b.Kind && a.Time.Equal(b.Time) &&
			bytes.Equal(a.Text, b.Text) && a.End == b.End && a.Open == b.Open && a.Exit == b.Exit
	})
	if !same { // cmp tells what, but is too slow to ask each time
		d := cmp.Diff(want, got, cmpopts.EquateEmpty())
		t.Fatalf("lines differ (-want +got):\n%s", d)
	}
}

func readFiles(t testing.TB, dir string) (log, tail []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(key))
	return readIfAny(t, path+logSuffix), readIfAny(t, path+tailSuffix)
}

func readIfAny(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return b
}

// writeFiles makes a store's directory with the files of one log.
func writeFiles(t testing.TB, dir string, log, tail []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for suffix, b := range map[string][]byte{logSuffix: log, tailSuffix: tail} {
		if err := os.WriteFile(path+suffix, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
