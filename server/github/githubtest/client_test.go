package githubtest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/server/github"
)

// These tests are of slipway's own client, against this server.

func client(t *testing.T, s *Server, o github.Options) *github.Client {
	t.Helper()
	o.BaseURL = s.URL()
	if o.Token == "" {
		o.Token = token
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	o.Transport = transport
	c, err := github.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClient(t *testing.T) {
	s := start(t, Options{Login: "ci-bot"})
	r := addRepo(t, s, "hello", RepoOptions{Private: true, DefaultBranch: "trunk"})
	sha := commit(t, r, Change{})
	c := client(t, s, github.Options{})

	info, err := c.CheckToken(t.Context())
	if diff := cmp.Diff(github.TokenInfo{Login: "ci-bot", Scopes: []string{"repo"}}, info); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	repo, err := c.Repo(t.Context(), "octo", "hello")
	want := github.Repo{
		ID: r.ID(), Owner: "octo", Name: "hello", Private: true, DefaultBranch: "trunk",
		CloneURL: r.CloneURL(), HTMLURL: r.HTMLURL(),
	}
	if repo != want || err != nil {
		t.Errorf("got %+v, %v", repo, err)
	}
	if got := c.WebURL(); got != s.URL() {
		t.Errorf("got %s", got)
	}
	user, password, err := c.Credentials(t.Context(), "octo", "hello")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := gitCmd(t, ".", "ls-remote", authURL(r, user, password)); err != nil || !strings.Contains(out, sha) {
		t.Errorf("credentials: %v: %s", err, out)
	}

	long := strings.Repeat("ж", 200)
	if err := c.CreateStatus(t.Context(), "octo", "hello", sha, github.Status{
		State: github.StateFailure, Context: "slipway", Description: long, TargetURL: "https://ci.example.com/1",
	}); err != nil {
		t.Fatal(err)
	}
	got := r.Statuses(sha)
	if len(got) != 1 || got[0].State != "failure" || got[0].TargetURL != "https://ci.example.com/1" ||
		got[0].Description != long[:139*2]+"…" || got[0].Creator != "ci-bot" {
		t.Errorf("got %+v", got)
	}
}

func TestClientRefused(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	good, bad := client(t, s, github.Options{}), client(t, s, github.Options{Token: "wrong"})
	ok := github.Status{State: github.StateSuccess, Context: "slipway"}
	for range maxStatuses {
		r.statuses.add(sha, Status{Context: "full"})
	}
	none := strings.Repeat("1", 40)
	tests := []struct {
		name        string
		client      *github.Client
		owner, repo string
		sha         string
		status      github.Status
		wantStatus  int
		wantMessage string
	}{
		{"wrong token", bad, "octo", "hello", sha, ok, 401, "Bad credentials"},
		{"no repository", good, "octo", "none", sha, ok, 404, "Not Found"},
		{"no commit", good, "octo", "hello", none, ok, 422, "No commit found for SHA: " + none},
		{"unknown state", good, "octo", "hello", sha, github.Status{State: "green"}, 422, "Validation Failed: state is not included in the list"},
		{"full", good, "octo", "hello", sha, github.Status{State: "error", Context: "full"}, 422,
			"Validation Failed: This SHA and context has reached the maximum number of statuses."},
		{"not a SHA", good, "octo", "hello", "main?x", ok, 0, `"main?x" is not a commit's SHA`},
		{"not a name", good, "..", "a/b", sha, ok, 0, `"../a/b" is not a repository's name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.client.CreateStatus(t.Context(), tt.owner, tt.repo, tt.sha, tt.status)
			var refused *github.RefusedError
			if !errors.As(err, &refused) || refused.Status != tt.wantStatus || refused.Message != tt.wantMessage {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := bad.CheckToken(t.Context()); !isRefused(err, 401) {
		t.Errorf("got %v", err)
	}
	if _, err := good.Repo(t.Context(), "octo", "none"); !isRefused(err, 404) {
		t.Errorf("got %v", err)
	}
	s.FailNext(ScopeStatuses, 1, http.StatusForbidden, http.Header{"X-Ratelimit-Remaining": {"4000"}})
	if err := good.CreateStatus(t.Context(), "octo", "hello", sha, ok); !isRefused(err, 403) {
		t.Errorf("got %v", err)
	}
}

func isRefused(err error, status int) bool {
	var refused *github.RefusedError
	return errors.As(err, &refused) && refused.Status == status
}

// After each fault the client is asked again at once and must ask GitHub: it
// may remember no limit.
func TestClientRetries(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	c := client(t, s, github.Options{})
	soon := time.Now().Add(30 * time.Minute).Unix()
	tests := []struct {
		name  string
		fault func()
		after bool // GitHub says when
	}{
		{"500", func() { s.FailNext(ScopeStatuses, 1, 500, nil) }, false},
		{"502", func() { s.FailNext(ScopeAPI, 1, 502, nil) }, false},
		{"503", func() { s.FailNext(ScopeAll, 1, 503, http.Header{"Retry-After": {"7"}}) }, true},
		{"429", func() { s.FailNext(ScopeStatuses, 1, 429, http.Header{"Retry-After": {"60"}}) }, true},
		{"secondary limit", func() { s.RateLimit(ScopeStatuses, 1, time.Minute) }, true},
		{"primary limit", func() {
			s.FailNext(ScopeStatuses, 1, 403, http.Header{"x-ratelimit-remaining": {"0"}, "x-ratelimit-reset": {strconv.FormatInt(soon, 10)}})
		}, true},
		{"dropped", func() { s.Drop(ScopeStatuses, 1) }, false},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault()
			ok := github.Status{State: github.StatePending, Context: "slipway"}
			err := c.CreateStatus(t.Context(), "octo", "hello", sha, ok)
			var retry *github.RetryError
			if !errors.As(err, &retry) || retry.After.IsZero() == tt.after {
				t.Errorf("got %#v", err)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("the error tells the token: %v", err)
			}
			if err := c.CreateStatus(t.Context(), "octo", "hello", sha, ok); err != nil {
				t.Errorf("second time: %v", err)
			}
			if n := len(r.Statuses(sha)); n != i+1 {
				t.Errorf("%d statuses were posted, want %d", n, i+1)
			}
		})
	}
	if n := s.FaultsLeft(); n != 0 {
		t.Errorf("%d faults are left", n)
	}
}

func TestClientLostAnswer(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	c := client(t, s, github.Options{})
	s.DropAnswer(ScopeStatuses, 1)
	err := c.CreateStatus(t.Context(), "octo", "hello", sha, github.Status{State: github.StateSuccess, Context: "x"})
	var retry *github.RetryError
	if !errors.As(err, &retry) || len(r.Statuses(sha)) != 1 {
		t.Errorf("got %v and %d statuses", err, len(r.Statuses(sha)))
	}
}

func TestClientTimeout(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	s.Hang(ScopeStatuses, 2)
	ok := github.Status{State: github.StateSuccess, Context: "slipway"}

	err := client(t, s, github.Options{Timeout: time.Millisecond}).CreateStatus(t.Context(), "octo", "hello", sha, ok)
	var retry *github.RetryError
	if !errors.As(err, &retry) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("own timeout: got %v", err)
	}
	s.ClearFaults()
	hang := s.Hang(ScopeStatuses, 2)
	c := client(t, s, github.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("shutting down")
	done := make(chan error, 1)
	go func() { done <- c.CreateStatus(ctx, "octo", "hello", sha, ok) }()
	if err := hang.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel(stop)
	if err := <-done; !errors.Is(err, stop) || errors.As(err, new(*github.RetryError)) {
		t.Errorf("caller's end: got %v", err)
	}
	if len(r.Statuses(sha)) != 0 {
		t.Error("a request that was given up was carried out")
	}

	go func() { done <- c.CreateStatus(t.Context(), "octo", "hello", sha, ok) }()
	if err := hang.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	hang.Release()
	if err := <-done; err != nil || len(r.Statuses(sha)) != 1 {
		t.Errorf("after the release: %v, %d statuses", err, len(r.Statuses(sha)))
	}
}

func TestClientLogsNoToken(t *testing.T) {
	s := start(t, Options{})
	var log bytes.Buffer
	c := client(t, s, github.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if _, err := c.CheckToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Drop(ScopeAPI, 2)
	if _, err := c.CheckToken(t.Context()); err == nil {
		t.Error("no error from a dropped connection")
	}
	if got := log.String(); !strings.Contains(got, "/api/v3/user") || strings.Contains(got, token) {
		t.Errorf("log: %s", got)
	}
}
