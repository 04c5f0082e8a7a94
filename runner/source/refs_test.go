package source

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestRefs(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	one := r.pushed("one", map[string]string{"a": "1\n"})
	gitIn(t, r.work, "tag", "-a", "-m", "the first", "v1")
	gitIn(t, r.work, "tag", "light")
	r.push("v1", "refs/tags/v1")
	r.push("light", "refs/tags/light")
	r.push(one, "refs/heads/deep/refs/tags/v1") // which the pattern matches too
	two := r.pushed("two", map[string]string{"a": "2\n"})

	got, err := m.Refs(t.Context(), r.remote(), "refs/heads/main", "refs/tags/v1", "refs/tags/light", "refs/heads/none")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"refs/heads/main": two, "refs/tags/v1": one, "refs/tags/light": one}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, err := m.Refs(t.Context(), r.remote(), "refs/heads/none"); err != nil || len(got) > 0 {
		t.Errorf("of what is not there: %v, %v", got, err)
	}
}

func TestRefsErrors(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	r.pushed("one", nil)
	wrong := r.remote()
	wrong.Password = "wrong"
	if _, err := m.Refs(t.Context(), wrong, "refs/heads/main"); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong credential: %v", err)
	}
	n := r.requestCount()
	for _, ref := range []string{"--upload-pack=x", "main", "refs/heads/*", ""} {
		if _, err := m.Refs(t.Context(), r.remote(), ref); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", ref, err)
		}
	}
	ssh := r.remote()
	ssh.URL = "ssh://example.com/x"
	if _, err := m.Refs(t.Context(), ssh, "refs/heads/main"); !errors.Is(err, ErrInvalid) {
		t.Errorf("over ssh: %v, want ErrInvalid", err)
	}
	if r.requestCount() != n {
		t.Error("the remote was asked")
	}
}

func TestMergeBase(t *testing.T) {
	r, m := newRemote(t), openMirrors(t)
	base := r.pushed("base", map[string]string{"a": "1\n"})
	main := r.pushed("main", map[string]string{"a": "2\n"})
	gitIn(t, r.work, "checkout", "--quiet", "-b", "side", base)
	side := r.commit("side", map[string]string{"b": "1\n"})
	r.push(side, "refs/heads/side")
	gitIn(t, r.work, "checkout", "--quiet", "--orphan", "other")
	other := r.commit("other", map[string]string{"c": "1\n"})
	r.push(other, "refs/heads/other")
	for _, sha := range []string{main, side, other} {
		mustFetch(t, m, r, sha)
	}
	for _, tt := range []struct{ name, a, b, want string }{
		{"two branches", main, side, base},
		{"an ancestor", main, base, base},
		{"the same", side, side, side},
		{"nothing in common", main, other, ""},
	} {
		got, err := m.MergeBase(t.Context(), "1", tt.a, tt.b)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	missing := strings.Repeat("1", 40)
	if _, err := m.MergeBase(t.Context(), "1", main, missing); !errors.Is(err, ErrCommitNotFound) {
		t.Errorf("a commit that is not there: %v", err)
	}
	if _, err := m.MergeBase(t.Context(), "1", main, "--all"); !errors.Is(err, ErrInvalid) {
		t.Errorf("an option: %v", err)
	}
}
