package webui_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/webui"
)

// fill puts values into the parameters of a route.
func fill(path string, values map[string]string) string {
	return regexp.MustCompile(`:(\w+)`).ReplaceAllStringFunc(path, func(p string) string {
		if v, ok := values[p[1:]]; ok {
			return v
		}
		return "1"
	})
}

// A private repository is not to be told from one that does not exist, on any
// route of it.
func TestPrivateRepositoryDoesNotExist(t *testing.T) {
	s := newSite(t)
	s.failed(s.repo("ada", "private", true), 1, output("x"))
	client, n := s.browser(), 0
	client.Timeout = 20 * time.Second // a stream that should not be there has no end
	for _, route := range s.echo.Routes() {
		if !strings.Contains(route.Path, ":owner") {
			continue
		}
		n++
		answer := func(name string) (int, string, http.Header) {
			path := fill(route.Path, map[string]string{"owner": "ada", "name": name})
			req, err := http.NewRequestWithContext(t.Context(), route.Method, s.http.URL+path, nil)
			must(t, err)
			res, err := client.Do(req)
			must(t, err)
			code, body := s.read(res)
			res.Header.Del("Date")
			return code, strings.ReplaceAll(body, name, "NAME"), res.Header
		}
		code, body, header := answer("private")
		otherCode, otherBody, otherHeader := answer("missing")
		if code != http.StatusNotFound || code != otherCode || body != otherBody {
			t.Errorf("%s %s: %d and %d, or another page", route.Method, route.Path, code, otherCode)
		}
		for k := range otherHeader {
			if k != "Content-Length" && header.Get(k) != otherHeader.Get(k) {
				t.Errorf("%s %s: header %s differs", route.Method, route.Path, k)
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d routes of repositories", n)
	}
	c, _ := s.admin()
	if code, _ := s.get(c, "/repos/ada/private/builds/1"); code != http.StatusOK {
		t.Errorf("admin gets %d", code)
	}
}

// Every route that changes something, save in the browser that asks, needs a session and the token of its form.
func TestPostsNeedSessionAndToken(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	b, _, _ := s.running(r, 1)
	admin, csrf := s.admin()
	n := 0
	for _, route := range s.echo.Routes() {
		if route.Method != http.MethodPost || route.Path == "/login" || route.Path == "/theme" {
			continue
		}
		n++
		path := fill(route.Path, map[string]string{"owner": "ada", "name": "engine"})
		if res, _ := s.post(s.browser(), path, url.Values{"csrf": {csrf}}); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s without session: %d", path, res.StatusCode)
		}
		for _, token := range []string{"", "wrong", csrf + "x"} {
			if res, _ := s.post(admin, path, url.Values{"csrf": {token}}); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s with token %q: %d", path, token, res.StatusCode)
			}
		}
		for header, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
			if code := s.foreign(admin, path, header, value, csrf); code != http.StatusForbidden {
				t.Errorf("%s with %s: %d", path, header, code)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d routes", n)
	}
	if code := s.foreign(s.browser(), "/login", "Origin", "https://evil.example", ""); code != http.StatusForbidden {
		t.Errorf("login from elsewhere: %d", code)
	}
	b, err := s.store.BuildByID(t.Context(), b.ID)
	must(t, err)
	if b.Cancels != 0 || b.Status != store.Running {
		t.Errorf("the build was touched: %+v", b)
	}
}

// foreign posts a form as another site's page would.
func (s *site) foreign(c *http.Client, path, header, value, csrf string) int {
	s.t.Helper()
	body := strings.NewReader(url.Values{"csrf": {csrf}, "token": {adminToken}}.Encode())
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.http.URL+path, body)
	must(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(header, value)
	res, err := c.Do(req)
	must(s.t, err)
	code, _ := s.read(res)
	return code
}

func TestButtons(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	running, _, _ := s.running(r, 1)
	admin, csrf := s.admin()
	press := func(number, action string, more url.Values) (location, page string) {
		t.Helper()
		form := url.Values{"csrf": {csrf}}
		for k, v := range more {
			form[k] = v
		}
		res, body := s.post(admin, "/repos/ada/engine/builds/"+number+"/"+action, form)
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d\n%s", action, res.StatusCode, body)
		}
		location = res.Header.Get("Location")
		_, page = s.get(admin, location)
		return location, page
	}

	_, page := s.get(admin, "/repos/ada/engine/builds/1")
	wantAll(t, page, `action="/repos/ada/engine/builds/1/cancel"`, ">Cancel<")
	_, page = press("1", "cancel", nil)
	wantAll(t, page, "Kill now", "Canceling", "Canceled by admin")
	_, page = s.get(admin, "/repos/ada/engine/builds/1")
	wantNone(t, page, `class="flash"`) // shown once
	b, err := s.store.BuildByID(t.Context(), running.ID)
	must(t, err)
	if b.Cancels != 1 || b.CanceledBy != "admin" {
		t.Errorf("cancels %d by %q", b.Cancels, b.CanceledBy)
	}
	_, page = press("1", "restart", nil)
	wantAll(t, page, "has not ended yet, or nothing of it failed")

	s.failed(r, 2, output("x"))
	_, page = press("2", "cancel", nil)
	wantAll(t, page, "already ended")
	to, page := press("2", "restart", nil)
	if to != "/repos/ada/engine/builds/3" {
		t.Errorf("restart leads to %s", to)
	}
	wantAll(t, page, `Restart of <a href="/repos/ada/engine/builds/2">#2</a>`)

	s.seedApproval(r, 4)
	_, page = press("4", "approve", url.Values{"sha": {sha1}})
	wantAll(t, page, "does not wait for an approval of that commit", "This waits for an approval")
	_, page = press("4", "approve", url.Values{"sha": {"b" + sha1[1:]}})
	wantAll(t, page, "Approved by admin")
	wantNone(t, page, "This waits for an approval")

	s.refuse(r)
	_, page = press("2", "retry-status", nil)
	wantAll(t, page, "sent again")
	due, err := s.store.CommitStatuses(t.Context(), r.ID, sha1)
	must(t, err)
	if due[1].NextAt.After(s.store.Now()) {
		t.Errorf("next try at %v", due[1].NextAt)
	}
}

func TestVisitorsSeeNoButtons(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.seedApproval(r, 1)
	_, page := s.get(s.browser(), "/repos/ada/engine/builds/1")
	wantNone(t, page, `action="/repos/`, `name="csrf"`)
	wantAll(t, page, "Log in to approve", "go test ./...", "bf9c0e1", "mallory/ferry")
}

func TestLogin(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.PublicURL = "https://ci.example.org" })
	c := s.browser()
	res, page := s.post(c, "/login", url.Values{"token": {"wrong"}, "next": {"/repos/a/b"}})
	if res.StatusCode != http.StatusForbidden || len(res.Cookies()) != 0 {
		t.Errorf("wrong token: %d, cookies %v", res.StatusCode, res.Cookies())
	}
	wantAll(t, page, "not the admin token", `value="/repos/a/b"`)

	res, _ = s.post(c, "/login", url.Values{"token": {adminToken}, "next": {"/repos/a/b?x=1"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/repos/a/b?x=1" {
		t.Errorf("login: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	cookie := res.Cookies()[0]
	if cookie.Name != "__Host-slipway" || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie %v", cookie)
	}
	again, _ := s.post(s.browser(), "/login", url.Values{"token": {adminToken}})
	if again.Cookies()[0].Value == cookie.Value {
		t.Error("two sessions have one token")
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	s := newSite(t)
	c, csrf := s.admin()
	stolen := *c // with the same cookie, as somebody who copied it has it
	base, err := url.Parse(s.http.URL)
	must(t, err)
	cookies := c.Jar.Cookies(base)
	if res, _ := s.post(c, "/logout", url.Values{"csrf": {csrf}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("logout: %d", res.StatusCode)
	}
	stolen.Jar = s.browser().Jar
	stolen.Jar.SetCookies(base, cookies)
	for _, client := range []*http.Client{c, &stolen} {
		_, page := s.get(client, "/")
		wantNone(t, page, "Log out")
	}
}

// Another admin token ends the sessions that were opened with the old one.
func TestNewAdminTokenEndsSessions(t *testing.T) {
	s := newSite(t)
	c, _ := s.admin()
	other, err := webui.New(webui.Options{Store: s.store, Logs: s.logs, AdminToken: "another"})
	must(t, err)
	other.Register(s.echo)
	_, page := s.get(c, "/")
	wantNone(t, page, "Log out")
}

func TestWithoutAdminTokenNobodyLogsIn(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.AdminToken = "" })
	res, page := s.post(s.browser(), "/login", url.Values{"token": {""}})
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
	wantAll(t, page, "SLIPWAY_ADMIN_TOKEN")
}

func TestLoginTriesAreLimited(t *testing.T) {
	s := newSite(t)
	c, code := s.browser(), 0
	for range 12 {
		res, _ := s.post(c, "/login", url.Values{"token": {"guess"}})
		code = res.StatusCode
	}
	if code != http.StatusTooManyRequests {
		t.Errorf("the twelfth try: %d", code)
	}
	if res, _ := s.post(c, "/login", url.Values{"token": {adminToken}}); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right token after that: %d", res.StatusCode)
	}
}

func TestNextStaysHere(t *testing.T) {
	s := newSite(t)
	for _, next := range []string{"//evil.example/", `/\evil.example`, "https://evil.example/", "evil", "javascript:alert(1)", "/\t/evil.example", "/a\r\nSet-Cookie: x=y"} {
		res, _ := s.post(s.browser(), "/login", url.Values{"token": {adminToken}, "next": {next}})
		if res.StatusCode == http.StatusTooManyRequests {
			t.Fatal("too many tries for this test")
		}
		if got := res.Header.Get("Location"); got != "/" {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
}

func TestHeadersAndAssets(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/login", "/nothing", "/repos/a/b"} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.http.URL+path, nil)
		must(t, err)
		res, err := s.browser().Do(req)
		must(t, err)
		_, page := s.read(res)
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		wantNone(t, page, " style=", "<style", "onclick", "//fonts", "http://www", "https://")
		for _, m := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
			res, err := s.browser().Get(s.http.URL + m[1])
			must(t, err)
			code, body := s.read(res)
			if code != http.StatusOK || body == "" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, %v", m[1], code, res.Header)
			}
		}
	}
	if code, _ := s.get(s.browser(), "/static/0000000000000000/style.css"); code != http.StatusNotFound {
		t.Errorf("another checksum: %d", code)
	}
}
