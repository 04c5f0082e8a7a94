package logs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestTextRendering(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	appendLines(t, w,
		Line{Stream: Slipway, Kind: Notice, Text: []byte("pulling"), End: true},
		Line{Stream: Stdout, Kind: Command, Text: []byte("for i in 1 2"), End: true},
		Line{Stream: Stdout, Kind: More, Text: []byte("do echo $i"), End: true},
		piece("one, "), piece("two, "), out("three"),
		piece("torn apart "), Line{Stream: Stderr, Text: []byte("warning"), End: true}, out("by a warning"),
		piece("no end"), Line{Stream: Stdout, Kind: Command, Text: []byte("next"), End: true},
		piece("at the very end"), openLineOf("not shown"),
	)
	closeLog(t, w)
	want := "pulling\n+ for i in 1 2\n> do echo $i\none, two, three\n" +
		"torn apart \nwarning\nby a warning\nno end\n+ next\nat the very end"
	if got := allText(t, s); got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}

func TestTextFromAnyByte(t *testing.T) {
	s := openStore(t, t.TempDir(), 150, Options{})
	w := create(t, s)
	appendLines(t, w, source()...)
	whole := allText(t, s)
	check := func() {
		t.Helper()
		text, err := s.Text(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for off := range len(whole) {
			b := make([]byte, 40)
			n, err := text.ReadAt(b, int64(off))
			want := whole[off:min(off+40, len(whole))]
			if string(b[:n]) != want || (err == io.EOF) != (n < 40) {
				t.Fatalf("ReadAt %d = %q, %v; want %q", off, b[:n], err, want)
			}
		}
		if err := iotest.TestReader(text, []byte(whole)); err != nil {
			t.Fatal(err)
		}
	}
	check()
	closeLog(t, w)
	check()
}

func TestTextServesRanges(t *testing.T) {
	s := openStore(t, t.TempDir(), 150, Options{})
	w := create(t, s)
	appendLines(t, w, source()...)
	closeLog(t, w)
	whole := allText(t, s)
	text, err := s.Text(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	req.Header.Set("Range", "bytes=300-499")
	http.ServeContent(rec, req, "log.txt", time.Time{}, text)
	if rec.Code != http.StatusPartialContent || rec.Body.String() != whole[300:500] {
		t.Errorf("range gave %d %q, want %q", rec.Code, rec.Body, whole[300:500])
	}
}

func TestTextIsOfItsMoment(t *testing.T) {
	s := openStore(t, t.TempDir(), 30, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	appendLines(t, w, out("one"))
	text, err := s.Text(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	appendLines(t, w, out("two"), out("three"), out("four"))
	if got, err := io.ReadAll(text); err != nil || string(got) != "one\n" {
		t.Errorf("text = %q, %v; want what there was", got, err)
	}
}

func TestTextStopsWithItsContext(t *testing.T) {
	s := openStore(t, t.TempDir(), 1, Options{})
	w := create(t, s)
	defer closeLog(t, w)
	appendLines(t, w, out("one"), out(strings.Repeat("x", 5000)))
	ctx, cancel := context.WithCancel(t.Context())
	text, err := s.Text(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(text); !errors.Is(err, context.Canceled) {
		t.Errorf("reading with a canceled context: %v", err)
	}
}
