package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A follower runs Follow and hands over what it gives.
type follower struct {
	t      *testing.T
	cancel context.CancelFunc
	lines  chan Line
	err    error // valid once lines is closed
}

func follow(t *testing.T, s *Store, from int64, done <-chan struct{}) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, cancel: cancel, lines: make(chan Line)}
	go func() {
		defer close(f.lines)
		for batch, err := range s.Follow(ctx, key, from, done) {
			for _, l := range batch {
				f.lines <- l
			}
			f.err = err
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range f.lines {
		}
	})
	return f
}

// next returns the next line given; false after the last.
func (f *follower) next() (Line, bool) {
	f.t.Helper()
	select {
	case l, ok := <-f.lines:
		return l, ok
	case <-time.After(time.Minute):
		f.t.Fatal("nothing more comes")
		return Line{}, false
	}
}

func (f *follower) wants(lines ...Line) {
	f.t.Helper()
	for _, want := range lines {
		got, ok := f.next()
		if !ok {
			f.t.Fatalf("ended with %v, want %q", f.err, want.Text)
		}
		diffLines(f.t, []Line{got}, []Line{want})
	}
}

func (f *follower) wantsEnd(want error) {
	f.t.Helper()
	if l, ok := f.next(); ok {
		f.t.Fatalf("got %q, want the end", l.Text)
	}
	if !errors.Is(f.err, want) {
		f.t.Fatalf("ended with %v, want %v", f.err, want)
	}
}

func TestFollowFromAnyRow(t *testing.T) {
	s := openStore(t, t.TempDir(), 200, Options{})
	w := create(t, s)
	src, rows := source(), number(source())
	var all []*follower
	for from := range len(src) + 1 {
		all = append(all, follow(t, s, int64(from+1), nil))
	}
	for i, l := range src {
		appendLines(t, w, l)
		for from := range i + 1 {
			all[from].wants(rows[i])
		}
	}
	closeLog(t, w)
	for _, f := range all {
		f.wantsEnd(nil)
	}
	f := follow(t, s, 5, nil)
	f.wants(rows[4:]...)
	f.wantsEnd(nil)
}

func TestFollowWaitsForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, t.TempDir(), 0, Options{})
		f := follow(t, s, 1, nil)
		synctest.Wait() // it waits for the log to get a writer
		w := create(t, s)
		appendLines(t, w, out("first"))
		f.wants(number([]Line{out("first")})...)
		closeLog(t, w)
		f.wantsEnd(nil)
	})
}

func TestFollowEndsWhenTheStepDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, t.TempDir(), 0, Options{})
		done := make(chan struct{})
		f := follow(t, s, 1, done)
		synctest.Wait() // it waits for the log to get a writer
		close(done)
		f.wantsEnd(nil)
		if len(s.arrivals) != 0 {
			t.Error("the follower is still waited for")
		}

		w := create(t, s)
		appendLines(t, w, out("all there is"))
		f = follow(t, s, 1, done)
		f.wants(number([]Line{out("all there is")})...)
		f.wantsEnd(nil)
		closeLog(t, w)
	})
}

func TestFollowEndsWithItsContext(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	f := follow(t, s, 1, nil)
	f.cancel()
	f.wantsEnd(context.Canceled)

	w := create(t, s)
	defer closeLog(t, w)
	f = follow(t, s, 1, nil)
	appendLines(t, w, out("one"))
	f.wants(number([]Line{out("one")})...)
	f.cancel()
	f.wantsEnd(context.Canceled)
}

func TestFollowGoesOnWhenALogIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir, 50, Options{})
		src, rows := source(), number(source())
		w := create(t, s)
		f := follow(t, s, 1, nil)
		appendLines(t, w, src[:9]...)
		f.wants(rows[:9]...)
		if err := w.Release(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it waits for the log to get a writer
		w = create(t, s)
		feed(t, w, src)
		f.wants(rows[9:]...)
		closeLog(t, w)
		f.wantsEnd(nil)
	})
}

// TestFollowAcrossManyWriters lets writers come and go beside a follower, which
// must hear of each, whenever it looks.
func TestFollowAcrossManyWriters(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	f := follow(t, s, 1, nil)
	for n := range 300 {
		w := create(t, s)
		appendLines(t, w, out("x"))
		l := out("x")
		l.N = int64(n + 1)
		f.wants(l)
		if err := w.Release(); err != nil {
			t.Fatal(err)
		}
	}
	closeLog(t, create(t, s))
	f.wantsEnd(nil)
}

// TestFollowALogWithoutWriter: what a dead process left is shown at once, and
// is not the end.
func TestFollowALogWithoutWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := create(t, openStore(t, dir, 0, Options{}))
		appendLines(t, w, out("left"))
		abandon(t, w)
		s := openStore(t, dir, 0, Options{})
		f := follow(t, s, 1, nil)
		f.wants(number([]Line{out("left")})...)
		synctest.Wait() // it waits for the log to get a writer
		w = create(t, s)
		appendLines(t, w, out("more"))
		f.wants(number([]Line{out("left"), out("more")})[1])
		closeLog(t, w)
		f.wantsEnd(nil)
	})
}

func TestOpenLines(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	f := follow(t, s, 1, nil)
	appendLines(t, w, out("one"))
	f.wants(number([]Line{out("one")})...)
	appendLines(t, w, openLineOf("10%"))
	f.wants(openLineOf("10%"))
	appendLines(t, w, openLineOf("20%"))
	f.wants(openLineOf("20%"))
	diffLines(t, collect(t, s, 1, -1), append(number([]Line{out("one")}), openLineOf("20%")))
	diffLines(t, collect(t, s, 1, 1), number([]Line{out("one")}))
	diffLines(t, collect(t, s, 2, 1), []Line{openLineOf("20%")})
	diffLines(t, collect(t, s, 3, 1), nil)

	stderr := Line{Stream: Stderr, Time: epoch, Text: []byte("other"), End: true}
	appendLines(t, w, stderr)
	f.wants(number([]Line{{}, stderr})[1])
	appendLines(t, w, out("100%"))
	f.wants(number([]Line{{}, {}, out("100%")})[2])
	diffLines(t, collect(t, s, 1, -1), number([]Line{out("one"), stderr, out("100%")}))
	if n := w.SourceLines(Stdout); n != 2 {
		t.Errorf("%d source lines, want 2: an open line is none", n)
	}

	appendLines(t, w, openLineOf("never ends"))
	f.wants(openLineOf("never ends"))
	closeLog(t, w)
	f.wantsEnd(nil)
	diffLines(t, collect(t, s, 1, -1), number([]Line{out("one"), stderr, out("100%")}))
}

func TestOpenLineTextIsCopied(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	open, whole := openLineOf("open"), out("whole")
	appendLines(t, w, whole, open)
	copy(open.Text, "XXXX")
	copy(whole.Text, "XXXXX")
	diffLines(t, collect(t, s, 1, -1), append(number([]Line{out("whole")}), openLineOf("open")))
}

// TestReadersBesideAWriter lets readers of all kinds run beside a fast writer.
func TestReadersBesideAWriter(t *testing.T) {
	const rows = 8000
	s := openStore(t, t.TempDir(), 4000, Options{CacheBytes: 10000})
	w := create(t, s)
	text := func(n int64) string { return fmt.Sprintf("line %d %s", n, strings.Repeat("=", int(n%50))) }
	var readers sync.WaitGroup
	for i := range 8 {
		from := int64(i*900 + 1)
		readers.Go(func() {
			next := from
			for batch, err := range s.Follow(t.Context(), key, from, nil) {
				if err != nil {
					t.Error(err)
				}
				for _, l := range batch {
					if !l.Open && (l.N != next || string(l.Text) != text(l.N)) {
						t.Errorf("row %d %q, want %d", l.N, l.Text, next)
						return
					}
					if !l.Open {
						next++
					}
				}
			}
			if next != rows+1 {
				t.Errorf("follower from %d ended before row %d", from, next)
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for finished := false; !finished; {
				info, err := s.Stat(key)
				if err != nil {
					t.Error(err)
					return
				}
				finished = info.Finished
				if info.Lines == 0 {
					continue
				}
				lines, err := tryCollect(s, info.Lines, 1)
				if err != nil || len(lines) != 1 || string(lines[0].Text) != text(info.Lines) {
					t.Errorf("row %d: %+v, %v", info.Lines, lines, err)
					return
				}
			}
		})
	}
	for n := int64(1); n <= rows; n++ {
		appendLines(t, w, openLineOf("half"), out(text(n)))
	}
	closeLog(t, w)
	readers.Wait()
}
