package githubtest

import (
	"testing"

	"github.com/slipway-ci/slipway/server/github"
)

func TestReleaseAndDeployment(t *testing.T) {
	s := start(t, Options{})
	r := addRepo(t, s, "hello", RepoOptions{})
	rec := receive(t, s)
	sha := commit(t, r, Change{Files: map[string]string{"a": "1"}})
	if err := r.PublishRelease(Release{Tag: "v1", Name: "One", Prerelease: true, Author: Person{Login: "ada"}}); err != nil {
		t.Fatal(err)
	}
	es := rec.take(t, s)
	if len(es) != 1 || es[0].Kind != github.KindRelease {
		t.Fatalf("got %+v", es)
	}
	if got := es[0].Release; got.Tag != "v1" || got.Name != "One" || !got.Prerelease || got.Author.Login != "ada" {
		t.Errorf("got %+v", got)
	}
	id, got, err := r.Deploy(t.Context(), Deployment{})
	if err != nil || got != sha {
		t.Fatalf("deployed %s, %v; want %s", got, err, sha)
	}
	es = rec.take(t, s)
	if len(es) != 1 || es[0].Kind != github.KindDeployment {
		t.Fatalf("got %+v", es)
	}
	if d := es[0].Deployment; d.ID != id || d.SHA != sha || d.Ref != "main" || d.Environment != "production" || d.Task != "deploy" {
		t.Errorf("got %+v", d)
	}
	if _, _, err := r.Deploy(t.Context(), Deployment{Ref: "none"}); err == nil {
		t.Error("deployed what is not there")
	}
	if err := r.PublishRelease(Release{Tag: "a b"}); err == nil {
		t.Error("released a tag that cannot be")
	}
}
