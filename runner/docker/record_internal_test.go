package docker

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// recorded is what moby's copier and json-file driver make of output.
func recorded(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		body, newline := strings.CutSuffix(line, "\n")
		for len(body) > 0 {
			n := min(len(body), recordPiece)
			for _, r := range body[:n] {
				b.WriteRune(r)
			}
			body = body[n:]
		}
		if newline {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func FuzzRecordWriter(f *testing.F) {
	for _, pad := range []int{0, 1, 2, 3, recordPiece - 2, recordPiece - 1, recordPiece, 2*recordPiece - 1} {
		for _, text := range []string{"é", "€", "😀", "\xe2\x82", "\xff€", "é\n€", "\n"} {
			f.Add(pad, text, 1)
			f.Add(pad, strings.Repeat(text, 5), 3)
			f.Add(pad, text+strings.Repeat("y", recordPiece-1)+text, 1000)
		}
	}
	f.Fuzz(func(t *testing.T, pad int, text string, write int) {
		if pad < 0 || pad > 3*recordPiece || write <= 0 {
			return
		}
		text = strings.Repeat("x", pad) + text
		var got bytes.Buffer
		r := &recordWriter{w: &got}
		for rest := text; rest != ""; rest = rest[min(len(rest), write):] {
			if _, err := r.Write([]byte(rest[:min(len(rest), write)])); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		valid := strings.Map(func(r rune) rune { return r }, got.String()) // each bad byte to U+FFFD
		if want := recorded(text); valid != want || !utf8.ValidString(want) {
			t.Errorf("%q in writes of %d after %d bytes: the two differ", text[pad:], write, pad)
		}
	})
}
