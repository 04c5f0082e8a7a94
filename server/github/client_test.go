package github

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// What githubtest does not do is tested here; all else of the client there.

const testToken = "ghp_sesame"

func testClient(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(Options{BaseURL: srv.URL, Token: testToken})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func post(t *testing.T, c *Client) error {
	return c.CreateStatus(t.Context(), "octo", "hello", sha1, Status{State: StateSuccess, Context: "slipway"})
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{}, {Token: "with newline\n"}, {Token: "with blank "}, {Token: "ü"},
		{Token: testToken, BaseURL: "github"}, {Token: testToken, BaseURL: "https://u:p@x"},
	} {
		_, err := New(o)
		if err == nil {
			t.Errorf("%+v was accepted", o)
		} else if o.Token != "" && strings.Contains(err.Error(), o.Token) {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}

// A renamed repository answers with a redirect that keeps the method.
func TestRedirectIsFollowed(t *testing.T) {
	var moved atomic.Bool
	c := testClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v3/repositories/1/statuses" {
			http.Redirect(w, r, "/api/v3/repositories/1/statuses", http.StatusTemporaryRedirect)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), "slipway") || r.Header.Get("Authorization") != "Bearer "+testToken {
			t.Errorf("got %q with %q, %v", body, r.Header, err)
		}
		moved.Store(true)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{}")
	})
	if err := post(t, c); err != nil || !moved.Load() {
		t.Errorf("moved %v, %v", moved.Load(), err)
	}
}

func TestRedirectThatDropsTheBodyIsRefused(t *testing.T) {
	c := testClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			t.Error("the POST became a GET")
		}
		http.Redirect(w, r, "/api/v3/elsewhere", http.StatusMovedPermanently)
	})
	var refused *RefusedError
	if err := post(t, c); !errors.As(err, &refused) || refused.Status != http.StatusMovedPermanently {
		t.Errorf("got %v", err)
	}
}

func TestTokenStaysWithItsHost(t *testing.T) {
	var asked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(true)
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("another host got %q", got)
		}
		http.Error(w, "{}", http.StatusNotFound)
	}))
	t.Cleanup(other.Close)
	c := testClient(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
	})
	if err := post(t, c); err == nil || !asked.Load() {
		t.Errorf("asked %v, %v", asked.Load(), err)
	}
}

func TestOddAnswers(t *testing.T) {
	tests := map[string]struct {
		status  int
		body    string
		refused bool
		want    string
	}{
		"not JSON":                {201, "<html>", false, "read GitHub's answer"},
		"endless":                 {201, `{"x":"` + strings.Repeat("a", maxAnswer) + `"}`, false, "longer than 4 MiB"},
		"endless refusal":         {422, `{"message":"` + strings.Repeat("a", maxAnswer) + `"}`, true, "Unprocessable"},
		"refusal that is no JSON": {404, "<html>", true, "Not Found"},
		"long words":              {422, `{"message":"` + strings.Repeat("a ", 2000) + `"}`, true, "…"},
		"the token":               {403, `{"message":"you sent ` + testToken + `"}`, true, "you sent [token]"},
		"the token in a failure":  {500, `{"message":"you sent ` + testToken + `"}`, false, "you sent [token]"},
		"errors that are words":   {422, `{"message":"No","errors":["one","two"]}`, true, "No: one; two"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			err := post(t, c)
			checkError(t, err, tt.want)
			var refused *RefusedError
			var retry *RetryError
			if errors.As(err, &refused) != tt.refused || errors.As(err, &retry) == tt.refused {
				t.Errorf("got %T", err)
			}
			if n := len(err.Error()); n > 700 {
				t.Errorf("the error has %d bytes", n)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	c := testClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-OAuth-Scopes", "repo, read:org")
		w.Header().Set("GitHub-Authentication-Token-Expiration", "2030-01-02 03:04:05 UTC")
		_, _ = io.WriteString(w, `{"login":"ada"}`)
	})
	got, err := c.CheckToken(t.Context())
	if err != nil || got.Login != "ada" || strings.Join(got.Scopes, " ") != "repo read:org" || got.Expires.Unix() != 1893553445 {
		t.Errorf("got %+v, %v", got, err)
	}
	if none := scopes(nil); none != nil {
		t.Errorf("fine-grained token: got %v", none)
	}
	if empty := scopes([]string{""}); empty == nil || len(empty) != 0 {
		t.Errorf("classic token without scopes: got %v", empty)
	}
}
