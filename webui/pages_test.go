package webui_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/webui"
)

// get returns a page's status and text as a client sees it.
func (s *site) get(c *http.Client, path string) (int, string) {
	s.t.Helper()
	res, err := c.Get(s.http.URL + path)
	must(s.t, err)
	return s.read(res)
}

func (s *site) read(res *http.Response) (int, string) {
	s.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(s.t, err)
	return res.StatusCode, string(body)
}

// post sends a form and returns the answer with its body read.
func (s *site) post(c *http.Client, path string, form url.Values) (*http.Response, string) {
	s.t.Helper()
	res, err := c.PostForm(s.http.URL+path, form)
	must(s.t, err)
	_, body := s.read(res)
	return res, body
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// admin is a client with an admin session, and the token of its forms.
func (s *site) admin() (c *http.Client, csrf string) {
	s.t.Helper()
	c = s.browser()
	res, body := s.post(c, "/login", url.Values{"token": {adminToken}})
	if res.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("login: %d\n%s", res.StatusCode, body)
	}
	_, page := s.get(c, "/")
	m := csrfField.FindStringSubmatch(page)
	if m == nil {
		s.t.Fatalf("no form token in\n%s", page)
	}
	return c, m[1]
}

func wantAll(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("page lacks %q", w)
		}
	}
	if t.Failed() {
		t.Logf("page:\n%s", page)
	}
}

func wantNone(t *testing.T, page string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(page, w) {
			t.Errorf("page has %q\n%s", w, page)
		}
	}
}

func TestEmptyHomeSaysHowToConnect(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.PublicURL = "https://ci.example.org/" })
	code, page := s.get(s.browser(), "/")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	wantAll(t, page, "https://ci.example.org/webhook", "application/json", "SLIPWAY_WEBHOOK_SECRET", "Pull requests")
}

func TestHomeListsRepositories(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "engine", false), 1, output("x"))
	s.repo("ada", "secret", true)
	_, page := s.get(s.browser(), "/")
	wantAll(t, page, "/repos/ada/engine", "Failed", "Teach the ferry to wait")
	wantNone(t, page, "secret")

	c, _ := s.admin()
	_, page = s.get(c, "/")
	wantAll(t, page, "/repos/ada/secret", "private")
}

func TestBuildPageShowsTheFailedStep(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.failed(r, 1, command("go vet ./...", -1), output("clean"), command("go test ./...", 0),
		output("\x1b[31mFAIL\x1b[0m ferry"), notice("the step ended"))
	code, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	if code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	wantAll(t, page,
		"<title>Failed: ada/engine #1", "favicon-failure.svg",
		"step test failed: exit code 2", "4f9c0e1", "https://github.example/ada/engine/commit/"+sha1,
		`<span class="term-fgx1">FAIL</span> ferry`, `id="L4"`, `href="/repos/ada/engine/builds/1/jobs/1/steps/2?line=4#L4"`,
		`class="row notice"`, "/repos/ada/engine/builds/1/jobs/1/steps/2/raw", "/repos/ada/engine/builds/1/logs.zip")
	// The command that failed is open, the one before it folded.
	if !regexp.MustCompile(`(?s)<details class="cmd" data-ended data-start="\d+">\s*<summary>.{0,200}go vet`).MatchString(page) {
		t.Error("the command that passed is not folded")
	}
	if !regexp.MustCompile(`(?s)<details class="cmd failed" open data-ended data-start="\d+">\s*<summary>.{0,200}go test`).MatchString(page) {
		t.Error("the command that failed is not open")
	}
	wantNone(t, page, `name="csrf"`, "data-stream")

	code, page = s.get(s.browser(), "/repos/ada/engine/builds/1/jobs/1/steps/1")
	if code != http.StatusOK {
		t.Fatalf("other step: status %d", code)
	}
	wantAll(t, page, "No output.", `steps/1" aria-current="true"`)
	for _, path := range []string{"/repos/ada/engine/builds/2", "/repos/ada/engine/builds/x",
		"/repos/ada/engine/builds/1/jobs/1/steps/9", "/repos/ada/engine/builds/1/jobs/2/steps/1"} {
		if code, _ := s.get(s.browser(), path); code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, code)
		}
	}
}

func TestBuildPageWhileRunningIsLive(t *testing.T) {
	s := newSite(t)
	b, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one"), unfinished("50%")))
	_, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	b, err := s.store.BuildByID(t.Context(), b.ID)
	must(t, err)
	wantAll(t, page, "Running", "favicon-running.svg", `data-stream="/repos/ada/engine/builds/1/jobs/1/steps/1/stream"`, `data-total="2"`,
		fmt.Sprintf(`data-live="/repos/ada/engine/builds/1/events?since=%d&amp;job=1&amp;step=1&amp;auto=1"`, b.Change),
		`data-open="1"`, "50%")
}

func TestHostileTextIsInert(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	b := push(r, 1)
	b.Message, b.Branch, b.Author, b.Files = evil+"\n\n"+evil, evil, evil, []string{evil}
	b.Ref = "refs/heads/" + evil
	s.create(b, job(evil, evil))
	j := s.claim()
	s.startStep(j, 1, 0)
	w := s.writer(j, 1)
	must(t, w.Append(command(evil, -1), output(evil), output("\x1b[1m"+evil), notice(evil), unfinished(evil)))
	must(t, w.Close())
	for _, path := range []string{"/", "/repos/ada/engine", "/repos/ada/engine/builds/1",
		"/repos/ada/engine?branch=" + url.QueryEscape(evil), "/login?next=" + url.QueryEscape(evil)} {
		code, page := s.get(s.browser(), path)
		if code != http.StatusOK {
			t.Errorf("%s: status %d", path, code)
		}
		wantNone(t, page, "<script>", "<img")
	}
}

func TestBuildsFilterAndPages(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	for n := range int64(65) {
		b := push(r, n+1)
		b.Status, b.Reason = store.Success, ""
		if n%2 == 1 {
			b.Branch = "feature/x"
		}
		if n == 6 {
			b.Status, b.Event, b.Tag = store.Failure, "tag", "v1"
		}
		s.create(b)
	}
	numbers := func(path string) (out []string, page string) {
		code, page := s.get(s.browser(), path)
		if code != http.StatusOK {
			t.Fatalf("%s: status %d", path, code)
		}
		for _, m := range regexp.MustCompile(`class="num">#(\d+)<`).FindAllStringSubmatch(page, -1) {
			out = append(out, m[1])
		}
		return out, page
	}
	first, page := numbers("/repos/ada/engine")
	if len(first) != 30 || first[0] != "65" || first[29] != "36" {
		t.Errorf("first page: %v", first)
	}
	wantAll(t, page, `href="/repos/ada/engine?before=36"`)
	second, page := numbers("/repos/ada/engine?before=36&branch=main")
	if len(second) != 18 || second[0] != "35" || second[17] != "1" {
		t.Errorf("second page of main: %v", second)
	}
	wantAll(t, page, `href="/repos/ada/engine?branch=main"`, `value="main"`)
	wantNone(t, page, "Older")
	for _, q := range []string{"event=tag", "status=failure", "branch=main&event=tag&status=failure"} {
		if got, _ := numbers("/repos/ada/engine?" + q); len(got) != 1 || got[0] != "7" {
			t.Errorf("%s: %v", q, got)
		}
	}
	if got, page := numbers("/repos/ada/engine?branch=none"); len(got) != 0 || !strings.Contains(page, "No build of this repository matches") {
		t.Errorf("no match: %v", got)
	}
}

func TestUnknownPathAndMethodLookLikePages(t *testing.T) {
	s := newSite(t)
	code, page := s.get(s.browser(), "/no/such/thing")
	if code != http.StatusNotFound {
		t.Errorf("status %d", code)
	}
	wantAll(t, page, "Not Found", "style.css")
	res, page := s.post(s.browser(), "/", nil)
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("status %d", res.StatusCode)
	}
	wantAll(t, page, "Method Not Allowed")
}

func TestInternalErrorsStayInside(t *testing.T) {
	s := newSite(t)
	b := push(s.repo("ada", "engine", false), 1)
	b.Problems = []byte("{broken")
	s.create(b)
	code, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	if code != http.StatusInternalServerError {
		t.Errorf("status %d", code)
	}
	wantAll(t, page, "Something went wrong", "Internal Server Error")
	wantNone(t, page, "decode", "invalid character")
	if !regexp.MustCompile(`<code>[A-Z0-9]{20,}</code>`).MatchString(page) {
		t.Error("no request ID")
	}
}
