package logs

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// files are the files of a log at one moment.
type files struct {
	log, tail []byte
	rows      int // that were stored by then
}

// record writes source line by line and returns the files after each step, and
// the rows of the whole log.
func record(t *testing.T, o Options, fill int, source []Line) (history []files, whole []Line) {
	t.Helper()
	s := openStore(t, t.TempDir(), fill, o)
	w := create(t, s)
	keep := func() {
		log, tail := readFiles(t, s.dir)
		history = append(history, files{log, tail, len(collect(t, s, 1, -1))})
	}
	keep()
	for _, l := range source {
		appendLines(t, w, l)
		keep()
	}
	closeLog(t, w)
	keep()
	return history, collect(t, s, 1, -1)
}

// A resumption is what is alike in the many times that a log is resumed.
type resumption struct {
	options       Options
	fill          int
	source, whole []Line
	dir           string
	packer        *zstd.Encoder // these are dear to make
	unpacker      *zstd.Decoder
}

func newResumption(t *testing.T, o Options, fill int, source, whole []Line) *resumption {
	s := openStore(t, t.TempDir(), fill, o)
	return &resumption{o, fill, source, whole, s.dir, s.packer, s.unpacker}
}

// from opens files as a process finds them that starts after the death of
// another, checks that they have at least the rows kept, feeds the source again
// and checks that the log is as if nothing had happened.
func (r *resumption) from(t *testing.T, f files) {
	t.Helper()
	source, whole := r.source, r.whole
	writeFiles(t, r.dir, f.log, f.tail)
	s := openStore(t, r.dir, r.fill, r.options)
	s.packer, s.unpacker = r.packer, r.unpacker
	before := collect(t, s, 1, -1)
	w := create(t, s)
	defer abandon(t, w)
	diffLines(t, collect(t, s, 1, -1), before)
	if len(before) < f.rows {
		t.Fatalf("%d rows found, %d were stored", len(before), f.rows)
	}
	diffLines(t, before, whole[:len(before)])
	appendLines(t, w, unstored(w, source)...)
	diffLines(t, collect(t, s, 1, -1), whole)
	for st, want := range sourceLines(source) {
		if got := w.SourceLines(Stream(st)); got != want {
			t.Fatalf("%d source lines of stream %d, want %d", got, st, want)
		}
	}
}

func sourceLines(source []Line) (n [streams]int64) {
	for _, l := range source {
		if l.End {
			n[l.Stream]++
		}
	}
	return n
}

// TestDeathAtAnyByte cuts what each Append, each sealing and the closing write
// at every byte. What was stored before that call must be there.
func TestDeathAtAnyByte(t *testing.T) {
	for name, o := range map[string]Options{"whole": {}, "cut": {MaxStored: 300}} {
		t.Run(name, func(t *testing.T) {
			const fill = 160
			src := source()[:21]
			history, whole := record(t, o, fill, src)
			resume := newResumption(t, o, fill, src, whole)
			for i, now := range history[:len(history)-1] {
				for _, torn := range tornBetween(now, history[i+1]) {
					resume.from(t, torn)
				}
			}
		})
	}
}

// tornBetween returns what may be found in the files if the process dies while
// it goes from one state of them to the next.
func tornBetween(a, b files) (torn []files) {
	if len(b.log) > len(a.log) { // a chunk was sealed, or the index written, then the tail emptied
		for n := len(a.log); n <= len(b.log); n++ {
			torn = append(torn, files{b.log[:n], a.tail, a.rows})
		}
		for n := range len(b.tail) {
			torn = append(torn, files{b.log, b.tail[:n], a.rows})
		}
		return torn
	}
	// Records are added, but the counts of what is dropped are written over.
	for n := range b.tail {
		if n >= len(a.tail) {
			torn = append(torn, files{a.log, b.tail[:n], a.rows})
		} else if len(a.tail) == len(b.tail) {
			torn = append(torn, files{a.log, append(b.tail[:n:n], a.tail[n:]...), a.rows})
		}
	}
	return torn
}

// TestFilesCutAnywhere cuts both files at every byte, as a power cut may. The
// rows found must be a beginning of the log, and resuming must complete it.
func TestFilesCutAnywhere(t *testing.T) {
	const fill = 400
	src := source()[:21]
	history, whole := record(t, Options{}, fill, src)
	resume := newResumption(t, Options{}, fill, src, whole)
	last, done := history[len(history)-2], history[len(history)-1]
	for n := range last.log {
		resume.from(t, files{last.log[:n], last.tail, 0})
	}
	for n := range last.tail {
		resume.from(t, files{last.log, last.tail[:n], 0})
	}
	for n := range done.log {
		resume.from(t, files{done.log[:n], nil, 0})
	}
}

// TestFilesSpoiledAnywhere changes each byte of both files.
func TestFilesSpoiledAnywhere(t *testing.T) {
	const fill = 400
	src := source()[:21]
	history, whole := record(t, Options{}, fill, src)
	resume := newResumption(t, Options{}, fill, src, whole)
	last := history[len(history)-2]
	spoil := func(b []byte, i int) []byte {
		b = append([]byte(nil), b...)
		b[i] ^= 0x55
		return b
	}
	for i := range last.log {
		resume.from(t, files{spoil(last.log, i), last.tail, 0})
	}
	for i := range last.tail {
		resume.from(t, files{last.log, spoil(last.tail, i), 0})
	}
}

// TestReopenEverywhere closes, releases or abandons the log after each line.
func TestReopenEverywhere(t *testing.T) {
	for name, o := range map[string]Options{"whole": {}, "cut": {MaxStored: 300}} {
		for how, end := range map[string]func(testing.TB, *Writer){
			"close": closeLog, "abandon": abandon,
			"release": func(t testing.TB, w *Writer) {
				if err := w.Release(); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(fmt.Sprint(name, "/", how), func(t *testing.T) {
				src := source()
				_, whole := record(t, o, 250, src)
				dir := t.TempDir()
				for range src {
					w := create(t, openStore(t, dir, 250, o))
					if rest := unstored(w, src); len(rest) > 0 {
						n := fedAgain(w, rest)
						appendLines(t, w, rest[:min(n+1, len(rest))]...)
					}
					end(t, w)
				}
				s := openStore(t, dir, 250, o)
				diffLines(t, collect(t, s, 1, -1), whole)
				w := create(t, s)
				defer closeLog(t, w)
				if rest := unstored(w, src); len(rest) > 0 {
					t.Errorf("%d lines were not counted", len(rest))
				}
				info, err := s.Stat(key)
				if err != nil || info.Truncated != (o.MaxStored > 0) {
					t.Errorf("Stat = %+v, %v", info, err)
				}
			})
		}
	}
}

// fedAgain is how many lines at the beginning of a source are pieces that are
// stored already.
func fedAgain(w *Writer, source []Line) (n int) {
	skip := w.skip
	for n < len(source) && !source[n].End && skip[source[n].Stream] > 0 {
		skip[source[n].Stream]--
		n++
	}
	return n
}

func TestReadingASpoiledLogFails(t *testing.T) {
	src := source()
	history, _ := record(t, Options{}, 400, src)
	done := history[len(history)-1]
	done.log[headerSize+5] ^= 1
	dir := t.TempDir()
	writeFiles(t, dir, done.log, nil)
	s := openStore(t, dir, 400, Options{})
	if _, err := tryCollect(s, 1, -1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("reading a spoiled chunk: %v, want ErrCorrupt", err)
	}
	last := collect(t, s, int64(len(src)), 1)
	diffLines(t, last, number(src)[len(src)-1:])
}

// TestFullDisk makes writing fail, and then go on.
func TestFullDisk(t *testing.T) {
	s := openStore(t, t.TempDir(), 60, Options{})
	w := create(t, s)
	src := source()
	appendLines(t, w, src[:3]...)
	before := collect(t, s, 1, -1)

	good := w.tail
	unwritable, err := os.Open(w.path + tailSuffix)
	if err != nil {
		t.Fatal(err)
	}
	w.tail = unwritable
	if err := w.Append(src[3:]...); err == nil {
		t.Fatal("Append to a tail that cannot be written succeeded")
	}
	w.tail = good
	if err := unwritable.Close(); err != nil {
		t.Fatal(err)
	}
	diffLines(t, collect(t, s, 1, -1), before)

	appendLines(t, w, src[3:]...)
	closeLog(t, w)
	diffLines(t, collect(t, s, 1, -1), number(src))
}

// TestSealingFails: a log whose sealed file cannot be written loses nothing and
// is not finished by Close.
func TestSealingFails(t *testing.T) {
	s := openStore(t, t.TempDir(), 60, Options{})
	w := create(t, s)
	src := source()
	if err := os.Mkdir(w.path+logSuffix, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(src...); err == nil {
		t.Fatal("Append without a place for sealed chunks succeeded")
	}
	stored := collect(t, s, 1, -1)
	diffLines(t, stored, number(src)[:len(stored)])
	if err := w.Close(); err == nil {
		t.Fatal("Close without a place for sealed chunks succeeded")
	}
	if err := os.Remove(w.path + logSuffix); err != nil {
		t.Fatal(err)
	}
	if info, err := s.Stat(key); err != nil || info.Finished || info.Lines != int64(len(stored)) {
		t.Fatalf("Stat = %+v, %v; want %d rows, not finished", info, err, len(stored))
	}
	w = create(t, s)
	feed(t, w, src)
	closeLog(t, w)
	diffLines(t, collect(t, s, 1, -1), number(src))
}
