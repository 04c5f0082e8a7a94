package store_test

import (
	"errors"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestSettingsOutliveDeliveries(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	w.want(r.RepoSettings, store.RepoSettings{})
	want := store.RepoSettings{Trust: store.Trust{Volumes: true, Metadata: true}, PipelineFile: "ci/build.yml", Runtime: "runsc", UserNS: "host"}
	r, err := w.ChangeRepoSettings(t.Context(), r.ID, func(s *store.RepoSettings) {
		s.Trust.Volumes, s.Trust.Metadata, s.PipelineFile = true, true, "ci/build.yml"
		s.Runtime, s.UserNS = "runsc", "host"
	})
	w.ok(err)
	w.want(r.RepoSettings, want)
	w.want(w.repo("app").RepoSettings, want)
	w.want(w.repo("other").RepoSettings, store.RepoSettings{})
	if _, err := w.ChangeRepoSettings(t.Context(), 99, func(*store.RepoSettings) {}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of no repository: %v, want ErrNotFound", err)
	}
}

func TestPreviousBuildIsOfTheSameBranch(t *testing.T) {
	w := newWorld(t)
	app, other := w.repo("app"), w.repo("other")
	first := w.build(app, store.Build{Branch: "main"})
	w.build(app, store.Build{Branch: "dev"})
	w.build(app, store.Build{Event: "tag", Tag: "v1"})
	tag := w.build(app, store.Build{Event: "tag", Tag: "v2"})
	w.build(other, store.Build{Branch: "main"})
	last := w.build(app, store.Build{Branch: "main"})

	prev, err := w.PreviousBuild(t.Context(), last)
	w.ok(err)
	w.want(prev.ID, first.ID)
	for _, b := range []store.Build{first, tag} {
		if got, err := w.PreviousBuild(t.Context(), b); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before #%d: #%d (%v), want none", b.Number, got.Number, err)
		}
	}
}

func TestApprovedPull(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	const sha = "1111111111111111111111111111111111111111"
	b := w.build(app, store.Build{Event: "pull_request", SHA: sha, NeedsApproval: true, Pull: &store.Pull{Number: 3, Fork: true}}, job("main"))
	approved := func(pull int, sha string) string {
		by, err := w.ApprovedPull(t.Context(), app.ID, pull, sha)
		w.ok(err)
		return by
	}
	w.want(approved(3, sha), "")
	w.ok(w.Approve(t.Context(), b.ID, sha, "admin"))
	w.want(approved(3, sha), "admin")
	w.want(approved(4, sha), "")
	w.want(approved(3, "2222222222222222222222222222222222222222"), "")
}

func TestBuildKeepsItsEvent(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{Event: "release", SenderAvatar: "https://git.example/a.png",
		Release: &store.Release{Name: "one", Prerelease: true}, Deploy: &store.Deploy{Target: "production", Task: "deploy", ID: 7}})
	w.want(b.SenderAvatar, "https://git.example/a.png")
	w.want(b.Release, &store.Release{Name: "one", Prerelease: true})
	w.want(b.Deploy, &store.Deploy{Target: "production", Task: "deploy", ID: 7})
}
