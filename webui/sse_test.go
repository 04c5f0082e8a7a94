package webui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/webui"
)

// event is one server-sent event.
type event struct{ id, name, data string }

// listener reads a stream.
type listener struct {
	t    testing.TB
	scan *bufio.Scanner
	res  *http.Response
}

// listen opens a stream; lastID is what a browser that comes back sends.
func (s *site) listen(path, lastID string) *listener {
	s.t.Helper()
	return s.listenAs(http.DefaultClient, path, lastID)
}

func (s *site) listenAs(client *http.Client, path, lastID string) *listener {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http.URL+path, nil)
	must(s.t, err)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := client.Do(req)
	must(s.t, err)
	s.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("X-Accel-Buffering") != "no" {
		s.t.Fatalf("%s: %d %v", path, res.StatusCode, res.Header)
	}
	scan := bufio.NewScanner(res.Body)
	scan.Buffer(nil, 8<<20)
	return &listener{s.t, scan, res}
}

// next returns the next event; ok is false at the end of the stream.
func (l *listener) next() (e event, ok bool) {
	var data []string
	for l.scan.Scan() {
		key, value, _ := strings.Cut(l.scan.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			data = append(data, value)
		case "":
			if l.scan.Text() == "" && e.name != "" {
				e.data = strings.Join(data, "\n")
				return e, true
			}
		}
	}
	return event{}, false
}

// until reads on to the event of that name whose data has the text.
func (l *listener) until(name, text string) event {
	l.t.Helper()
	for {
		e, ok := l.next()
		if !ok {
			l.t.Fatalf("stream ended (%v) before %s with %q", l.scan.Err(), name, text)
		}
		if e.name == name && strings.Contains(e.data, text) {
			return e
		}
	}
}

func TestLogStreams(t *testing.T) {
	s := newSite(t)
	_, j, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(command("make", -1), output("one")))
	l := s.listen("/repos/ada/engine/builds/1/jobs/1/steps/1/stream?from=2", "")
	if e := l.until("rows", "one"); e.id != "2" || strings.Contains(e.data, "make") {
		t.Errorf("first event %+v", e)
	}
	must(t, w.Append(unfinished("10%")))
	if e := l.until("rows", "10%"); e.id != "" || !strings.Contains(e.data, `data-open="1"`) {
		t.Errorf("open line %+v", e)
	}
	must(t, w.Append(output("<b>100%</b>"), command("make install", 0)))
	if e := l.until("rows", "make install"); e.id != "4" || !strings.Contains(e.data, "&lt;b&gt;100%") ||
		!strings.Contains(e.data, `<details class="cmd" open`) || !strings.Contains(e.data, `data-exit="0"`) {
		t.Errorf("rows %+v", e)
	}

	// One that comes back goes on after the row it has.
	back := s.listen("/repos/ada/engine/builds/1/jobs/1/steps/1/stream?from=1", "3")
	if e, _ := back.next(); e.id != "4" || strings.Contains(e.data, "100%") || !strings.Contains(e.data, "make install") {
		t.Errorf("after row 3: %+v", e)
	}

	must(t, w.Close())
	s.finishStep(j, 1, store.Failure, 3)
	for _, l := range []*listener{l, back} {
		if e := l.until("end", ""); !strings.Contains(e.data, `"exit":3`) {
			t.Errorf("end %+v", e)
		}
		if e, ok := l.next(); ok {
			t.Errorf("after the end: %+v", e)
		}
	}
}

// A step that never writes ends its stream too.
func TestLogStreamOfASkippedStepEnds(t *testing.T) {
	s := newSite(t)
	_, j, _ := s.running(s.repo("ada", "engine", false), 1)
	l := s.listen("/repos/ada/engine/builds/1/jobs/1/steps/2/stream?from=1", "")
	must(t, s.store.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 2, Status: store.Skipped, FinishedAt: time.Now()}))
	l.until("end", `"exited":false`)
}

// Colours that a row before the stream's first one has set go on in it.
func TestLogStreamKeepsColours(t *testing.T) {
	s := newSite(t)
	_, _, w := s.running(s.repo("ada", "engine", false), 1)
	must(t, w.Append(output("\x1b[31mred"), output("still red")))
	l := s.listen("/repos/ada/engine/builds/1/jobs/1/steps/1/stream?from=2", "")
	l.until("rows", `<span class="term-fgx1">still red</span>`)
}

type update struct {
	Parts  map[string]string
	Title  string
	Icon   string
	Select string
}

func (e event) update(t *testing.T) (u update) {
	t.Helper()
	must(t, json.Unmarshal([]byte(e.data), &u))
	return u
}

func TestBuildStream(t *testing.T) {
	s := newSite(t)
	b, j, _ := s.running(s.repo("ada", "engine", false), 1)
	path := "/repos/ada/engine/builds/1/events?job=1&step=1&auto=1"
	l := s.listen(path, "")
	first := l.until("update", "")
	if u := first.update(t); len(u.Parts) < 4 || !strings.Contains(u.Parts["build-head"], "Running") || u.Select != "" {
		t.Errorf("first update: %+v", u)
	}
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 0)
	e := l.until("update", `"select"`)
	if u := e.update(t); u.Select != "/repos/ada/engine/builds/1" || !strings.Contains(u.Parts["build-steps"], "steps/2") {
		t.Errorf("second step: %+v", u)
	}
	s.finishStep(j, 2, store.Success, 0)
	s.finishJob(j, store.Success, "", 0)
	last := l.until("update", "favicon-success")
	if u := last.update(t); !strings.HasPrefix(u.Title, "Passed: ada/engine #1") || !strings.Contains(u.Parts["build-head"], "Passed") {
		t.Errorf("end: %+v", u)
	}
	b, err := s.store.BuildByID(t.Context(), b.ID)
	must(t, err)
	if last.id != strconv.FormatInt(b.Change, 10) {
		t.Errorf("ID %s, change %d", last.id, b.Change)
	}

	// Who has the last change is sent none of it again, who has an older one is.
	must(t, s.store.SetStatuses(t.Context(), store.Commit{RepoID: b.RepoID, SHA: b.SHA}, []store.WantedStatus{{Context: "slipway", State: "success"}}))
	u := s.listen(path, last.id).until("update", "").update(t)
	if _, ok := u.Parts["build-head"]; ok || !strings.Contains(u.Parts["build-statuses"], "success") {
		t.Errorf("with the last ID: %v", u.Parts)
	}
	if u := s.listen(path, first.id).until("update", "").update(t); !strings.Contains(u.Parts["build-head"], "Passed") {
		t.Errorf("with an old ID: %v", u.Parts)
	}
}

// A step that ends while the stream reads the build for the first time is in what
// it read, and not in the page that the browser has.
func TestBuildStreamWhileTheBuildMoves(t *testing.T) {
	s := newSite(t)
	b, j, _ := s.running(s.repo("ada", "engine", false), 1)
	b, err := s.store.BuildByID(t.Context(), b.ID)
	must(t, err)
	end := func() { s.finishStep(j, 1, store.Success, 0) }
	found := func() { s.asked.Store(&end) } // that there is such a build
	s.asked.Store(&found)
	l := s.listen("/repos/ada/engine/builds/1/events?job=1&step=1", strconv.FormatInt(b.Change, 10))
	l.until("update", `data-status=\"success\"`)
}

// A queue that moved on before the stream began is told of: it is no change of
// the build, and the page has the place of before.
func TestBuildStreamTellsOfTheQueue(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.create(push(r, 1), job("test", "build"))
	b := s.create(push(r, 2), job("test", "build"))
	_, page := s.get(s.browser(), "/repos/ada/engine/builds/2")
	wantAll(t, page, "2nd of 2 in the queue")
	s.claim()
	l := s.listen("/repos/ada/engine/builds/2/events?job=1&step=1", strconv.FormatInt(b.Change, 10))
	if e, _ := l.next(); !strings.Contains(e.data, "next in the queue") {
		t.Errorf("%+v", e)
	}
}

func TestListStreams(t *testing.T) {
	s := newSite(t)
	r, secret := s.repo("ada", "engine", false), s.repo("ada", "secret", true)
	s.failed(r, 1, output("x"))
	for _, path := range []string{"/", "/repos/ada/engine"} {
		_, page := s.get(s.browser(), path)
		_, live, _ := strings.Cut(page, `data-live="`)
		live, _, _ = strings.Cut(live, `"`)
		l := s.listen(live, "")
		// What happens in a private repository shows nowhere.
		b, err := s.store.Repo(t.Context(), "ada", "secret")
		must(t, err)
		s.create(push(secret, b.LastNumber+1))
		b, err = s.store.Repo(t.Context(), "ada", "engine")
		must(t, err)
		made := s.create(push(r, b.LastNumber+1))
		e, ok := l.next()
		if !ok || e.name != "reload" || !strings.HasPrefix(e.id, strconv.FormatInt(made.Change, 10)+".") {
			t.Errorf("%s: %+v, want change %d", path, e, made.Change)
		}
	}
}

// streamsOf are the streams about a repository's first build.
func streamsOf(repo string) []string {
	return []string{"/repos/ada/" + repo + "/events", "/repos/ada/" + repo + "/builds/1/events", "/repos/ada/" + repo + "/builds/1/jobs/1/steps/1/stream"}
}

// drain reads a stream to its end.
func (l *listener) drain() {
	l.t.Helper()
	for {
		if _, ok := l.next(); !ok {
			break
		}
	}
	if err := l.scan.Err(); err != nil {
		l.t.Errorf("%s: %v", l.res.Request.URL.Path, err)
	}
}

// What somebody was shown who has logged out since must not go on.
func TestStreamsEndWithTheSession(t *testing.T) {
	never := func(o *webui.Options) { o.Heartbeat = time.Hour }
	soon := func(o *webui.Options) { o.Heartbeat = 5 * time.Millisecond }
	for name, c := range map[string]struct {
		option func(*webui.Options)
		end    func(*site, *http.Client, string)
	}{
		"logged out": {never, func(s *site, admin *http.Client, csrf string) {
			s.post(admin, "/logout", url.Values{"csrf": {csrf}})
		}},
		"expired": {soon, func(s *site, _ *http.Client, _ string) { s.past.Store(int64(-15 * 24 * time.Hour)) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.option)
			s.running(s.repo("ada", "private", true), 1)
			admin, csrf := s.admin()
			var all []*listener
			for _, path := range append(streamsOf("private"), "/events", "/queue/events") {
				all = append(all, s.listenAs(admin, path, ""))
			}
			c.end(s, admin, csrf)
			for _, l := range all {
				l.drain()
			}
		})
	}
}

func TestStreamsEndWhenTheRepositoryBecomesPrivate(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.Heartbeat = time.Hour })
	r := s.repo("ada", "engine", false)
	s.running(r, 1)
	admin, _ := s.admin()
	stays := s.listenAs(admin, streamsOf("engine")[1], "")
	var all []*listener
	for _, path := range streamsOf("engine") {
		all = append(all, s.listen(path, ""))
	}
	r.Private = true
	_, err := s.store.UpsertRepo(t.Context(), r)
	must(t, err)
	for _, l := range all {
		l.drain()
	}
	must(t, s.store.RequestCancel(t.Context(), 1, "admin"))
	stays.until("update", "Canceled by admin")
}

func TestStreamsAreLimited(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.MaxStreams, o.Heartbeat = 2, 5*time.Millisecond })
	s.running(s.repo("ada", "engine", false), 1)
	first := s.listen("/events", "")
	s.listen(streamsOf("engine")[1], "")
	if code, page := s.get(s.browser(), "/events"); code != http.StatusServiceUnavailable || !strings.Contains(page, "Too many pages are followed") {
		t.Errorf("a third stream: %d", code)
	}
	if code, _ := s.get(s.browser(), "/"); code != http.StatusOK {
		t.Errorf("a page: %d", code)
	}
	// Who leaves makes room, once the server has noticed.
	must(t, first.res.Body.Close())
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.http.URL+"/events", nil)
		must(t, err)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode == http.StatusOK {
			return
		}
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	s := newSite(t, func(o *webui.Options) { o.Heartbeat = 5 * time.Millisecond })
	s.running(s.repo("ada", "engine", false), 1)
	var all []*listener
	for _, path := range append(streamsOf("engine"), "/events") {
		l := s.listen(path, "")
		for l.scan.Scan() && l.scan.Text() != ": still here" {
		}
		all = append(all, l)
	}
	s.shutDown()
	for _, l := range all {
		l.drain()
	}
}
