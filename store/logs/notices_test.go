package logs

import (
	"slices"
	"strconv"
	"testing"
)

// TestNotices: a reopened log tells what slipway said in it, in sealed chunks and
// in the one that is being filled.
func TestNotices(t *testing.T) {
	for _, fill := range []int{0, 50} {
		dir := t.TempDir()
		w := create(t, openStore(t, dir, fill, Options{}))
		var want []string
		for n := range 9 {
			text := "notice " + strconv.Itoa(n)
			appendLines(t, w, out("output"), Line{Stream: Slipway, Kind: More, Text: []byte("more of a command"), End: true},
				Line{Stream: Slipway, Kind: Notice, Text: []byte(text), End: true}, piece("half a line"))
			want = append(want, text)
		}
		abandon(t, w)
		w = create(t, openStore(t, dir, fill, Options{}))
		for first := range w.SourceLines(Slipway) + 1 {
			got, err := w.Notices(first)
			if want := want[first/2:]; err != nil || !slices.Equal(got, want) {
				t.Errorf("chunks of %d bytes: after %d lines: %q, %v; want %q", fill, first, got, err, want)
			}
		}
		closeLog(t, w)
	}
}

// TestNoticesOfACutLog: what the store itself says is nobody's line.
func TestNoticesOfACutLog(t *testing.T) {
	w := create(t, openStore(t, t.TempDir(), 0, Options{MaxStored: 10}))
	appendLines(t, w, Line{Stream: Slipway, Kind: Notice, Text: []byte("a"), End: true}, out("too much of it"))
	appendLines(t, w, Line{Stream: Slipway, Kind: Notice, Text: []byte("b"), End: true})
	if got, err := w.Notices(0); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, %v; want the one that is stored", got, err)
	}
	closeLog(t, w)
}
