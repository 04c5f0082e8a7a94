package webui_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/slipway-ci/slipway/server/digest/rules"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// digest stores the digests of all steps that failed and have none, as the
// server does, with these changes of their builds.
func (s *site) digest(c store.Changes) {
	s.t.Helper()
	ctx := s.t.Context()
	steps, err := s.store.UndigestedSteps(ctx, 100)
	must(s.t, err)
	for _, st := range steps {
		var search rules.Search
		var rows []logs.Line
		for batch, err := range s.logs.Read(ctx, store.LogKey(st.Build.ID, st.JobNumber, st.Number), 1, -1) {
			must(s.t, err)
			rows = append(rows, batch...)
		}
		search.Add(rows)
		found := search.Explain(rows)
		d := store.Digest{StepID: st.ID, BuildID: st.Build.ID, RepoID: st.Build.RepoID,
			Line: found.Line, Title: found.Title, Known: search.Found(), Command: search.Command()}
		for _, l := range rows[found.First-1 : found.Last] {
			d.Excerpt = append(d.Excerpt, store.DigestLine{N: l.N, Text: string(l.Text)})
			d.Text += rules.Clean(l.Text) + "\n"
		}
		must(s.t, s.store.SaveDigest(ctx, d, &c))
	}
}

// threeCommits are changes of two people since build 1.
var threeCommits = store.Changes{Number: 1, SHA: "0" + sha1[1:], Files: []string{"ferry.go", "ferry_test.go", "tide/table.go"},
	Commits: []store.ChangedCommit{
		{SHA: sha1, Author: "Ada Lovelace", Subject: "Let the ferry wait for late passengers"},
		{SHA: "1" + sha1[1:], Author: "Grace Hopper", Subject: "Read the tide <b>tables</b>"},
		{SHA: "2" + sha1[1:], Author: "Ada Lovelace", Subject: ""},
	}}

// ended makes a build of one step that ended so.
func (s *site) ended(r store.Repo, number int64, status store.Status, change func(*store.Build), out ...logs.Line) {
	s.t.Helper()
	b := push(r, number)
	if change != nil {
		change(&b)
	}
	s.create(b, job("test", "test"))
	j := s.claim()
	s.startStep(j, 1, time.Second)
	w := s.writer(j, 1)
	must(s.t, w.Append(out...))
	must(s.t, w.Close())
	exit := 0
	if status == store.Failure {
		exit = 1
	}
	s.finishStep(j, 1, status, exit)
	s.finishJob(j, status, "", 0)
}

var tags = regexp.MustCompile(`<[^>]*>`)

func at(sha, branch string) func(*store.Build) {
	return func(b *store.Build) { b.SHA, b.Branch, b.Ref = sha, branch, "refs/heads/"+branch }
}

// A reader of a red build sees why it failed before anything else, and gets to
// the line by one click.
func TestDigestLeadsToTheLine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	rows := []logs.Line{command("go vet ./...", -1), command("go test \\", 0), {Kind: logs.More, Stream: logs.Stdout, Text: []byte("  ./..."), End: true}}
	for range 400 {
		rows = append(rows, output("ok  \tada/engine/error\t0.1s"))
	}
	rows = append(rows, output("\x1b[31m--- FAIL: TestWheel (0.00s)\x1b[0m"), output("    wheel_test.go:7: 11 teeth, want <12>"), output("FAIL"))
	s.failed(r, 1, rows...)
	s.digest(threeCommits)
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	if got := eval[string](b, `document.querySelector('.digest-title').textContent`); got != "TestWheel: wheel_test.go:7: 11 teeth, want <12>" {
		t.Errorf("title %q", got)
	}
	if got := eval[string](b, `document.querySelector('.digest-how').innerText`); got != `go test ./...` {
		t.Errorf("command: %q", got)
	}
	if got := eval[string](b, `document.querySelector('.digest .why-row').innerText`); !strings.Contains(got, "405") || !strings.Contains(got, "want <12>") {
		t.Errorf("the row that says why: %q", got)
	}
	if !eval[bool](b, `!!document.querySelector('.digest-rows .term-fgx1')`) {
		t.Error("the excerpt has no colours")
	}
	b.do(chromedp.Focus(chromedp.CSS("#failure")), chromedp.KeyEvent("\r"))
	b.await(`document.querySelector('#log .row:target, #log .row.target')?.textContent.includes('11 teeth')`)
	b.await(`(r => r.top > 0 && r.bottom < innerHeight)(document.querySelector('#log .row:target, #log .row.target').getBoundingClientRect())`)

	if eval[bool](b, `document.querySelector('.digest-changes').open`) {
		t.Error("what changed is unfolded")
	}
	b.do(chromedp.Click(chromedp.CSS(".digest-changes summary")))
	text := eval[string](b, `document.querySelector('.digest-changes').innerText`)
	for _, want := range []string{"3 commits by Ada Lovelace and Grace Hopper, 3 files since #1 passed", "Read the tide <b>tables</b>", "(no message)", "tide/table.go"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// The digest comes to a page that is open when the step fails.
func TestDigestArrives(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("a.c:1:2: error: no wheel")))
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.await(`document.querySelector('#L2')`)
	s.finishStep(j, 1, store.Failure, 2)
	s.finishJob(j, store.Failure, "step build failed: exit code 2", 1)
	b.await(`document.title.startsWith('Failed')`)
	s.digest(store.Changes{Unknown: "no earlier build has passed"})
	b.await(`document.querySelector('.digest-title')?.textContent === 'a.c:1:2: error: no wheel'`)
	b.await(`document.querySelector('.digest-changes')?.textContent === 'What changed is not known: no earlier build has passed.'`)
}

func TestDigestTellsWhatIsNew(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	red := output("error: no wheel")
	s.ended(r, 1, store.Failure, at("a", "main"), red)
	s.ended(r, 2, store.Success, at("b", "side"))
	s.ended(r, 3, store.Failure, at("c", "side"), red)
	s.ended(r, 4, store.Failure, at("d", "side"), red)
	s.ended(r, 5, store.Success, at("d", "other"))
	s.digest(store.Changes{Number: 2, SHA: "d"})
	for path, want := range map[string]string{
		"/repos/ada/engine/builds/1": "",
		"/repos/ada/engine/builds/3": "A new failure: it passed in #2. Also fails on main in #1",
		"/repos/ada/engine/builds/4": "Flaky: it passed on this very commit in #5. Fails since #3. Also fails on main in #1",
	} {
		var got []string
		_, page := s.get(s.browser(), path)
		_, list, _ := strings.Cut(page, `<ul class="digest-news">`)
		list, _, _ = strings.Cut(list, "</ul>")
		for _, item := range strings.Split(list, "<li>")[1:] {
			got = append(got, strings.TrimSpace(tags.ReplaceAllString(item, "")))
		}
		if text := strings.Join(got, ". "); list != "" && text != want || list == "" && want != "" {
			t.Errorf("%s: %q, want %q", path, text, want)
		}
	}
	if _, page := s.get(s.browser(), "/repos/ada/engine/builds/4"); !strings.Contains(page, `Nothing changed since <a href="/repos/ada/engine/builds/2">#2</a> passed.`) {
		t.Error("it does not say that nothing changed")
	}
}

// What is in a log is text, in the digest too.
func TestDigestOfHostileOutputIsInert(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("error: <script>alert(1)</script>\x1b]8;;javascript:alert(2)\x07click\x1b]8;;\x07 \x1b]1338;url=http://x/y;alt=z\x07"))
	s.digest(store.Changes{Number: 1, Commits: []store.ChangedCommit{{SHA: `"><script>`, Author: "<img src=x>", Subject: "<script>"}}})
	_, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	for _, bad := range []string{"<script>", "javascript:", "<img"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the text is gone")
	}
}

// Lists say what failed, and not only that something did.
func TestListsSayWhatFailed(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("--- FAIL: TestPistons (0.01s)"), output("    engine_test.go:7: 3 pistons, want 4 <now>"))
	for _, path := range []string{"/", "/repos/ada/engine", "/repos/ada/engine/branches"} {
		_, page := s.get(s.browser(), path)
		wantAll(t, page, "step test failed: exit code 2")
	}
	s.digest(store.Changes{})
	for _, path := range []string{"/", "/repos/ada/engine", "/repos/ada/engine/branches", "/repos/ada/engine/builds/1/graph",
		"/repos/ada/engine/builds/1/jobs/1/steps/1"} {
		_, page := s.get(s.browser(), path)
		wantAll(t, page, "test: TestPistons: engine_test.go:7: 3 pistons, want 4 &lt;now&gt;")
	}
}

// The lines that say why are copied with their address.
func TestBrowserCopiesTheFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("--- FAIL: TestPistons (0.01s)"), output("    engine_test.go:7: 3 pistons, want 4"))
	s.digest(store.Changes{})
	b := newTab(t, s)
	b.open("/repos/ada/engine/builds/1")
	b.do(chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = async (text) => { window.copied = text }`))
	b.press("f")
	b.await(`location.hash === '#L2' && document.querySelector('#L2.target')`)
	b.click("#copy-failure")
	b.await(`document.querySelector('#copy-failure').textContent === 'Copied'`)
	want := "TestPistons: engine_test.go:7: 3 pistons, want 4\n--- FAIL: TestPistons (0.01s)\n    engine_test.go:7: 3 pistons, want 4\n" +
		s.http.URL + "/repos/ada/engine/builds/1/jobs/1/steps/2?line=2#L2"
	if got := eval[string](b, "copied"); got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
}

// On a phone the line that says why is on the first screen, below a window of
// the list of steps, although other workflows stand before the one that failed.
func TestBrowserPhoneShowsWhyOnTheFirstScreen(t *testing.T) {
	s := newSite(t)
	r := s.repo("harbour", "ferry", false)
	s.seedPassed(r, 1)
	s.seedFailed(r, 2)
	b := newTab(t, s)
	b.do(chromedp.EmulateViewport(360, 740))
	b.open("/repos/harbour/ferry/builds/2")
	b.await(`document.querySelector('#log .row')`)
	if bottom := eval[float64](b, `document.querySelector('.why-row').getBoundingClientRect().bottom + scrollY`); bottom > 740 {
		t.Errorf("the line that says why ends at %v", bottom)
	}
}
