package webui_test

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/webui"
)

func TestHomeShowsWhatIsRedAndUnderWay(t *testing.T) {
	s := newSite(t)
	s.seedHistory(s.repo("harbour", "buoy", false))
	s.running(s.repo("navy", "submarine", true), 1)
	_, page := s.get(s.browser(), "/")
	wantAll(t, page, "Red on the default branch", `since <a href="/repos/harbour/buoy/builds/36">#36</a> by Karen Spärck Jones`,
		"Under way", "Try the new bell")
	wantNone(t, page, "submarine")
	c, _ := s.admin()
	_, page = s.get(c, "/")
	wantAll(t, page, `href="/repos/navy/submarine"`, `href="/repos/navy/submarine/builds/1"`)
}

func TestRepositoryViews(t *testing.T) {
	s := newSite(t)
	s.seedHistory(s.repo("harbour", "buoy", false))
	_, page := s.get(s.browser(), "/repos/harbour/buoy")
	wantAll(t, page, "80% of 36 builds passed", "Median ", "<rect ", `application/atom+xml`)
	wantNone(t, page, "/settings")
	_, page = s.get(s.browser(), "/repos/harbour/buoy/branches")
	wantAll(t, page, "paint/red", `?ref=refs%2fheads%2fmain"`, `default</span>`, `aria-current="page">Branches`)
	wantNone(t, page, "refs%2fpull")
	_, page = s.get(s.browser(), "/repos/harbour/buoy/pulls")
	wantAll(t, page, "<b>#12</b> Ring the bell when it rains", `?ref=refs%2fpull%2f12%2fhead"`)
	wantNone(t, page, "paint/red")
	for query, want := range map[string]string{
		"ref=refs/pull/12/head": "#26<", "author=grace+hopper": "#35<", "ref=refs/heads/bell": "#37<",
	} {
		_, page = s.get(s.browser(), "/repos/harbour/buoy?"+query)
		if wantAll(t, page, want); strings.Contains(page, "#36<") {
			t.Errorf("%s: shows others too", query)
		}
	}
	// Paging keeps the filter.
	_, page = s.get(s.browser(), "/repos/harbour/buoy?event=push")
	wantAll(t, page, "?before=", `&amp;event=push" rel="next"`)
}

func TestPagesOfAdminsAreClosed(t *testing.T) {
	s := newSite(t)
	s.repo("ada", "engine", false)
	s.seedDeliveries()
	for _, path := range []string{"/deliveries", "/deliveries/7a1f0000-9c1e-11ef-8b1a-325096b39f47",
		"/deliveries/7a1f0000-9c1e-11ef-8b1a-325096b39f47/payload", "/repos/ada/engine/settings"} {
		code, page := s.get(s.browser(), path)
		if code != http.StatusForbidden {
			t.Errorf("%s: %d", path, code)
		}
		wantAll(t, page, "Log in to see that.", `class="button" href="/login?next=%2f`)
		wantNone(t, page, "head_commit", "guid")
	}
	if _, page := s.get(s.browser(), "/"); strings.Contains(page, "/deliveries") {
		t.Error("the bar leads strangers to the deliveries")
	}
}

func TestDeliveriesPage(t *testing.T) {
	s := newSite(t)
	r := s.repo("harbour", "ferry", false)
	s.failed(r, 1, output("x"))
	s.failed(r, 2, output("x"))
	s.seedDeliveries()
	c, csrf := s.admin()
	_, page := s.get(c, "/deliveries")
	wantAll(t, page, "Worked out", "build #2", "Ignored", "there is no pipeline file in it", "Failed", "Waiting")
	_, page = s.get(c, "/deliveries?q=7a1f0010-9c1e-11ef-8b1a-325096b39f47")
	wantAll(t, page, "there is no pipeline file in it")
	wantNone(t, page, "build #2")
	for _, q := range []string{"q=harbour/ferry", "q=harbour/", "q=4f9c0e1", "status=failed"} {
		if _, page = s.get(c, "/deliveries?"+q); !strings.Contains(page, "unexpected end") {
			t.Errorf("%s does not find it", q)
		}
	}
	_, page = s.get(c, "/deliveries?q=harbour/none")
	wantAll(t, page, "None matches")

	const done = "/deliveries/7a1f0000-9c1e-11ef-8b1a-325096b39f47"
	_, page = s.get(c, done)
	wantAll(t, page, "/repos/harbour/ferry/builds/2", "GitHub-Hookshot", "&lt;b&gt;Let the ferry wait&lt;/b&gt;")
	code, body := s.get(c, done+"/payload")
	if code != http.StatusOK || !strings.HasPrefix(body, `{"ref":`) {
		t.Errorf("payload: %d %s", code, body)
	}
	press := func() string {
		t.Helper()
		res, _ := s.post(c, done+"/redeliver", url.Values{"csrf": {csrf}})
		_, page := s.get(c, res.Header.Get("Location"))
		return page
	}
	wantAll(t, press(), "It is worked out again.")
	next, err := s.store.NextDeliveries(t.Context())
	must(t, err)
	if len(next) != 1 || next[0].Status != store.DeliveryPending {
		t.Errorf("pending: %+v", next)
	}
	wantAll(t, press(), "waits to be worked out already")
	if code, _ := s.get(c, "/deliveries/none"); code != http.StatusNotFound {
		t.Errorf("unknown delivery: %d", code)
	}
}

func TestSettings(t *testing.T) {
	s := newSite(t)
	s.repo("ada", "engine", false)
	c, csrf := s.admin()
	const path = "/repos/ada/engine/settings"
	_, page := s.get(c, path)
	wantAll(t, page, `name="pipeline_file" value=""`, `badge.svg`)
	wantNone(t, page, " checked")

	res, page := s.post(c, path, url.Values{"csrf": {csrf}, "pipeline_file": {"../x"}, "volumes": {"on"}, "metadata": {"on"}})
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong path: %d", res.StatusCode)
	}
	wantAll(t, page, `value="../x"`, `aria-invalid="true"`, `role="alert"`, `name="volumes" value="on" checked`)
	r, err := s.store.Repo(t.Context(), "ada", "engine")
	must(t, err)
	if r.RepoSettings != (store.RepoSettings{}) {
		t.Errorf("stored: %+v", r.RepoSettings)
	}

	res, _ = s.post(c, path, url.Values{"csrf": {csrf}, "pipeline_file": {"ci/"}, "volumes": {"on"}, "metadata": {"on"}})
	_, page = s.get(c, res.Header.Get("Location"))
	wantAll(t, page, "The settings are saved", `value="ci/"`, `name="volumes" value="on" checked`, `name="metadata" value="on" checked`, `name="security" value="on" aria`)
	r, err = s.store.Repo(t.Context(), "ada", "engine")
	must(t, err)
	if want := (store.RepoSettings{Trust: store.Trust{Volumes: true, Metadata: true}, PipelineFile: "ci/"}); r.RepoSettings != want {
		t.Errorf("stored: %+v", r.RepoSettings)
	}
}

func TestSearchPage(t *testing.T) {
	s := newSite(t)
	s.seedHistory(s.repo("harbour", "buoy", false))
	s.failed(s.repo("harbour", "secret-buoy", true), 1, output("x"))
	for query, want := range map[string]string{
		"buoy": `href="/repos/harbour/buoy"`, "#36": "/builds/36", "paint": "Branches", "grace": "Authors", "4f9c0": "Commits", "webhook": "/docs/github#",
	} {
		_, page := s.get(s.browser(), "/search?q="+url.QueryEscape(query))
		if !strings.Contains(page, want) || !strings.Contains(page, `name="q" value="`+query) {
			t.Errorf("%s: no %s", query, want)
		}
		wantNone(t, page, "secret-buoy")
	}
	steps, err := s.store.UndigestedSteps(t.Context(), 1)
	must(t, err)
	must(t, s.store.SaveDigest(t.Context(), store.Digest{StepID: steps[0].ID, BuildID: steps[0].Build.ID, RepoID: steps[0].Build.RepoID,
		Title: "<b>the gulls</b> are missing", Text: "want 7 gulls"}, nil))
	c, _ := s.admin()
	_, page := s.get(c, "/search?q=gulls")
	wantAll(t, page, "&lt;b&gt;the gulls&lt;/b&gt; are missing", "<mark>gulls</mark>", "/jobs/1/steps/2")
	_, page = s.get(s.browser(), "/search?q=missing")
	wantNone(t, page, "are missing") // it is of the private one
	_, page = s.get(s.browser(), "/search")
	wantAll(t, page, "words of an error")
}

func TestManual(t *testing.T) {
	s := newSite(t)
	_, page := s.get(s.browser(), "/docs")
	wantAll(t, page, "<h1", "Getting started", `href="#from-nothing-to-a-green-check"`, `id="from-nothing-to-a-green-check"`, `aria-current="page"`, "slipway 1.2.3")
	_, page = s.get(s.browser(), "/docs?q=audit+unheard")
	wantAll(t, page, "No section has all these words.")
	_, page = s.get(s.browser(), "/docs?q=matrix")
	wantAll(t, page, "/docs/pipeline#matrix")
	if code, _ := s.get(s.browser(), "/docs/none"); code != http.StatusNotFound {
		t.Errorf("unknown page: %d", code)
	}
}

// Every link of the manual within this server leads somewhere.
func TestLinksOfTheManual(t *testing.T) {
	s := newSite(t)
	c, _ := s.admin()
	for _, name := range []string{"start", "pipeline", "github", "operations", "woodpecker", "drone"} {
		_, page := s.get(c, "/docs/"+name)
		_, article, _ := strings.Cut(page, "<article")
		for _, part := range strings.Split(article, `href="`)[1:] {
			link, _, _ := strings.Cut(part, `"`)
			path, anchor, _ := strings.Cut(link, "#")
			if strings.HasPrefix(link, "http") {
				continue
			}
			target := page
			if path != "" {
				var code int
				if code, target = s.get(c, path); code != http.StatusOK {
					t.Errorf("%s: %s: %d", name, link, code)
				}
			}
			if anchor != "" && !strings.Contains(target, `id="`+anchor+`"`) {
				t.Errorf("%s: %s: no such anchor", name, link)
			}
		}
	}
}

func TestBadge(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	badge := func(query string) string {
		t.Helper()
		res, err := s.browser().Get(s.http.URL + "/repos/ada/engine/badge.svg" + query)
		must(t, err)
		if got := res.Header.Get("Content-Type") + res.Header.Get("Cross-Origin-Resource-Policy") + res.Header.Get("Cache-Control"); got != "image/svg+xmlcross-originno-cache" {
			t.Errorf("headers %s", got)
		}
		_, body := s.read(res)
		if err := xml.Unmarshal([]byte(body), &struct{ XMLName xml.Name }{}); err != nil {
			t.Errorf("not XML: %v\n%s", err, body)
		}
		return body
	}
	wantAll(t, badge(""), "build: unknown")
	s.failed(r, 1, output("x"))
	b := push(r, 2)
	b.Branch, b.Ref, b.Status = "x", "refs/heads/x", store.Success
	s.create(b)
	wantAll(t, badge(""), "build: failed", "#c8202c")
	wantAll(t, badge("?branch=x"), "build: passed")
	s.create(push(r, 3), job("test", "build")) // has no verdict yet
	wantAll(t, badge(""), "build: failed")
	wantAll(t, badge("?workflow=test"), "test: failed")
	wantAll(t, badge("?workflow="+url.QueryEscape("<script>")), "&lt;script&gt;: unknown")
}

func TestFeedAndMonitors(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.PublicURL = "https://ci.example.org" })
	r := s.repo("ada", "engine", false)
	b := push(r, 1)
	b.Status, b.Message, b.Author = store.Success, "Ring \x07 <bells>\n\nloud", ""
	s.create(b)
	s.failed(s.repo("ada", "secret", true), 1, output("x"))
	code, body := s.get(s.browser(), "/repos/ada/engine/feed.atom")
	var feed struct {
		Entries []struct {
			ID    string `xml:"id"`
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	must(t, xml.Unmarshal([]byte(body), &feed))
	if code != http.StatusOK || len(feed.Entries) != 1 || feed.Entries[0].Title != "Passed: #1 Ring  <bells>" ||
		feed.Entries[0].ID != "https://ci.example.org/repos/ada/engine/builds/1" {
		t.Errorf("feed: %d %+v", code, feed)
	}
	_, body = s.get(s.browser(), "/cc.xml")
	wantAll(t, body, `name="ada/engine"`, `lastBuildStatus="Success"`, `activity="Sleeping"`, `lastBuildLabel="1"`)
	wantNone(t, body, "secret")
	c, _ := s.admin()
	_, body = s.get(c, "/cc.xml")
	wantAll(t, body, `name="ada/secret"`, `lastBuildStatus="Failure"`)
}

// TestWhyNothingIsStarted: the pages where one would look say so.
func TestWhyNothingIsStarted(t *testing.T) {
	s := newSite(t)
	s.repo("harbour", "ferry", false)
	const reason = "waiting for disk space: less than 2.0 GiB is free on the server"
	must(t, s.store.ExplainWait(t.Context(), reason))
	for _, path := range []string{"/", "/queue"} {
		_, page := s.get(s.browser(), path)
		wantAll(t, page, "Nothing new is started", reason)
	}
	must(t, s.store.ExplainWait(t.Context(), ""))
	for _, path := range []string{"/", "/queue"} {
		_, page := s.get(s.browser(), path)
		wantNone(t, page, "Nothing new is started")
	}
}
