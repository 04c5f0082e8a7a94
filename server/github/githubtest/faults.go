package githubtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Scope is a part of what the server answers, for faults.
type Scope string

const (
	ScopeStatuses Scope = "statuses" // posting a commit status
	ScopeAPI      Scope = "api"      // the REST API, statuses included
	ScopeGit      Scope = "git"      // git over HTTP
	ScopeAll      Scope = "all"      // the REST API and git, not the web pages
)

func (s Scope) covers(r *http.Request) bool {
	path := r.URL.Path
	api := strings.HasPrefix(path, "/api/v3/")
	git := strings.Contains(path, ".git/")
	switch s {
	case ScopeStatuses:
		return api && r.Method == http.MethodPost && strings.Contains(path, "/statuses/")
	case ScopeAPI:
		return api
	case ScopeGit:
		return git && !api
	default:
		return api || git
	}
}

// fault is what happens to the next requests of a scope. handle answers in
// place of next or around it.
type fault struct {
	scope  Scope
	left   int
	handle func(closed context.Context, w http.ResponseWriter, r *http.Request, next http.Handler)
}

// faults are those that are still to happen, in the order they were asked for.
type faults struct {
	mu   sync.Mutex // guards list
	list []*fault
}

func (f *faults) add(scope Scope, n int, handle func(context.Context, http.ResponseWriter, *http.Request, http.Handler)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, &fault{scope: scope, left: n, handle: handle})
}

// take returns the fault that happens to r, or nil.
func (f *faults) take(r *http.Request) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.list {
		if one.left > 0 && one.scope.covers(r) {
			one.left--
			return one
		}
	}
	return nil
}

func (f *faults) serve(closed context.Context, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if one := f.take(r); one != nil {
		one.handle(closed, w, r, next)
		return
	}
	next.ServeHTTP(w, r)
}

// FaultsLeft returns how many requests still have a fault waiting for them.
func (s *Server) FaultsLeft() int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := 0
	for _, f := range s.faults.list {
		n += f.left
	}
	return n
}

// ClearFaults forgets all faults that have not happened. What hangs goes on
// hanging.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
}

// FailNext answers the next n requests of a scope with an HTTP status and, if
// not nil, headers.
func (s *Server) FailNext(scope Scope, n, status int, header http.Header) {
	message := http.StatusText(status)
	if status >= 500 {
		message = "Server Error"
	}
	s.fail(scope, n, status, header, object{"message": message})
}

// RateLimit answers the next n requests of a scope as GitHub does when a
// secondary rate limit is hit. retryAfter is told in whole seconds.
func (s *Server) RateLimit(scope Scope, n int, retryAfter time.Duration) {
	header := http.Header{"Retry-After": {strconv.Itoa(int(retryAfter.Seconds()))}}
	s.fail(scope, n, http.StatusForbidden, header, object{
		"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
		"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api" +
			"#about-secondary-rate-limits",
	})
}

func (s *Server) fail(scope Scope, n, status int, header http.Header, body object) {
	header = header.Clone()
	s.faults.add(scope, n, func(_ context.Context, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for k, v := range header {
			w.Header()[http.CanonicalHeaderKey(k)] = v
		}
		writeJSON(w, status, body)
	})
}

// Drop closes the connections of the next n requests of a scope without an
// answer, before anything is done.
func (s *Server) Drop(scope Scope, n int) {
	s.faults.add(scope, n, func(context.Context, http.ResponseWriter, *http.Request, http.Handler) {
		panic(http.ErrAbortHandler)
	})
}

// DropAnswer does what the next n requests of a scope ask for, and closes the
// connection instead of answering.
func (s *Server) DropAnswer(scope Scope, n int) {
	s.faults.add(scope, n, func(_ context.Context, _ http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(discard{}, r)
		panic(http.ErrAbortHandler)
	})
}

// discard is a ResponseWriter whose answer nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// A Hang holds requests.
type Hang struct {
	once     sync.Once
	released chan struct{}
	caught   signal
	mu       sync.Mutex // guards held
	held     int
}

// Hang holds the next n requests of a scope until Release, and then answers
// them as if nothing had been. A request that is given up, and all of them when
// the server is closed, are dropped.
func (s *Server) Hang(scope Scope, n int) *Hang {
	h := &Hang{released: make(chan struct{})}
	s.faults.add(scope, n, h.hold)
	return h
}

func (h *Hang) hold(closed context.Context, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.ContentLength > 0 && r.ContentLength < 1<<20 {
		// Only once the body is read does net/http notice a client's end.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	h.mu.Lock()
	h.held++
	h.mu.Unlock()
	h.caught.send()
	select {
	case <-h.released:
		next.ServeHTTP(w, r)
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-closed.Done():
		panic(http.ErrAbortHandler)
	}
}

// Release lets go of what is held, and of what would have been from now on.
func (h *Hang) Release() { h.once.Do(func() { close(h.released) }) }

// Wait waits until n requests have been held.
func (h *Hang) Wait(ctx context.Context, n int) error {
	for {
		caught := h.caught.next()
		h.mu.Lock()
		held := h.held
		h.mu.Unlock()
		if held >= n {
			return nil
		}
		select {
		case <-caught:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The status is out; a client that is gone is no concern of ours.
	_ = json.NewEncoder(w).Encode(body)
}
