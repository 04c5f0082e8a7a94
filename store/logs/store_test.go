package logs

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadBack(t *testing.T) {
	for _, fill := range []int{1, 100, 500, 0} {
		s := openStore(t, t.TempDir(), fill, Options{})
		w := create(t, s)
		src := source()
		appendLines(t, w, src[:10]...)
		diffLines(t, collect(t, s, 1, -1), number(src[:10]))
		appendLines(t, w, src[10:]...)
		check := func() {
			t.Helper()
			diffLines(t, collect(t, s, 1, -1), number(src))
			for from := int64(1); from <= int64(len(src)); from++ {
				diffLines(t, collect(t, s, from, 3), number(src)[from-1:min(int(from)+2, len(src))])
			}
		}
		check()
		closeLog(t, w)
		check()
		s = openStore(t, s.dir, fill, Options{})
		check()
	}
}

func TestReadOutsideTheRows(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	appendLines(t, w, out("a"), out("b"))
	for _, c := range []struct{ from, n, want int64 }{
		{-5, -1, 2}, {0, 1, 1}, {1, 0, 0}, {2, 1 << 62, 1}, {3, -1, 0}, {1 << 62, 1 << 62, 0},
	} {
		if got := collect(t, s, c.from, c.n); int64(len(got)) != c.want {
			t.Errorf("Read(%d, %d) gave %d rows, want %d", c.from, c.n, len(got), c.want)
		}
	}
}

func TestStat(t *testing.T) {
	s := openStore(t, t.TempDir(), 50, Options{})
	w := create(t, s)
	want := Info{Live: true}
	check := func() {
		t.Helper()
		if got, err := s.Stat(key); err != nil || got != want {
			t.Fatalf("Stat = %+v, %v; want %+v", got, err, want)
		}
	}
	check()
	for i := range 5 {
		l := out("hello")
		l.Time = epoch.Add(time.Duration(i) * time.Minute)
		appendLines(t, w, l)
	}
	want = Info{Live: true, Lines: 5, Bytes: 30, First: epoch, Last: epoch.Add(4 * time.Minute)}
	check()
	closeLog(t, w)
	want.Live, want.Finished = false, true
	check()
	s = openStore(t, s.dir, 50, Options{})
	check()
	w = create(t, s)
	want.Live, want.Finished = true, false
	check()
	if err := w.Release(); err != nil {
		t.Fatal(err)
	}
	want.Live = false
	check()
	s = openStore(t, s.dir, 50, Options{})
	check()
}

func TestKeys(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	for _, bad := range []string{"", "/", "1/", "/1", "1//2", "..", "1/../2", ".", "a.log", "a b", "a\\b", "é", "a\x00", strings.Repeat("a", 201)} {
		if w, err := s.Create(bad); err == nil {
			closeLog(t, w)
			t.Errorf("Create(%q) was accepted", bad)
		}
		if _, err := s.Stat(bad); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("Stat(%q) = %v, want a complaint about the key", bad, err)
		}
		if err := s.Remove(bad); err == nil {
			t.Errorf("Remove(%q) was accepted", bad)
		}
	}
	for _, good := range []string{"1", "1/2", "1/2/3", "A-z_0"} {
		w, err := s.Create(good)
		if err != nil {
			t.Fatal(err)
		}
		closeLog(t, w)
	}
}

func TestNotFound(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	_, statErr := s.Stat(key)
	_, readErr := tryCollect(s, 1, -1)
	_, textErr := s.Text(t.Context(), key)
	for _, err := range []error{statErr, readErr, textErr} {
		if !errors.Is(err, ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	}
}

func TestOneWriter(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	if _, err := s.Create(key); !errors.Is(err, ErrBusy) {
		t.Fatalf("second Create: %v, want ErrBusy", err)
	}
	closeLog(t, w)
	closeLog(t, w)
	if err := w.Append(out("late")); !errors.Is(err, ErrClosed) {
		t.Fatalf("Append after Close: %v, want ErrClosed", err)
	}
	closeLog(t, create(t, s))
}

func TestAppendRefuses(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	for name, bad := range map[string]Line{
		"stream": {Stream: 3}, "kind": {Kind: 4}, "open and end": {Open: true, End: true},
		"text": {Text: make([]byte, MaxText+1)},
	} {
		if err := w.Append(out("before"), bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := collect(t, s, 1, -1); len(got) != 0 {
		t.Errorf("%d rows stored of refused calls", len(got))
	}
}

func TestRemove(t *testing.T) {
	s := openStore(t, t.TempDir(), 20, Options{})
	writers := map[string]*Writer{}
	for _, k := range []string{"12/1/1", "12/1/2", "12", "123/1/1"} {
		w, err := s.Create(k)
		if err != nil {
			t.Fatal(err)
		}
		appendLines(t, w, out("some text that fills a chunk"), out("more"))
		writers[k] = w
	}
	for _, k := range []string{"12/1/1", "12", "123/1/1"} {
		closeLog(t, writers[k])
	}
	if err := s.Remove("12"); !errors.Is(err, ErrBusy) {
		t.Fatalf("Remove with a writer: %v, want ErrBusy", err)
	}
	closeLog(t, writers["12/1/2"])
	text, err := s.Text(t.Context(), "12/1/1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("12"); err != nil {
		t.Fatal(err)
	}
	for k := range writers {
		_, err := s.Stat(k)
		if gone := errors.Is(err, ErrNotFound); gone != under(k, "12") {
			t.Errorf("after Remove, Stat(%s): %v", k, err)
		}
	}
	s.chunks.removeFunc(func(chunkKey) bool { return true })
	if _, err := text.Read(make([]byte, 1)); !errors.Is(err, ErrNotFound) {
		t.Errorf("reading what was removed: %v, want ErrNotFound", err)
	}
	if err := s.Remove("12"); err != nil {
		t.Errorf("removing nothing: %v", err)
	}
}

func TestTimesAreKeptInMilliseconds(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	for _, at := range []time.Time{epoch.Add(999 * time.Microsecond), {}, time.Unix(-1, 0), epoch.In(time.FixedZone("x", 3600))} {
		l := out("x")
		l.Time = at
		appendLines(t, w, l)
	}
	want := []time.Time{epoch, {}, {}, epoch}
	for i, l := range collect(t, s, 1, -1) {
		if l.Time != want[i] {
			t.Errorf("row %d: time %v, want %v", l.N, l.Time, want[i])
		}
	}
}

func TestLongRows(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{CacheBytes: 1})
	w := create(t, s)
	var want []Line
	for i := range 4 {
		l := out(strings.Repeat(string(rune('a'+i)), MaxText-i))
		want = append(want, l, out("short"))
		appendLines(t, w, l, out("short"))
	}
	closeLog(t, w)
	s = openStore(t, s.dir, 0, Options{CacheBytes: 1})
	diffLines(t, collect(t, s, 1, -1), number(want))
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	w := create(t, openStore(t, dir, 1, Options{}))
	appendLines(t, w, source()...)
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		n++
		return err
	})
	if err != nil || n < 5 { // three directories, .log and .tail
		t.Errorf("%d files, %v", n, err)
	}
	closeLog(t, w)
}
