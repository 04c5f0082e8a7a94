package logs

import (
	"strings"
	"testing"
)

func TestResumeInMidLine(t *testing.T) {
	dir := t.TempDir()
	w := create(t, openStore(t, dir, 0, Options{}))
	appendLines(t, w, out("done"), piece("a"), piece("b"))
	abandon(t, w)

	s := openStore(t, dir, 0, Options{})
	w = create(t, s)
	if n := w.SourceLines(Stdout); n != 1 {
		t.Fatalf("%d source lines, want 1", n)
	}
	// An open line of what readers have seen already would show it twice.
	appendLines(t, w, openLineOf("a"))
	diffLines(t, collect(t, s, 1, -1), number([]Line{out("done"), piece("a"), piece("b")}))
	appendLines(t, w, piece("a"))
	appendLines(t, w, piece("b"), piece("c"), out("d"), out("next"), piece("e"))
	diffLines(t, collect(t, s, 1, -1),
		number([]Line{out("done"), piece("a"), piece("b"), piece("c"), out("d"), out("next"), piece("e")}))
	if n := w.SourceLines(Stdout); n != 3 {
		t.Errorf("%d source lines, want 3", n)
	}
	closeLog(t, w)
}

func TestResumeAWholeLog(t *testing.T) {
	dir := t.TempDir()
	src := source()
	w := create(t, openStore(t, dir, 200, Options{}))
	appendLines(t, w, src...)
	closeLog(t, w)
	for range 3 {
		s := openStore(t, dir, 200, Options{})
		w := create(t, s)
		feed(t, w, src)
		closeLog(t, w)
		diffLines(t, collect(t, s, 1, -1), number(src))
	}
}

func TestLogIsCut(t *testing.T) {
	dir, o := t.TempDir(), Options{MaxStored: 20}
	s := openStore(t, dir, 0, o)
	w := create(t, s)
	f := follow(t, s, 1, nil)
	notice := Line{N: 3, Stream: Slipway, Kind: Notice, Time: epoch, End: true,
		Text: []byte("log cut here: 20 B stored; the step goes on")}
	appendLines(t, w, out("123456789"), out("123456789"))
	f.wants(number([]Line{out("123456789"), out("123456789")})...)
	appendLines(t, w, openLineOf("half"))
	f.wants(openLineOf("half"))
	appendLines(t, w, out("over"), piece("dropped"))
	f.wants(notice)
	f.wants(Line{Stream: Stdout, Open: true}) // nothing replaces what was open
	want := append(number([]Line{out("123456789"), out("123456789")}), notice)
	check := func(lines int64) {
		t.Helper()
		if n := w.SourceLines(Stdout); n != lines || w.SourceLines(Slipway) != 0 {
			t.Fatalf("%d source lines, want %d", n, lines)
		}
		diffLines(t, collect(t, s, 1, -1), want)
		if info, err := s.Stat(key); err != nil || !info.Truncated || info.Lines != 3 {
			t.Fatalf("Stat = %+v, %v", info, err)
		}
	}
	check(3)
	for i := range int64(3) {
		abandon(t, w)
		s = openStore(t, dir, 0, o)
		w = create(t, s)
		check(3 + i)
		appendLines(t, w, piece("dropped"), out("dropped"), piece("dropped"))
		check(4 + i)
	}
	_, tail := readFiles(t, dir)
	for range 100 {
		appendLines(t, w, out("dropped"))
	}
	if _, now := readFiles(t, dir); len(now) != len(tail) {
		t.Errorf("tail grows from %d to %d bytes with what is dropped", len(tail), len(now))
	}
	check(106)
	closeLog(t, w)
	check(106)
	s = openStore(t, dir, 0, o)
	w = create(t, s)
	check(106)
	closeLog(t, w)
}

func TestCutSaysHowMuchIsStored(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{MaxStored: 1 << 20})
	w := create(t, s)
	defer closeLog(t, w)
	for range 9 {
		appendLines(t, w, out(strings.Repeat("x", 1<<17)))
	}
	lines := collect(t, s, 8, -1)
	if got := string(lines[0].Text); len(lines) != 1 || got != "log cut here: 1.0 MiB stored; the step goes on" {
		t.Errorf("%d rows, the first %.100q", len(lines), got)
	}
}

// TestCommandIsStoredWhole: a death leaves no part of a command, of which nobody
// would know that there is more.
func TestCommandIsStoredWhole(t *testing.T) {
	w := create(t, openStore(t, t.TempDir(), 100, Options{}))
	long := strings.Repeat("x", 60)
	lines := []Line{out(long), {Stream: Stdout, Kind: Command, Text: []byte(long), End: true}}
	for range 3 {
		lines = append(lines, Line{Stream: Slipway, Kind: More, Text: []byte(long), End: true})
	}
	lines = append(lines, out("output"))
	if n, err := w.appendSome(lines); err != nil || n != len(lines)-1 {
		t.Errorf("%d rows are stored at once (%v), want all but the last of %d", n, err, len(lines))
	}
	closeLog(t, w)
}
