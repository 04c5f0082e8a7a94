package webui

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
)

var tag = regexp.MustCompile(`<[^>]*>`)

// What is searched is what is shown: the console's HTML without its tags.
func TestVisibleTextIsThatOfTheConsole(t *testing.T) {
	var v visible
	for _, in := range []string{
		"plain", "naïve – ☃", "a\tb", "\x1b[31mred\x1b[0m and \x1b[1;38;5;208mbold\x1b[m", "text\r", "10%\r50%\r100%", "12345\rab",
		"\r 12345\x1b[2K\rdone", "12345\r\x1b[Kok", "ab\bc", "abcd\x1b[2DX", "a\x1b[3Cb", "a\x1b[7Gb", "abc\x1b[1Kd", "abc\x1b[2Dx\x1b[K",
		"\x1b]8;;https://a.example/\x07go\x1b]8;;\x07!", "\x1b]0;title\x07a", "a\x1b[?25lb", "a\x1b", "a\x1b[31", "\x1b(Ba", "a\x1b[2Jb",
		"a\x1bPq#0\x1b\\b", "\x1b[31mred\rgreen", "", "\x1b[m",
		"a\x1b[9999Cb", "a\x1b[9999Gb", "a\x1b]0;b\x1b[1mcd",
	} {
		shown, _ := new(console).html([]byte(in), maxRowText)
		want := strings.TrimRight(html.UnescapeString(tag.ReplaceAllString(string(shown), "")), " ")
		if got := strings.TrimRight(string(v.text([]byte(in))), " "); got != want {
			t.Errorf("%q: searched %q, shown %q", in, got, want)
		}
	}
}

// TestRowsThatAreMadeToBeSlow: a row costs what its length does, however often it
// moves the cursor or begins what it does not end. (These took a gigabyte, and an
// hour.)
func TestRowsThatAreMadeToBeSlow(t *testing.T) {
	const size = 4 << 20
	var v visible
	for _, seq := range []string{"\x1b[9999C", "\x1b]", "\x1bP\x1b[C"} {
		row := []byte(strings.Repeat(seq, size/len(seq)) + "x")
		if n := len(v.text(row)); n > size {
			t.Errorf("%q: %d bytes are searched of a row of %d", seq, n, len(row))
		}
		if n := cap(v.line); n > 2*size {
			t.Errorf("%q: a row of %d bytes takes %d characters", seq, len(row), n)
		}
	}
}

func TestMatchers(t *testing.T) {
	rows := []string{"FAIL: ferry", "\x1b[31mfa\x1b[0mil: boat", "Straße ÜBER", "10%\r100% (fail)", "fa", ""}
	for _, c := range []struct {
		q    query
		want string // a digit for each row that matches, and what was found
	}{
		{query{text: "fail"}, "1 3"},
		{query{text: "fail", fold: true}, "0 1 3"},
		{query{text: "FAIL", fold: true}, "0 1 3"},
		{query{text: "über", fold: true}, "2"},
		{query{text: "10%1"}, ""},
		{query{text: "fa.l", regex: true}, "1=fail 3=fail"},
		{query{text: "^fa.l", regex: true, fold: true}, "0=FAIL 1=fail"},
		{query{text: ".*", regex: true}, "0=FAIL: ferry 1=fail: boat 2=Straße ÜBER 3=100% (fail) 4=fa 5="},
	} {
		newMatcher, err := c.q.compile()
		if err != nil {
			t.Fatal(err)
		}
		m := newMatcher()
		var got []string
		for i, r := range rows {
			if m.Match([]byte(r)) {
				hit := string(rune('0' + i))
				if c.q.regex {
					hit += "=" + m.Found([]byte(r))
				}
				got = append(got, hit)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s, want %s", c.q, s, c.want)
		}
	}
	if _, err := (query{text: "a(", regex: true}).compile(); err == nil {
		t.Error("a broken expression compiles")
	}
}

func TestLowerASCII(t *testing.T) {
	all := make([]byte, 0, 300)
	for i := range 300 {
		all = append(all, byte(i))
	}
	for from := range 16 {
		got := bytes.Clone(all[from:])
		lowerASCII(got)
		for i, b := range all[from:] {
			want := b
			if 'A' <= b && b <= 'Z' {
				want += 'a' - 'A'
			}
			if got[i] != want {
				t.Fatalf("%q became %q", b, got[i])
			}
		}
	}
}

func TestWhatIsFoundIsBounded(t *testing.T) {
	newMatcher, err := query{text: ".*", regex: true}.compile()
	if err != nil {
		t.Fatal(err)
	}
	if got := newMatcher().Found([]byte(strings.Repeat("ü", maxHitText))); len(got) != maxHitText {
		t.Errorf("%d bytes", len(got))
	}
}

func BenchmarkMatch(b *testing.B) {
	plain := []byte("    ferry_test.go:41: departed at 12:05, want 12:09, which is what the tide says")
	coloured := []byte("\x1b[32m✓\x1b[39m hull/plank.test.js \x1b[2m(12 tests)\x1b[22m \x1b[33m41\x1b[2mms\x1b[22m\x1b[39m and so on")
	for _, c := range []struct {
		name string
		q    query
		row  []byte
	}{
		{"text", query{text: "nowhere"}, plain}, {"fold", query{text: "nowhere", fold: true}, plain},
		{"regex", query{text: "no.here", fold: true, regex: true}, plain}, {"coloured", query{text: "nowhere", fold: true}, coloured},
	} {
		b.Run(c.name, func(b *testing.B) {
			newMatcher, err := c.q.compile()
			if err != nil {
				b.Fatal(err)
			}
			m := newMatcher()
			b.SetBytes(int64(len(c.row)))
			for b.Loop() {
				m.Match(c.row)
			}
		})
	}
}
