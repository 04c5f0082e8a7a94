package rules_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/digest/rules"
	"github.com/slipway-ci/slipway/store/logs"
)

// A sample is a log in testdata. Its rows are as they stand there, but for
//
//	title: …         in the first rows: the title that is to be found
//	»…               the row that is to be found
//	$ …, $> …        a command and its further lines
//	@noise N …       N rows with a number for %d
//	\e, \r           the bytes
type sample struct {
	title string
	line  int64 // 0 if no rule is to fit
	rows  []logs.Line
}

func readSample(t testing.TB, path string) sample {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s sample
	for row := range strings.Lines(string(data)) {
		row = strings.TrimSuffix(row, "\n")
		if title, ok := strings.CutPrefix(row, "title: "); ok && len(s.rows) == 0 {
			s.title = title
			continue
		}
		if noise, ok := strings.CutPrefix(row, "@noise "); ok {
			count, text, _ := strings.Cut(noise, " ")
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for i := range n {
				s.add(strings.ReplaceAll(text, "%d", strconv.Itoa(i)))
			}
			continue
		}
		s.add(row)
	}
	return s
}

func (s *sample) add(row string) {
	l := logs.Line{N: int64(len(s.rows) + 1), Stream: logs.Stdout, End: true}
	row, marked := strings.CutPrefix(row, "»")
	if marked {
		s.line = l.N
	}
	if text, ok := strings.CutPrefix(row, "$> "); ok {
		row, l.Kind = text, logs.More
	} else if text, ok := strings.CutPrefix(row, "$ "); ok {
		row, l.Kind = text, logs.Command
	}
	l.Text = []byte(strings.NewReplacer(`\e`, "\x1b", `\r`, "\r").Replace(row))
	s.rows = append(s.rows, l)
}

// find looks through rows as the digest does: in batches, then at the window.
func find(rows []logs.Line) (rules.Finding, *rules.Search) {
	var s rules.Search
	for batch := range slicesChunk(rows, 256) {
		s.Add(batch)
	}
	from, n := s.Window()
	if n == 0 {
		return rules.Finding{}, &s
	}
	return s.Explain(rows[from-1 : min(from-1+n, int64(len(rows)))]), &s
}

func slicesChunk(rows []logs.Line, n int) func(func([]logs.Line) bool) {
	return func(yield func([]logs.Line) bool) {
		for len(rows) > 0 {
			c := min(n, len(rows))
			if !yield(rows[:c]) {
				return
			}
			rows = rows[c:]
		}
	}
}

func samples(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no logs in testdata/%s: %v", pattern, err)
	}
	return paths
}

func TestFindsTheLineThatSaysWhy(t *testing.T) {
	for _, group := range []string{"go", "js", "python", "rust", "java", "c", "shell", "docker"} {
		paths := samples(t, group+"/*.log")
		if len(paths) < 5 {
			t.Errorf("%d logs of %s", len(paths), group)
		}
		for _, path := range paths {
			t.Run(group+"/"+strings.TrimSuffix(filepath.Base(path), ".log"), func(t *testing.T) {
				s := readSample(t, path)
				got, search := find(s.rows)
				if s.line == 0 || s.title == "" {
					t.Fatal("the log has no marked row or no title")
				}
				if got.Line != s.line || got.Title != s.title {
					t.Errorf("found row %d %q, title %q\nwant  row %d %q, title %q", got.Line, text(s.rows, got.Line), got.Title,
						s.line, text(s.rows, s.line), s.title)
				}
				if !search.Found() {
					t.Error("no rule fitted")
				}
				if n := got.Last - got.First + 1; got.First > got.Line || got.Last < got.Line || n > 20 {
					t.Errorf("rows %d to %d matter", got.First, got.Last)
				}
				if testing.Verbose() {
					t.Logf("%s\n%s", got.Title, show(s.rows, got))
				}
			})
		}
	}
}

func TestFindsNothingInWhatPassed(t *testing.T) {
	paths := samples(t, "passed/*.log")
	if len(paths) < 10 {
		t.Errorf("%d logs", len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".log"), func(t *testing.T) {
			s := readSample(t, path)
			var all []byte
			for _, l := range s.rows {
				all = append(all, l.Text...)
			}
			if !bytes.Contains(bytes.ToLower(all), []byte("error")) {
				t.Error(`the log does not have the word "error"`)
			}
			if got, search := find(s.rows); search.Found() {
				t.Errorf("found row %d %q", got.Line, text(s.rows, got.Line))
			}
		})
	}
}

func text(rows []logs.Line, n int64) string {
	if n == 0 {
		return ""
	}
	return rules.Clean(rows[n-1].Text)
}

func show(rows []logs.Line, f rules.Finding) string {
	var b strings.Builder
	for n := f.First; n <= f.Last; n++ {
		mark := " "
		if n == f.Line {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s %5d %s\n", mark, n, text(rows, n))
	}
	return b.String()
}
