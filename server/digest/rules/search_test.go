package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/digest/rules"
	"github.com/slipway-ci/slipway/store/logs"
)

// logOf makes a log as a sample stands in its file.
func logOf(rows ...string) []logs.Line {
	var s sample
	for _, row := range rows {
		s.add(row)
	}
	return s.rows
}

func TestLastLinesWhereNoRuleFits(t *testing.T) {
	rows := logOf("$ make", "ok", "$ ./depart", "a", "", "b", "the tide is too low", "", "  ")
	got, s := find(rows)
	want := rules.Finding{Line: 7, First: 4, Last: 7, Title: "the tide is too low"}
	if got != want || s.Found() || s.Command() != "./depart" {
		t.Errorf("%+v, found %v, command %q", got, s.Found(), s.Command())
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprint("line ", i)
	}
	if got, _ := find(logOf(many...)); got.First != 93 || got.Last != 100 || got.Line != 100 {
		t.Errorf("%+v of 100 rows", got)
	}
}

func TestSilentCommandIsThePlace(t *testing.T) {
	got, s := find(logOf("$ go vet ./...", "x.go:1:1: a warning that was survived", `$ test -f \`, "$> coverage.out"))
	if got.Line != 3 || got.Title != `test -f \` || s.Command() != "test -f \\\ncoverage.out" {
		t.Errorf("%+v, command %q", got, s.Command())
	}
}

func TestExitIsTheEndOfTheCommandsBeforeIt(t *testing.T) {
	rows := logOf("$ go vet ./... || failed=1", "x.go:1:1: undefined: tide", "$ exit $failed")
	if got, s := find(rows); got.Line != 2 || s.Command() != "go vet ./... || failed=1" {
		t.Errorf("%+v, command %q", got, s.Command())
	}
	if got, s := find(logOf("$ echo before", "before", "$ exit 2")); got.Line != 3 || s.Command() != "exit 2" {
		t.Errorf("where nothing was found before: %+v, command %q", got, s.Command())
	}
}

func TestLogWithoutOutput(t *testing.T) {
	if got, s := find(nil); got != (rules.Finding{}) || s.Command() != "" {
		t.Errorf("%+v", got)
	}
	words := logOf("cannot pull the image", "error: said by slipway")
	for i := range words {
		words[i].Kind = logs.Notice
	}
	if got, s := find(words); got.Line != 2 || s.Found() {
		t.Errorf("slipway's own words: %+v", got)
	}
	after := append(logOf("$ ./depart", "cast off"), logs.Line{N: 3, Kind: logs.Notice, Text: []byte("killed"), End: true})
	if got, _ := find(after); got.Line != 2 {
		t.Errorf("words after the output: %+v", got)
	}
}

func TestOpenLinesAreNoPlace(t *testing.T) {
	rows := append(logOf("$ make", "done"), logs.Line{Open: true, Text: []byte("a.c:1:1: error: half")})
	if got, s := find(rows); got.Line != 2 || s.Found() {
		t.Errorf("%+v", got)
	}
}

func TestHostileRows(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	got, _ := find(logOf(`a.c:1:1: error: ` + long))
	if n := len([]rune(got.Title)); n != 200 || !strings.HasSuffix(got.Title, "…") {
		t.Errorf("title of %d runes", n)
	}
	got, _ = find(logOf(`a.c:1:1: \e[31merror: \e]8;;javascript:alert(1)` + "\a" + `<b>` + "\x00\x9b\xff"))
	if want := "a.c:1:1: error: <b>\uFFFD"; !strings.HasPrefix(got.Title, "a.c:1:1: error: <b>") || strings.ContainsFunc(got.Title, func(r rune) bool { return r < ' ' }) {
		t.Errorf("title %q, want %q", got.Title, want)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                           "plain",
		"2026-11-22T05:00:01.123Z  error": " error",
		"[05:00:01] x":                    "x",
		"#9 3.118 src/a.ts":               "src/a.ts",
		"#9 ERROR: x":                     "#9 ERROR: x",
		"web-1  | error: x":               "error: x",
		"12 | let x":                      "12 | let x",
		"10%\r100%":                       "100%",
		"\x1b[1;31mred\x1b[0m\x1b(B \t":   "red",
		"a\x1b]0;title\x07b":              "ab",
		"\ta\tb":                          "\ta\tb",
		`{"Time":"t","Action":"output","Package":"p","Output":"\t1%\r\u001b[31m2%\n"}`: "2%",
		`{"Time":"t","Action":"pass","Package":"p"}`:                                   "",
		`{"Action":"output","Output":"of somebody else"}`:                              `{"Action":"output","Output":"of somebody else"}`,
		`{"Time":"t","Action":"output","Package":"cut`:                                 `{"Time":"t","Action":"output","Package":"cut`,
	} {
		if got := rules.Clean([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzFind looks through what looks like the logs in testdata and is not.
func FuzzFind(f *testing.F) {
	for _, path := range samples(f, "*/*.log") {
		var text []string
		for _, l := range readSample(f, path).rows {
			text = append(text, string(l.Text))
		}
		f.Add(strings.Join(text[:min(len(text), 40)], "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rows []logs.Line
		for i, row := range strings.Split(text, "\n") {
			l := logs.Line{N: int64(i + 1), Text: []byte(row), End: true}
			if rest, ok := strings.CutPrefix(row, "$ "); ok {
				l.Kind, l.Text = logs.Command, []byte(rest)
			}
			rows = append(rows, l)
		}
		got, s := find(rows)
		if got.Line != 0 && (got.First > got.Line || got.Last < got.Line || got.First < 1 || got.Last > int64(len(rows))) {
			t.Errorf("%+v of %d rows", got, len(rows))
		}
		if s.Found() && got.Line == 0 {
			t.Error("found a row and lost it")
		}
	})
}

// BenchmarkSearch looks through a million rows, 86 bytes each: without an error
// in them, each with the word, and with the failure in the middle.
func BenchmarkSearch(b *testing.B) {
	const n = 1_000_000
	at := time.Now()
	for name, text := range map[string]string{
		"noise": "2026-11-22T05:00:01.123Z INFO plank %07d of the hull was fitted and tarred, next one",
		"error": "plank %07d of the hull has no error in it: the fatal one failed and was not found ok",
	} {
		b.Run(name, func(b *testing.B) {
			rows := make([]logs.Line, n)
			for i := range rows {
				rows[i] = logs.Line{N: int64(i + 1), Time: at, Text: fmt.Appendf(nil, text, i), End: true}
			}
			b.SetBytes(n * int64(len(rows[0].Text)))
			for b.Loop() {
				var s rules.Search
				s.Add(rows)
				if s.Found() {
					b.Fatal("found something")
				}
			}
		})
	}
}
