package githubtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// What is sent has no field that GitHub's does not have, and no other type.
func TestPayloadsAreLikeGitHubs(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	commit(t, r, Change{Files: map[string]string{"a": "1"}})
	commit(t, r, Change{Branch: "feature"})
	if _, err := r.OpenPullRequest(t.Context(), PullRequest{Head: "feature"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), "refs/heads/main"); err != nil {
		t.Fatal(err)
	}
	if err := s.AddWebhook(rec.URL); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"push": "push.json", "pull_request": "pull_request.opened.json", "ping": "ping.json"}
	seen := map[string]bool{}
	for _, d := range s.Deliveries() {
		data, err := os.ReadFile(filepath.Join("..", "testdata", files[d.Event]))
		if err != nil {
			t.Fatal(err)
		}
		var real, ours any
		if err := json.Unmarshal(data, &real); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(d.Payload, &ours); err != nil {
			t.Fatal(err)
		}
		compare(t, d.Event, real, ours)
		seen[d.Event] = true
	}
	if len(seen) != len(files) {
		t.Errorf("only %v were sent", seen)
	}
}

// compare goes by type; where either is null there is nothing to compare.
func compare(t *testing.T, path string, real, ours any) {
	t.Helper()
	if real == nil || ours == nil {
		return
	}
	if a, b := fmt.Sprintf("%T", real), fmt.Sprintf("%T", ours); a != b {
		t.Errorf("%s is %s, GitHub's is %s", path, b, a)
		return
	}
	switch ours := ours.(type) {
	case map[string]any:
		for k, v := range ours {
			theirs, ok := real.(map[string]any)[k]
			if !ok {
				t.Errorf("GitHub has no %s.%s", path, k)
			}
			compare(t, path+"."+k, theirs, v)
		}
	case []any:
		if list := real.([]any); len(list) > 0 && len(ours) > 0 {
			compare(t, path+"[]", list[0], ours[0])
		}
	}
}

func TestDelivery(t *testing.T) {
	s := start(t, Options{})
	if _, err := s.Deliver(t.Context(), "push", []byte(`{}`), ""); err == nil {
		t.Error("delivered without a webhook")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, strings.Repeat("x", 100_000))
	}))
	defer srv.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	for _, url := range []string{srv.URL, dead.URL} {
		if err := s.AddWebhook(url); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	ds, err := s.Deliver(t.Context(), "push", []byte(`{"a":1}`), "")
	if err != nil || len(ds) != 2 {
		t.Fatalf("got %+v, %v", ds, err)
	}
	d := ds[0]
	if d.Status != http.StatusFound || len(d.Response) != 64<<10 || d.Error != "" || d.Event != "push" || d.Redelivery {
		t.Errorf("got %+v", d)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(d.GUID) {
		t.Errorf("GUID is %s", d.GUID)
	}
	if ua := d.Header["User-Agent"]; len(ua) != 1 || !strings.HasPrefix(ua[0], "GitHub-Hookshot/") {
		t.Errorf("User-Agent is %v", ua)
	}
	if ds[1].Status != 0 || ds[1].Error == "" || ds[1].GUID != d.GUID {
		t.Errorf("got %+v", ds[1])
	}
	again, err := s.Redeliver(t.Context(), d.GUID)
	if err != nil || len(again) != 2 || again[0].GUID != d.GUID || !again[0].Redelivery || string(again[0].Payload) != `{"a":1}` || again[0].ID == d.ID {
		t.Errorf("got %+v, %v", again, err)
	}
	if _, err := s.Redeliver(t.Context(), "none"); err == nil {
		t.Error("nothing was redelivered")
	}
	if n := len(s.Deliveries()); n != 6 {
		t.Errorf("%d deliveries are recorded, want 6", n)
	}
}

// Never more webhooks are under way than maxSending, and that many are.
func TestSendingIsBounded(t *testing.T) {
	s := start(t, Options{})
	var now, most atomic.Int64
	full, open := make(chan struct{}), make(chan struct{})
	fill := sync.OnceFunc(func() { close(full) }) // who goes on slowly may be one of as many again
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n == maxSending {
			fill()
		}
		<-open
	}))
	defer srv.Close()
	if err := s.AddWebhook(srv.URL); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2*maxSending - 1 {
		wg.Go(func() {
			if ds, err := s.Deliver(t.Context(), "push", nil, ""); err != nil || ds[0].Status != 200 {
				t.Errorf("got %+v, %v", ds, err)
			}
		})
	}
	select {
	case <-full:
	case <-t.Context().Done():
	}
	close(open)
	wg.Wait()
	if got := most.Load(); got != maxSending {
		t.Errorf("%d were under way at once, want %d", got, maxSending)
	}
}

// Close does not wait for a webhook that hangs.
func TestCloseEndsWebhooks(t *testing.T) {
	s := start(t, Options{})
	reached, open := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-open
	}))
	defer srv.Close()
	defer close(open)
	if err := s.AddWebhook(srv.URL); err != nil {
		t.Fatal(err)
	}
	<-reached
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	ds := s.Deliveries()
	if len(ds) != 1 || !strings.Contains(ds[0].Error, context.Canceled.Error()) {
		t.Errorf("got %+v", ds)
	}
	if _, err := s.Deliver(t.Context(), "push", nil, ""); err == nil {
		t.Error("delivered after the end")
	}
	if err := s.Start("127.0.0.1:0"); err == nil {
		t.Error("started after the end")
	}
}

// Close does not wait for a request that hangs either, not even for one of a
// server that is not its own to close.
func TestCloseEndsHangs(t *testing.T) {
	s, err := New(Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	defer srv.Close()
	hang := s.Hang(ScopeAll, 1)
	done := make(chan error, 1)
	go func() {
		resp, err := http.Get(srv.URL + "/api/v3/meta")
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	if err := hang.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a request that hung was answered")
	}
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after the end: %s", resp.Status)
	}
}

func TestFaultScopes(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	commit(t, r, Change{})
	get := func(path string) int {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	const page, api, refs = "/octo/hello", "/api/v3/meta", "/octo/hello.git/info/refs?service=git-upload-pack"
	for scope, want := range map[Scope][3]int{
		ScopeStatuses: {200, 200, 200}, ScopeAPI: {200, 500, 200}, ScopeGit: {200, 200, 500}, ScopeAll: {200, 500, 500},
	} {
		s.FailNext(scope, 3, 500, nil)
		if got := [3]int{get(page), get(api), get(refs)}; got != want {
			t.Errorf("%s: got %v, want %v", scope, got, want)
		}
		s.ClearFaults()
	}
	if s.FaultsLeft() != 0 || get(api) != 200 {
		t.Error("faults were not cleared")
	}
}
