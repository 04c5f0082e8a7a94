package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const logPath = "/api/repos/acme/app/builds/1/jobs/1/steps/2/log"

// writer opens the log of the second step of a build's only job.
func (w *world) writer(b store.Build) *logs.Writer {
	w.Helper()
	lw, err := w.logs.Create(store.LogKey(b.ID, 1, 2))
	w.ok(err)
	return lw
}

func line(text string) logs.Line {
	return logs.Line{Stream: logs.Stdout, Text: []byte(text), End: true}
}

func TestLog(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app", false), store.Build{})
	j := w.claim()
	w.want(w.get(logPath).body, "") // there is none yet
	lw := w.writer(b)
	w.ok(lw.Append(logs.Line{Stream: logs.Stdout, Kind: logs.Command, Text: []byte("make"), End: true, Exit: -1},
		line("two"), line("three"), logs.Line{Stream: logs.Stdout, Text: []byte("not yet"), Open: true}))
	const whole = "+ make\ntwo\nthree\n"
	check := func() {
		t.Helper()
		a := w.get(logPath)
		w.want([]any{a.status, a.body, a.header.Get("Content-Type"), a.header.Get("Cache-Control")},
			[]any{http.StatusOK, whole, "text/plain; charset=utf-8", "private, no-cache"})
		for query, want := range map[string]string{"?from=2": "two\nthree\n", "?from=2&lines=1": "two\n", "?lines=2": "+ make\ntwo\n",
			"?from=9": "", "?from=3&lines=9": "three\n"} {
			if got := w.get(logPath + query); got.status != http.StatusOK || got.body != want {
				t.Errorf("%s: %d %q, want %q", query, got.status, got.body, want)
			}
		}
		for value, want := range map[string]string{"bytes=7-9": "two", "bytes=-6": "three\n", "bytes=0-5": "+ make"} {
			if got := w.get(logPath, "Range", value); got.status != http.StatusPartialContent || got.body != want {
				t.Errorf("Range %s: %d %q, want %q", value, got.status, got.body, want)
			}
		}
		if got := w.get(logPath, "Range", "bytes=99-"); got.status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("a range after the end: %d %q", got.status, got.body)
		}
	}
	check() // while it is written
	w.ok(lw.Append(logs.Line{Stream: logs.Stdout, Open: true}))
	w.ok(lw.Close())
	w.end(j)
	check()
}

// reader reads a live answer line by line.
type reader struct {
	*world
	resp *http.Response
	buf  *bufio.Reader
}

func (w *world) read(path string, header ...string) *reader {
	w.Helper()
	resp := w.open(http.MethodGet, path, nil, header...)
	return &reader{w, resp, bufio.NewReader(resp.Body)}
}

func (r *reader) line(want string) {
	r.Helper()
	got, err := r.buf.ReadString('\n')
	if err != nil || got != want+"\n" {
		r.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

// rest reads to the end.
func (r *reader) rest() (string, error) {
	b, err := io.ReadAll(r.buf)
	return string(b), err
}

func (r *reader) end() {
	r.Helper()
	if rest, err := r.rest(); err != nil || rest != "" {
		r.Errorf("at the end: %q, %v", rest, err)
	}
}

func TestFollowedLog(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app", false), store.Build{})
	j := w.claim()
	early := w.read(logPath + "?follow=1") // before there is a log
	lw := w.writer(b)
	w.ok(lw.Append(line("one"), line("two")))
	early.line("one")
	early.line("two")
	from := w.read(logPath + "?follow=1&from=2")
	from.line("two")
	some := w.read(logPath + "?follow=1&from=2&lines=2")
	some.line("two")
	w.ok(lw.Append(logs.Line{Stream: logs.Stdout, Text: []byte("thr"), Open: true}))
	w.ok(lw.Append(line("three"), line("four")))
	for _, r := range []*reader{early, from, some} {
		r.line("three") // and not the open line before it
	}
	some.end() // has what it asked for
	early.line("four")
	from.line("four")
	w.ok(lw.Close())
	w.end(j)
	early.end()
	from.end()
	w.want(w.get(logPath+"?follow=1&from=4").body, "four\n") // ends at once
}

func TestFollowedLogOfAStepThatNeverWrites(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	r := w.read(logPath + "?follow=1")
	w.end(w.claim())
	r.end()
}

// Who follows a log when the server goes down must not take what came for all
// there is: the answer is cut off and not ended.
func TestFollowedLogAtShutdown(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app", false), store.Build{})
	w.claim()
	lw := w.writer(b)
	defer lw.Close()
	w.ok(lw.Append(line("one")))
	r := w.read(logPath + "?follow=1")
	r.line("one")
	w.shutdown()
	if rest, err := r.rest(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

func TestLogThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	w.ok(w.store.Close()) // the watch over the step fails
	w.wantError(w.get(logPath), 500, "internal_server_error", "internal error…")
}

const eventsPath = "/api/repos/acme/app/builds/1/events"

// event reads an event and returns its ID; it is to say that status.
func (r *reader) event(status store.Status) (id int64) {
	r.Helper()
	r.line("event: build")
	var data string
	for _, to := range []any{&id, &data} {
		got, err := r.buf.ReadString('\n')
		if err != nil {
			r.Fatalf("event: %v", err)
		}
		if s, ok := to.(*string); ok {
			*s = got
			continue
		}
		if _, err := fmt.Sscanf(got, "id: %d\n", to); err != nil {
			r.Fatalf("event: %q", got)
		}
	}
	if !strings.HasPrefix(data, "data: {") || !strings.Contains(data, fmt.Sprintf(`"status":"%s"`, status)) || !strings.Contains(data, `"jobs":[`) {
		r.Errorf("event %d is not %s: %s", id, status, data)
	}
	r.line("")
	return id
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	other := w.build(w.repo("other", false), store.Build{})
	r := w.read(eventsPath)
	w.want([]any{r.resp.Header.Get("Content-Type"), r.resp.Header.Get("Cache-Control")}, []any{"text/event-stream", "no-store"})
	first := r.event(store.Pending)
	j := w.claim()
	second := r.event(store.Running)
	if second <= first {
		t.Errorf("event %d comes after %d", second, first)
	}
	w.ok(w.store.RequestCancel(t.Context(), other.ID, "admin")) // none of this build's
	w.end(j)
	// The step's end and the job's may be told as one, as they are close.
	rest, err := r.rest()
	w.ok(err)
	events := strings.Split(strings.TrimSuffix(rest, "\n\n"), "\n\n")
	last := events[len(events)-1]
	if len(events) > 2 || !strings.Contains(last, `"status":"failure","reason"`) {
		t.Errorf("events: %q", events)
	}

	// Whoever comes back gets what is newer than what was seen, and its end.
	for _, seen := range []int64{first, second} {
		again := w.read(eventsPath, "Last-Event-ID", fmt.Sprint(seen))
		id := again.event(store.Failure)
		again.end()
		if a := w.get(eventsPath, "Last-Event-ID", fmt.Sprint(id)); a.status != http.StatusNoContent || a.body != "" {
			t.Errorf("after the last event: %d %q", a.status, a.body)
		}
	}
}

func TestEventsResumeWhileItRuns(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app", false), store.Build{})
	r := w.read(eventsPath, "Last-Event-ID", fmt.Sprint(b.Change))
	w.claim() // the first that is new
	r.event(store.Running)
	w.wantError(w.get(eventsPath, "Last-Event-ID", "x"), 422, "unprocessable_entity", "validation failed: …")
	w.shutdown()
	r.end()
}

// Who may not see a repository any more is not told the rest of its build.
func TestStreamsEndWhenTheRepositoryBecomesPrivate(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app", false)
	b := w.build(r, store.Build{})
	w.claim()
	lw := w.writer(b)
	defer lw.Close()
	w.ok(lw.Append(line("one")))
	log, events := w.read(logPath+"?follow=1"), w.read(eventsPath)
	stays := w.read(logPath+"?follow=1", asAdmin()...)
	for _, r := range []*reader{log, stays} {
		r.line("one")
	}
	events.event(store.Running)
	r.Private = true
	_, err := w.store.UpsertRepo(w.ctx, r)
	w.ok(err)
	if rest, err := log.rest(); rest != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the rest of the log is %q, %v", rest, err)
	}
	events.end()
	w.ok(lw.Append(line("two")))
	stays.line("two")
}

func TestStreamsAreLimited(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.MaxStreams = 2 })
	w.build(w.repo("app", false), store.Build{})
	log, events := w.read(logPath+"?follow=1"), w.read(eventsPath)
	events.event(store.Pending)
	for _, path := range []string{logPath + "?follow=1", eventsPath} {
		w.wantError(w.get(path), 503, "service_unavailable", "too many builds and logs are followed at once; try again later")
	}
	w.want(w.get(logPath).status, http.StatusOK)
	w.end(w.claim())
	log.end()
	if _, err := events.rest(); err != nil {
		t.Error(err)
	}
	w.want(w.get(logPath+"?follow=1").status, http.StatusOK)
}
