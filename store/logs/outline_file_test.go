package logs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// commandsLog writes a log of many chunks with a command here and there, and
// returns its file and its commands.
func commandsLog(t *testing.T, lines int) (log []byte, commands []CommandSpan) {
	t.Helper()
	s := openStore(t, t.TempDir(), 300, Options{})
	w := create(t, s)
	for i := range lines {
		l := out(fmt.Sprintf("line %d", i))
		if i%50 == 10 {
			l.Kind = Command
		}
		appendLines(t, w, l)
	}
	closeLog(t, w)
	log, _ = readFiles(t, s.dir)
	return log, commandsOf(t, s)
}

func commandsOf(t *testing.T, s *Store) []CommandSpan {
	t.Helper()
	commands, err := s.Commands(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return commands
}

// withLog returns a store that has this file only.
func withLog(t *testing.T, log []byte) *Store {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, log, nil)
	return openStore(t, dir, 300, Options{})
}

// outlineOf returns where the outline of a finished log is in its file.
func outlineOf(t *testing.T, log []byte) (start, end int) {
	t.Helper()
	v, err := withLog(t, log).view(key)
	if err != nil {
		t.Fatal(err)
	}
	start = int(framesEnd(v.frames))
	return start, start + int(v.outline)
}

// The commands of a finished log are known without reading its frames.
func TestCommandsOfAFinishedLogAreStored(t *testing.T) {
	log, want := commandsLog(t, 1000)
	if len(want) != 20 {
		t.Fatalf("%d commands", len(want))
	}
	start, _ := outlineOf(t, log)
	damaged := slices.Clone(log)
	damaged[start-1] ^= 1 // of the last frame
	if d := cmp.Diff(want, commandsOf(t, withLog(t, damaged))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Without an outline, or with one that is damaged, the frames tell.
func TestCommandsWithoutOutline(t *testing.T) {
	log, want := commandsLog(t, 1000)
	start, end := outlineOf(t, log)
	for i := range end - start {
		damaged := slices.Clone(log)
		damaged[start+i] ^= 0x10
		if d := cmp.Diff(want, commandsOf(t, withLog(t, damaged))); d != "" {
			t.Fatalf("byte %d damaged (-want +got):\n%s", i, d)
		}
	}
	if d := cmp.Diff(want, commandsOf(t, withLog(t, slices.Delete(slices.Clone(log), start, end)))); d != "" {
		t.Errorf("none (-want +got):\n%s", d)
	}
}

// A log that is opened again has the outline of all of it in the end.
func TestOutlineOfALogThatIsOpenedAgain(t *testing.T) {
	log, first := commandsLog(t, 1000)
	s := withLog(t, log)
	w := create(t, s)
	again := out("again")
	again.Kind, again.Exit = Command, 3
	appendLines(t, w, again, out("more"))
	closeLog(t, w)
	log, _ = readFiles(t, s.dir)
	start, _ := outlineOf(t, log)
	log[start-1] ^= 1
	got := commandsOf(t, withLog(t, log))
	if n := len(first); len(got) != n+1 || got[n-1].Exit != 3 || got[n].First != 1001 || got[n].Last != 1002 {
		t.Errorf("%d commands, want one more than %d; the last ones %+v", len(got), len(first), got[max(0, len(got)-2):])
	}
}

// What a writer seals is not read again to know its commands.
func TestCommandsOfALiveLogAreKept(t *testing.T) {
	s := openStore(t, t.TempDir(), 300, Options{})
	w := create(t, s)
	for i := range 200 {
		l := out(fmt.Sprintf("line %d", i))
		l.Kind = Command
		appendLines(t, w, l)
	}
	if o, ok := s.outlines.get(w.id); !ok || o.chunks != len(w.frames) || len(w.frames) == 0 {
		t.Errorf("outline of %+v, log of %d chunks", o, len(w.frames))
	}
	closeLog(t, w)
}
