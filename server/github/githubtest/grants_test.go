package githubtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/server/github"
)

func TestGrants(t *testing.T) {
	s := start(t, Options{})
	addRepo(t, s, "private", RepoOptions{Private: true})
	addRepo(t, s, "public", RepoOptions{})
	expires := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, tt := range []struct {
		name            string
		grants          Grants
		info            github.TokenInfo
		private, public github.Access
	}{
		{"Classic", Grants{Classic: []string{"repo", "gist"}, Contents: true, Statuses: true},
			github.TokenInfo{Scopes: []string{"repo", "gist"}},
			github.Access{See: true, Contents: true, Statuses: true}, github.Access{See: true, Contents: true, Statuses: true}},
		{"FineGrained", Grants{Expires: expires, Contents: true}, github.TokenInfo{Expires: expires},
			github.Access{See: true, Contents: true}, github.Access{See: true, Contents: true}},
		{"NothingGranted", Grants{}, github.TokenInfo{}, github.Access{See: true}, github.Access{See: true, Contents: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.Grant(tt.grants)
			c := client(t, s, github.Options{})
			tt.info.Login = "slipway-bot"
			info, err := c.CheckToken(t.Context())
			if diff := cmp.Diff(tt.info, info); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
			for name, want := range map[string]github.Access{"private": tt.private, "public": tt.public, "missing": {}} {
				if got, err := c.CheckAccess(t.Context(), "octo", name); got != want || err != nil {
					t.Errorf("%s: got %+v, %v", name, got, err)
				}
			}
		})
	}
}

// Nothing is left of the question whether statuses may be written.
func TestCheckAccessWritesNothing(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	sha := commit(t, r, Change{})
	if _, err := client(t, s, github.Options{}).CheckAccess(t.Context(), "octo", "hello"); err != nil {
		t.Fatal(err)
	}
	if got := r.Statuses(sha); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestCheckAccessWithAWrongToken(t *testing.T) {
	s := start(t, Options{})
	addRepo(t, s, "hello", RepoOptions{})
	if got, err := client(t, s, github.Options{Token: "wrong"}).CheckAccess(t.Context(), "octo", "hello"); err == nil {
		t.Errorf("got %+v", got)
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2031, 2, 3, 4, 5, 6, 700, time.UTC)
	s := start(t, Options{Now: func() time.Time { return at }})
	for _, given := range []string{token, "wrong"} {
		if got, err := client(t, s, github.Options{Token: given}).Clock(t.Context()); !got.Equal(at.Truncate(time.Second)) || err != nil {
			t.Errorf("with token %s: got %v, %v", given, got, err)
		}
	}
	s.Drop(ScopeAPI, 100)
	if got, err := client(t, s, github.Options{}).Clock(t.Context()); err == nil {
		t.Errorf("got %v from nobody", got)
	}
}
