package logs

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Commands are found wherever the chunks end, live or from the files.
func TestCommands(t *testing.T) {
	at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
	row := func(k Kind, s, exit int) Line {
		return Line{Stream: Stdout, Kind: k, Time: at(s), Text: []byte("some text"), End: true, Exit: exit}
	}
	source := []Line{
		row(Notice, 0, 0),
		row(Command, 1, -1), row(More, 1, 0), row(More, 1, 0), row(Output, 2, 0), row(More, 2, 0), row(Output, 3, 0),
		row(Command, 4, 0),
		row(Command, 5, 7), row(Output, 9, 0),
	}
	rows := number(source)
	want := []CommandSpan{
		{Head: rows[1:4], First: 2, Last: 7, End: at(4), Exit: 0},
		{Head: rows[7:8], First: 8, Last: 8, End: at(5), Exit: 7},
		{Head: rows[8:9], First: 9, Last: 10, Exit: -1},
	}
	for _, fill := range []int{1, 60, 1000} {
		s := openStore(t, t.TempDir(), fill, Options{})
		w := create(t, s)
		for i, l := range source {
			appendLines(t, w, l)
			got, err := s.Commands(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(got); n > 0 && got[n-1].Last != int64(i+1) {
				t.Errorf("chunks of %d bytes, %d rows: the last command ends at %d", fill, i+1, got[n-1].Last)
			}
		}
		closeLog(t, w)
		for _, s := range []*Store{s, openStore(t, s.dir, 0, Options{})} {
			got, err := s.Commands(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("chunks of %d bytes (-want +got):\n%s", fill, d)
			}
		}
	}
}

func TestCommandsAreBounded(t *testing.T) {
	s := openStore(t, t.TempDir(), 100, Options{})
	w := create(t, s)
	for range MaxCommands + 50 {
		appendLines(t, w, Line{Stream: Stdout, Kind: Command, Time: epoch, Text: []byte("true"), End: true})
	}
	closeLog(t, w)
	got, err := s.Commands(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got); n != MaxCommands || got[n-1].Last != MaxCommands+50 || len(got[n-1].Head) != 1 {
		t.Errorf("%d commands, the last one %+v", n, got[n-1])
	}
}

func TestCommandTextsAreBounded(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	w := create(t, s)
	text := bytes.Repeat([]byte("x"), maxHeadText+1)
	appendLines(t, w, Line{Stream: Stdout, Kind: Command, Time: epoch, Text: text, End: true})
	for range maxHead {
		appendLines(t, w, Line{Stream: Stdout, Kind: More, Time: epoch, Text: text, End: true})
	}
	closeLog(t, w)
	got, err := s.Commands(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c := got[0]; len(c.Head) != maxHead || !bytes.HasSuffix(c.Head[0].Text, []byte("x…")) || c.Body() != maxHead+1 || c.Last != maxHead+1 {
		t.Errorf("%d rows of %d bytes, body from %d to %d", len(c.Head), len(c.Head[0].Text), c.Body(), c.Last)
	}
}

func TestCommandsOfNoLog(t *testing.T) {
	s := openStore(t, t.TempDir(), 0, Options{})
	if _, err := s.Commands(t.Context(), key); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

// A command whose chunk is sealed while somebody asks for the commands is told once.
func TestCommandsWhileAChunkIsSealed(t *testing.T) {
	s := openStore(t, t.TempDir(), 1, Options{})
	w := create(t, s)
	command := Line{Stream: Stdout, Kind: Command, Time: epoch, Text: []byte("true"), End: true}
	appendLines(t, w, command)
	asked := w.view()
	appendLines(t, w, command) // in a chunk of its own
	got, err := s.commands(t.Context(), key, asked)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].First != 1 || got[1].First != 2 || got[1].Last != 2 {
		t.Errorf("%d commands: %+v", len(got), got)
	}
	closeLog(t, w)
}
