package logs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, 200, Options{})
	for _, k := range []string{"1/1/1", "1/1/2", "2/1/1"} {
		w, err := s.Create(k)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			appendLines(t, w, Line{Text: []byte("some line of a log, and then some more of it")})
		}
		if k == "2/1/1" {
			t.Cleanup(func() { closeLog(t, w) }) // it is being written
		} else {
			closeLog(t, w)
		}
	}
	want := func(damaged ...string) {
		t.Helper()
		got, err := Inspect(t.Context(), dir, 100)
		if err != nil || got.Logs != 3 || got.Read != 3 || got.Bytes == 0 || !slices.Equal(got.Damaged, damaged) {
			t.Errorf("got %+v, %v; want damaged %v", got, err, damaged)
		}
	}
	want()
	path := filepath.Join(dir, "1/1/2.log")
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{headerSize + 2, len(sound) - 2} { // in its rows, in its index
		b := slices.Clone(sound)
		b[at] ^= 0xff
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		want("1/1/2")
	}
	if got, err := Inspect(t.Context(), dir, 1); err != nil || got.Logs != 3 || got.Read != 1 {
		t.Errorf("of one: got %+v, %v", got, err)
	}
	if _, err := Inspect(t.Context(), filepath.Join(dir, "none"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no directory: %v", err)
	}
}
