package webui_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestLines(t *testing.T) {
	s := newSite(t)
	lines := numbered(3000)
	lines[4] = output("\x1b[31mred")
	s.finished(0, lines...)
	rows := func(query string) (int, []string) {
		t.Helper()
		code, html := s.get(http.DefaultClient, stepPage+"/lines?"+query)
		var ids []string
		for _, part := range strings.Split(html, ` id="`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			ids = append(ids, id)
		}
		return code, ids
	}
	for query, want := range map[string][3]any{
		"from=1&n=3":       {"L1", "L3", 3},
		"from=2999&n=10":   {"L2999", "L3000", 2},
		"from=100&n=99999": {"L100", "L2099", 2000},
	} {
		code, ids := rows(query)
		if code != http.StatusOK || len(ids) != want[2] || ids[0] != want[0] || ids[len(ids)-1] != want[1] {
			t.Errorf("%s: %d, %d rows", query, code, len(ids))
		}
	}
	if code, ids := rows("from=3001&n=1"); code != http.StatusOK || len(ids) != 0 {
		t.Errorf("after the end: %d %v", code, ids)
	}
	for _, query := range []string{"", "from=1", "from=0&n=1", "from=1&n=0", "from=x&n=1"} {
		if code, _ := rows(query); code != http.StatusBadRequest {
			t.Errorf("%q: %d", query, code)
		}
	}
	if code, _ := s.get(http.DefaultClient, "/repos/ada/engine/builds/1/jobs/1/steps/2/lines?from=1&n=1"); code != http.StatusNotFound {
		t.Errorf("no such step: %d", code)
	}
	// Colours that were set before last.
	if _, html := s.get(http.DefaultClient, stepPage+"/lines?from=7&n=1"); !strings.Contains(html, `<span class="term-fgx1">text 7</span>`) {
		t.Errorf("row 7: %s", html)
	}
}

// Rows of a public repository are kept by browsers, for as long as they are made
// in the same way.
func TestLinesAreKept(t *testing.T) {
	s := newSite(t)
	s.finished(0, numbered(10)...)
	_, page := s.get(http.DefaultClient, stepPage)
	_, rest, _ := strings.Cut(page, `data-rendering="`)
	v, _, _ := strings.Cut(rest, `"`)
	for query, want := range map[string]string{
		"from=1&n=5&v=" + v:  "private, max-age=31536000, immutable",
		"from=1&n=5&v=other": "no-store",
		"from=11&n=5&v=" + v: "no-store", // they may come
	} {
		res, err := http.Get(s.http.URL + stepPage + "/lines?" + query)
		must(t, err)
		s.read(res)
		if got := res.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}

func TestRowsAreCutUnlessAskedFor(t *testing.T) {
	s := newSite(t)
	s.finished(0, output(strings.Repeat("x", 100_000)), output(strings.Repeat("y", 100_000)))
	_, cut := s.get(http.DefaultClient, stepPage+"/lines?from=1&n=2")
	_, whole := s.get(http.DefaultClient, stepPage+"/lines?from=1&n=2&whole=1")
	if len(cut) > 20_000 || strings.Count(cut, "show all") != 2 {
		t.Errorf("cut: %d bytes", len(cut))
	}
	if len(whole) < 200_000 || strings.Contains(whole, "show all") {
		t.Errorf("whole: %d bytes", len(whole))
	}
}

func TestRawLog(t *testing.T) {
	s := newSite(t)
	s.finished(0, command("make", -1), output("\x1b[31m<b>one</b>"), output("two"))
	res, err := http.Get(s.http.URL + stepPage + "/raw")
	must(t, err)
	if _, text := s.read(res); text != "+ make\n\x1b[31m<b>one</b>\ntwo\n" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v %q", res.Header, text)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+stepPage+"/raw?download=1", nil)
	must(t, err)
	req.Header.Set("Range", "bytes=-4")
	res, err = http.DefaultClient.Do(req)
	must(t, err)
	if code, text := s.read(res); code != http.StatusPartialContent || text != "two\n" ||
		res.Header.Get("Content-Disposition") != `attachment; filename="engine-1-build.log"` {
		t.Errorf("%d %v %q", code, res.Header, text)
	}
}

func TestAllLogsInAZip(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, numbered(3)...)
	code, body := s.get(http.DefaultClient, "/repos/ada/engine/builds/1/logs.zip")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	must(t, err)
	if len(z.File) != 1 || z.File[0].Name != "01-test/02-test.log" {
		t.Fatalf("files %+v", z.File)
	}
	f, err := z.File[0].Open()
	must(t, err)
	text, err := io.ReadAll(f)
	must(t, err)
	if string(text) != "text 1\ntext 2\ntext 3\n" {
		t.Errorf("text %q", text)
	}
}

func TestSearchAnswers(t *testing.T) {
	s := newSite(t)
	lines := numbered(20_000)
	lines[7] = output("\x1b[31mNee\x1b[0mdle")
	s.finished(0, lines...)
	type answer struct {
		Total    int64
		Rows     []int64
		Texts    []string
		Spread   []int64
		Searched int64
		Error    string
	}
	search := func(query string) (a answer) {
		t.Helper()
		code, body := s.get(http.DefaultClient, stepPage+"/search?"+query)
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", query, code, body)
		}
		must(t, json.Unmarshal([]byte(body), &a))
		return a
	}
	for query, want := range map[string]string{
		"q=needle":                        "{1 [8] [] [] 0 }",
		"q=needle&case=1":                 "{0 [] [] [] 0 }",
		"q=Needle&case=1":                 "{1 [8] [] [] 0 }",
		"q=n.*dle&regex=1":                "{1 [8] [Needle] [] 0 }",
		"q=text+1(23|99)$&regex=1":        "{2 [123 199] [text 123 text 199] [] 0 }",
		"q=a(&regex=1":                    "{0 [] [] [] 0 missing closing )}",
		"q=%5B31m":                        "{0 [] [] [] 0 }",
		"q=(a%7B999%7D)%7B999%7D&regex=1": "{0 [] [] [] 0 invalid repeat count}",
	} {
		a := search(query)
		a.Spread = nil
		if got := fmt.Sprint(a); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	all := search("q=text")
	if all.Total != 19_999 || len(all.Rows) != 10_000 || all.Rows[9999] != 10_001 || len(all.Spread) < 5 {
		t.Errorf("%d hits, %d listed, %d marks", all.Total, len(all.Rows), len(all.Spread))
	}
	for _, query := range []string{"", "q=", "q=%ff", "q=" + strings.Repeat("x", 300)} {
		if code, _ := s.get(http.DefaultClient, stepPage+"/search?"+query); code != http.StatusBadRequest {
			t.Errorf("%.20q: %d", query, code)
		}
	}
}

// Without scripts, links lead through the whole log.
func TestLogWithoutScripts(t *testing.T) {
	s := newSite(t)
	s.finished(0, numbered(1000)...)
	_, page := s.get(http.DefaultClient, stepPage)
	wantAll(t, page, ">text 1000<", `data-from="1" data-to="880"`, "880 lines not shown", `href="`+stepPage+`?line=791#L791"`, `<div class="row goal" id="L1000"`)
	wantNone(t, page, ">text 880<")
	_, page = s.get(http.DefaultClient, stepPage+"?line=791")
	wantAll(t, page, ">text 761<", ">text 880<", `<div class="row target goal" id="L791"`, "760 lines not shown", "120 lines not shown", `href="`+stepPage+`?line=911#L911"`)
	wantNone(t, page, ">text 760<", ">text 881<")
	_, page = s.get(http.DefaultClient, stepPage+"?line=99999999")
	wantAll(t, page, ">text 1000<")
}

// The page opens at the row that the step's digest names.
func TestLogOpensAtItsDigest(t *testing.T) {
	s := newSite(t)
	s.finished(1, numbered(3000)...)
	b, err := s.store.BuildByID(t.Context(), 1)
	must(t, err)
	jobs, err := s.store.Jobs(t.Context(), b.ID)
	must(t, err)
	steps, err := s.store.Steps(t.Context(), jobs[0].ID)
	must(t, err)
	must(t, s.store.SaveDigest(t.Context(), store.Digest{StepID: steps[0].ID, BuildID: b.ID, RepoID: b.RepoID, Line: 1234, Title: "boom"}, nil))
	_, page := s.get(http.DefaultClient, "/repos/ada/engine/builds/1")
	wantAll(t, page, `data-line="1234"`, `id="L1234"`, ">text 1234<")
}
