package githubtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/server/github"
)

// call makes a REST request and decodes the answer.
func call(t *testing.T, s *Server, method, path, auth, body string) (int, map[string]any, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.TrimSpace(raw)
	if bytes.HasPrefix(raw, []byte("[")) {
		raw = fmt.Appendf(nil, `{"list":%s}`, raw)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, raw)
	}
	return resp.StatusCode, out, resp.Header
}

func TestRefusals(t *testing.T) {
	s := start(t, Options{})
	public := addRepo(t, s, "public", RepoOptions{})
	addRepo(t, s, "private", RepoOptions{Private: true})
	sha := commit(t, public, Change{})
	tree, err := s.git.run(t.Context(), public.dir, nil, "rev-parse", sha+"^{tree}")
	if err != nil {
		t.Fatal(err)
	}
	post := "/repos/octo/public/statuses/" + sha
	const ok, good, bad = `{"state":"success"}`, "Bearer " + token, "Bearer nope"
	state := func(field, value string) string {
		b, _ := json.Marshal(map[string]string{"state": "success", field: value})
		return string(b)
	}
	tests := []struct {
		name, method, path, auth, body string
		status                         int
		message, detail                string
	}{
		{"status", "POST", post, good, ok, 201, "", ""},
		{"status, token scheme", "POST", post, "token " + token, ok, 201, "", ""},
		{"status, nobody", "POST", post, "", ok, 401, "Requires authentication", ""},
		{"status, wrong token", "POST", post, bad, ok, 401, "Bad credentials", ""},
		{"status, other scheme", "POST", post, "Digest " + token, ok, 401, "Bad credentials", ""},
		{"status, no repository", "POST", "/repos/octo/none/statuses/" + sha, good, ok, 404, "Not Found", ""},
		{"status, no state", "POST", post, good, `{}`, 422, "Validation Failed", "state is not included in the list"},
		{"status, unknown state", "POST", post, good, state("state", "green"), 422, "Validation Failed", "state is not included in the list"},
		{"status, 140 characters", "POST", post, good, state("description", strings.Repeat("ü", 140)), 201, "", ""},
		{"status, 141 characters", "POST", post, good, state("description", strings.Repeat("ü", 141)), 422, "Validation Failed", "description is too long (maximum is 140 characters)"},
		{"status, long context", "POST", post, good, state("context", strings.Repeat("x", 256)), 422, "Validation Failed", "context is too long (maximum is 255 characters)"},
		{"status, odd link", "POST", post, good, state("target_url", "javascript:alert(1)"), 422, "Validation Failed", "target_url must use http(s) scheme"},
		{"status, broken JSON", "POST", post, good, `{`, 400, "Problems parsing JSON", ""},
		{"status, unknown SHA", "POST", "/repos/octo/public/statuses/" + strings.Repeat("1", 40), good, ok, 422, "No commit found for SHA: " + strings.Repeat("1", 40), ""},
		{"status, not a SHA", "POST", "/repos/octo/public/statuses/--all", good, ok, 422, "No commit found for SHA: --all", ""},
		{"status, SHA of a tree", "POST", "/repos/octo/public/statuses/" + tree, good, ok, 422, "No commit found for SHA: " + tree, ""},
		{"repository", "GET", "/repos/octo/public", "", "", 200, "", ""},
		{"repository, wrong token", "GET", "/repos/octo/public", bad, "", 401, "Bad credentials", ""},
		{"private, nobody", "GET", "/repos/octo/private", "", "", 404, "Not Found", ""},
		{"private", "GET", "/repos/octo/private", good, "", 200, "", ""},
		{"private, Basic", "GET", "/repos/octo/private", "Basic eDpnaHBfc2VzYW1l", "", 200, "", ""},
		{"user, nobody", "GET", "/user", "", "", 401, "Requires authentication", ""},
		{"unknown path", "GET", "/nothing", good, "", 404, "Not Found", ""},
		{"meta", "GET", "/meta", "", "", 200, "", ""},
		{"root", "GET", "/", "", "", 200, "", ""},
		{"rate limit", "GET", "/rate_limit", good, "", 200, "", ""},
		{"statuses of nothing", "GET", "/repos/octo/public/commits/none/statuses", "", "", 422, "No commit found for SHA: none", ""},
		{"a commit", "GET", "/repos/octo/public/commits/" + sha, "", "", 200, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got, _ := call(t, s, tt.method, tt.path, tt.auth, tt.body)
			if status != tt.status {
				t.Fatalf("got %d %v, want %d", status, got, tt.status)
			}
			if message, _ := got["message"].(string); message != tt.message {
				t.Errorf("got message %q, want %q", message, tt.message)
			}
			if tt.detail != "" {
				if d := got["errors"].([]any)[0].(map[string]any); d["message"] != tt.detail || d["resource"] != "Status" {
					t.Errorf("got %v, want %q", d, tt.detail)
				}
			}
		})
	}
}

func TestStatusesOfACommit(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{Branch: "feature/x"})
	commits := "/repos/octo/hello/commits/"
	post := func(state, context string) {
		t.Helper()
		body := fmt.Sprintf(`{"state":%q,"context":%q,"target_url":"http://x/1"}`, state, context)
		if status, got, _ := call(t, s, "POST", "/repos/octo/hello/statuses/"+sha, "Bearer "+token, body); status != 201 {
			t.Fatalf("got %d %v", status, got)
		}
	}
	check := func(want string, contexts int) {
		t.Helper()
		for _, ref := range []string{sha, "feature/x", "feature%2Fx"} {
			_, got, _ := call(t, s, "GET", commits+ref+"/status", "", "")
			if got["state"] != want || got["sha"] != sha || len(got["statuses"].([]any)) != contexts {
				t.Errorf("%s: got %v, want %s", ref, got, want)
			}
		}
	}
	check("pending", 0)
	post("pending", "a")
	check("pending", 1)
	post("success", "a")
	check("success", 1)
	post("error", "b")
	check("failure", 2)
	post("success", "b")
	check("success", 2)

	_, got, _ := call(t, s, "GET", commits+sha+"/statuses?per_page=3", "", "")
	var states []string
	for _, one := range got["list"].([]any) {
		states = append(states, one.(map[string]any)["state"].(string))
	}
	if diff := cmp.Diff([]string{"success", "error", "success"}, states); diff != "" {
		t.Error(diff)
	}
	if _, got, _ = call(t, s, "GET", commits+sha+"/statuses?per_page=3&page=2", "", ""); len(got["list"].([]any)) != 1 {
		t.Errorf("second page: %v", got)
	}
	if _, got, _ = call(t, s, "GET", commits+sha+"/statuses?page=99999999", "", ""); len(got["list"].([]any)) != 0 {
		t.Errorf("page beyond the end: %v", got)
	}
}

func TestStatusLimit(t *testing.T) {
	var ss statuses
	for i := range maxStatuses {
		if !ss.add("a", Status{Context: "c"}) {
			t.Fatalf("status %d was refused", i+1)
		}
	}
	if ss.add("a", Status{Context: "c"}) {
		t.Error("the 1,001st status was taken")
	}
	if !ss.add("a", Status{Context: "d"}) || !ss.add("b", Status{Context: "c"}) {
		t.Error("the limit is not of one SHA and context")
	}
}

func TestWaitStatus(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	c := client(t, s, github.Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := r.WaitStatus(t.Context(), sha, "slipway", func(s Status) bool { return s.State == "success" })
			if err != nil || got.Description != "fine" || got.Creator != "slipway-bot" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for _, st := range []github.Status{
		{State: github.StatePending, Context: "slipway"},
		{State: github.StateSuccess, Context: "other"},
		{State: github.StateSuccess, Context: "slipway", Description: "fine"},
	} {
		if err := c.CreateStatus(t.Context(), "octo", "hello", sha, st); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if got, err := r.WaitStatus(t.Context(), sha, "slipway", nil); err != nil || got.State != "pending" {
		t.Errorf("the first status is %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err := r.WaitStatus(ctx, sha, "none", nil)
	if err == nil || !strings.Contains(err.Error(), "enough") || !strings.Contains(err.Error(), `slipway success "fine"`) {
		t.Errorf("got %v", err)
	}
}

func TestPages(t *testing.T) {
	s := start(t, Options{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	r := addRepo(t, s, "hello", RepoOptions{})
	hidden := addRepo(t, s, "hidden", RepoOptions{Private: true})
	sha := commit(t, r, Change{Message: "<script>alert(1)</script>"})
	commit(t, hidden, Change{})
	commit(t, r, Change{Branch: "feature"})
	if _, err := r.OpenPullRequest(t.Context(), PullRequest{Title: "Please", Head: "feature"}); err != nil {
		t.Fatal(err)
	}
	r.statuses.add(sha, Status{State: "failure", Context: "slipway", Description: "step test failed", TargetURL: "http://x/b/1"})
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	tests := []struct {
		path   string
		status int
		want   []string
		not    string
	}{
		{"/", 200, []string{"octo/hello"}, "hidden"},
		{"/octo/hello", 200, []string{"git clone " + r.CloneURL(), "&lt;script&gt;", "step test failed", "http://x/b/1", "#1 Please"}, "<script>"},
		{"/octo/hello/commit/" + sha, 200, []string{sha}, "<script>"},
		{"/octo/hello/pull/1", 200, []string{"pull-1"}, "<script>"},
		{"/octo/hidden", 404, nil, "git clone"},
		{"/octo/hidden/commit/1", 404, nil, "git clone"},
		{"/octo/none", 404, nil, "git clone"},
		{"/avatars/%3Cx", 200, []string{"&lt;", "<svg"}, "<<"},
	}
	for _, tt := range tests {
		status, body := get(tt.path)
		if status != tt.status || strings.Contains(body, tt.not) {
			t.Errorf("%s: got %d: %s", tt.path, status, body)
		}
		for _, w := range tt.want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q: %s", tt.path, w, body)
			}
		}
	}
}
