package webui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	long := strings.Repeat("0123456789", 2100)
	for _, c := range []struct{ name, in, want string }{
		{"plain", "a < b & c", "a &lt; b &amp; c"},
		{"tab", "a\tb", "a\tb"},
		{"bold red", "\x1b[1;31mno\x1b[0m", `<span class="term-fgx1 term-fg1">no</span>`},
		{"bright", "\x1b[92mok\x1b[m", `<span class="term-fgx10">ok</span>`},
		{"256 colours", "\x1b[38;5;208mx", `<span class="term-fgx208">x</span>`},
		{"true colour", "\x1b[38;2;255;0;0mx", `<span class="term-fgx196" data-fg="#eb0000 #ff0000">x</span>`},
		{"true colour with colons", "\x1b[38:2::255:0:0mx", `<span class="term-fgx196" data-fg="#eb0000 #ff0000">x</span>`},
		{"true colour as ground", "\x1b[1;48;2;1;2;3;31mx", `<span class="term-bgx16 term-fg1" data-bg="#010203 #ffffff">x</span>`},
		{"true colours, 17 of them", shades(17), `<span class="term-fgx16" data-fg="#000000 #808080">0</span>`},
		{"256 colours with colons", "\x1b[48:5:17mx", `<span class="term-bgx17">x</span>`},
		{"underline", "\x1b[4mx\x1b[24my", `<span class="term-fg4">x</span>y`},
		{"ground wins over colour", "\x1b[31;44mx", `<span class="term-bgx4">x</span>`},
		{"inverse", "\x1b[32;7mx\x1b[27my", `<span class="term-bgx2">x</span><span class="term-fgx2">y</span>`},
		{"inverse of the default", "\x1b[7mx", `<span class="term-bgx7">x</span>`},
		{"broken colour", "\x1b[38;5mx", "x"},
		{"colour out of range", "\x1b[38;5;999mx\x1b[38;2;1;2mz", "xz"},
		{"carriage return", "10%\r50%\r100%", "100%"},
		{"shorter over longer", "12345\rab", "ab345"},
		{"erase the line", "\r 12345\x1b[2K\rdone", "done"},
		{"erase to the end", "12345\r\x1b[Kok", "ok"},
		{"line end of Windows", "text\r", "text"},
		{"backspace", "ab\bc", "ac"},
		{"cursor left", "abcd\x1b[2DX", "abXd"},
		{"cursor up stays in the row", "a\x1b[1Ab", "ab"},
		{"clear screen is dropped", "a\x1b[2J\x1b[Hb", "ab"},
		{"private modes", "\x1b[?25la\x1b[?25h", "a"},
		{"bell and others", "a\x07\x00\x0bb", "ab"},
		{"C1 controls", "a\u009b31mb", "a31mb"},
		{"charset", "\x1b(Ba", "a"},
		{"title", "\x1b]0;evil\x07a", "a"},
		{"link", "\x1b]8;;https://a.example/x?y=1&z\x07go\x1b]8;;\x07!",
			`<a rel="nofollow noopener noreferrer" href="https://a.example/x?y=1&amp;z">go</a>!`},
		{"link with a semicolon, ended by ST", "\x1b]8;id=1;http://a.example/;b\x1b\\go\x1b]8;;\x1b\\",
			`<a rel="nofollow noopener noreferrer" href="http://a.example/%3Bb">go</a>`},
		{"link to script", "\x1b]8;;javascript:alert(1)\x07go\x1b]8;;\x07", "go"},
		{"link to script with a host", "\x1b]8;;javascript://a.example/%0aalert(1)\x07go", "go"},
		{"link to data", "\x1b]8;;data:text/html,<script>\x07go", "go"},
		{"link to a path", "\x1b]8;;/logout\x07go", "go"},
		{"link without host", "\x1b]8;;https:evil\x07go", "go"},
		{"quote in a link", "\x1b]8;;https://a.example/\"onclick=\x07go",
			`<a rel="nofollow noopener noreferrer" href="https://a.example/%22onclick=">go</a>`},
		{"image", "a\x1b]1337;File=name=MS5naWY=;inline=1:AA==\x07b", "ab"},
		{"remote image", "a\x1b]1338;url=http://evil.example/x.png\x07b", "ab"},
		{"the library's own link", "a\x1b]1339;url=javascript:alert(1);content=x\x07b", "ab"},
		{"its timestamps", "a\x1b_bk;t=123\x07b", "ab"},
		{"device control string", "a\x1bPq#0\x1b\\b", "ab"},
		{"unterminated string", "a\x1b]8;;https://a.example", "a8;;https:&#47;&#47;a.example"},
		{"unfinished sequence", "a\x1b[31", "a"},
		{"lone escape", "a\x1b", "a"},
		{"script", "\x1b[1m<script>alert(1)</script>", `<span class="term-fg1">&lt;script&gt;alert(1)&lt;&#47;script&gt;</span>`},
		{"long", long, long[:maxRowText]},
		{"long progress bar", strings.Repeat("working 50%\r", 3000) + "done, really", "done, really"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, cut := new(console).html([]byte(c.in), maxRowText)
			if strings.Contains(c.name, "17 of them") {
				if n := strings.Count(string(got), "data-fg"); n != maxTrueColors || strings.Count(string(got), "<span") != 17 {
					t.Errorf("%d true colours in %s", n, got)
				}
				got = got[:len(c.want)]
			}
			if string(got) != c.want {
				t.Errorf("got  %.300s\nwant %.300s", got, c.want)
			}
			if cut != (c.name == "long") {
				t.Errorf("cut is %v", cut)
			}
		})
	}
}

// shades is a row of n greys.
func shades(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\x1b[38;2;%d;%[1]d;%[1]dm%[1]d", i)
	}
	return b.String()
}

func TestColoursLastFromRowToRow(t *testing.T) {
	var c console
	_, _ = c.html([]byte("\x1b[31mone"), maxRowText)
	if got, _ := c.html([]byte("two\x1b[0m three"), maxRowText); got != `<span class="term-fgx1">two</span> three` {
		t.Errorf("second row: %s", got)
	}
	if got, _ := c.html([]byte("four"), maxRowText); got != "four" {
		t.Errorf("third row: %s", got)
	}
}

// Every colour can be read, on either ground and on itself.
func TestContrast(t *testing.T) {
	for n := range 256 {
		c := paletteColor(n)
		for _, ground := range []rgb{lightGround, darkGround} {
			if got := contrast(c.on(ground), ground); got < 4.5 {
				t.Errorf("colour %d on %v: contrast %.2f", n, ground, got)
			}
		}
		if got := contrast(c.text(), c); got < 4.5 {
			t.Errorf("text on colour %d: contrast %.2f", n, got)
		}
	}
	css, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	if want := "--log: light-dark(" + lightGround.String() + ", " + darkGround.String() + ")"; !strings.Contains(string(css), want) {
		t.Errorf("style.css lacks %q", want)
	}
}

// allowed is all the HTML that a console may make.
var allowed = regexp.MustCompile(`^(?:[^<>"]|<span class="[a-z0-9 -]+"(?: data-[fb]g="#[0-9a-f]{6} #[0-9a-f]{6}"){0,2}>|</span>|` +
	`<a rel="nofollow noopener noreferrer" href="https?://[^"<>\x00-\x20]+">|</a>)*$`)

func FuzzConsole(f *testing.F) {
	for _, s := range []string{"a<b", "\x1b[1;38;2;1;2;3mx", "\x1b]8;;https://a.example/\x07x", "a\rb\x1b[K", "\x1b]1338;url=x\x07", "\x1b_x\x1b\\",
		"\x1b]8;;http://[::1]:80/\x07x\x1b[9999Cy"} {
		f.Add([]byte(s), []byte("second \x1b[0m row"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var c console
		for _, row := range [][]byte{first, second} {
			row = []byte(strings.ReplaceAll(strings.ToValidUTF8(string(row), "?"), "\n", ""))
			got, _ := c.html(row, maxRowText)
			if !allowed.MatchString(string(got)) {
				t.Errorf("%q became %q", row, got)
			}
			if strings.Count(string(got), "<span") != strings.Count(string(got), "</span>") ||
				strings.Count(string(got), "<a ") != strings.Count(string(got), "</a>") {
				t.Errorf("%q became unbalanced %q", row, got)
			}
		}
	})
}

func BenchmarkConsole(b *testing.B) {
	for _, bench := range []struct{ name, row string }{
		{"plain", "    ferry_test.go:41: departed at 12:05, want 12:09, which is what the tide says"},
		{"coloured", "\x1b[32m✓\x1b[39m hull/plank.test.js \x1b[2m(12 tests)\x1b[22m \x1b[33m41\x1b[2mms\x1b[22m\x1b[39m and so on"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var c console
			row := []byte(bench.row)
			b.SetBytes(int64(len(row)))
			b.ReportAllocs()
			for b.Loop() {
				c.html(row, maxRowText)
			}
		})
	}
}
