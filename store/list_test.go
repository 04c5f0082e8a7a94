package store_test

import (
	"errors"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestBuildFilters(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	const sha1, sha2, sha3 = "0a1b2c3d4e", "0a1b2c9999", "ffff000000"
	w.build(r, store.Build{SHA: sha1, Branch: "main", Ref: "refs/heads/main"}, job("main"))
	w.build(r, store.Build{SHA: sha1, Tag: "v1", Event: "tag", Ref: "refs/tags/v1", Status: store.Error, Reason: "bad"})
	w.build(r, store.Build{SHA: sha2, Branch: "main", Ref: "refs/heads/main"}, job("main"))
	w.build(r, store.Build{SHA: sha3, Branch: "main", Event: "pull_request", Pull: &store.Pull{Number: 3}}, job("main"))
	w.build(w.repo("other"), store.Build{SHA: sha1, Branch: "main"}, job("main"))
	tests := []struct {
		name   string
		filter store.BuildFilter
		want   []int64
	}{
		{"all, the newest first", store.BuildFilter{}, []int64{4, 3, 2, 1}},
		{"branch", store.BuildFilter{Branch: "main"}, []int64{4, 3, 1}},
		{"event", store.BuildFilter{Event: "tag"}, []int64{2}},
		{"status", store.BuildFilter{Status: store.Error}, []int64{2}},
		{"whole SHA", store.BuildFilter{SHA: sha1}, []int64{2, 1}},
		{"first digits of two SHAs", store.BuildFilter{SHA: "0a1b2c"}, []int64{3, 2, 1}},
		{"first digits of one SHA", store.BuildFilter{SHA: "0a1b2c9"}, []int64{3}},
		{"SHA whose digits end in f", store.BuildFilter{SHA: "ffff"}, []int64{4}},
		{"no such SHA", store.BuildFilter{SHA: "0a1b2d"}, nil},
		{"first page", store.BuildFilter{Limit: 2}, []int64{4, 3}},
		{"second page", store.BuildFilter{Limit: 2, Before: 3}, []int64{2, 1}},
		{"page after the last", store.BuildFilter{Before: 1}, nil},
		{"several at once", store.BuildFilter{Branch: "main", Event: "push", SHA: "0a1b", Status: store.Pending, Before: 3}, []int64{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			builds, err := w.Builds(t.Context(), r.ID, tt.filter)
			w.ok(err)
			var got []int64
			for _, b := range builds {
				got = append(got, b.Number)
			}
			w.want(got, tt.want)
		})
	}
}

func TestRepositoriesWithTheNewestBuildFirst(t *testing.T) {
	w := newWorld(t)
	w.repo("without")
	w.build(w.repo("older"), store.Build{}, job("main"))
	_, err := w.UpsertRepo(t.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "hidden", Private: true})
	w.ok(err)
	w.build(w.repo("newer"), store.Build{}, job("main"))
	names := func(private bool) (names []string) {
		t.Helper()
		repos, err := w.Repos(t.Context(), private)
		w.ok(err)
		for _, r := range repos {
			if (r.Latest == nil) != (r.LastNumber == 0) {
				t.Errorf("%s: newest build %v", r.Name, r.Latest)
			}
			names = append(names, r.Name)
		}
		return names
	}
	w.want(names(false), []string{"newer", "older", "without"})
	w.want(names(true), []string{"newer", "older", "hidden", "without"})
}

func TestDeliveriesInPages(t *testing.T) {
	w := newWorld(t)
	for _, guid := range []string{"a", "b", "c"} {
		_, err := w.AddDelivery(t.Context(), store.Delivery{GUID: guid, Event: "push", Body: []byte("{}")})
		w.ok(err)
	}
	page := func(before int64) (guids []string, last int64) {
		t.Helper()
		ds, err := w.Deliveries(t.Context(), store.DeliveryFilter{Before: before, Limit: 2})
		w.ok(err)
		for _, d := range ds {
			if d.Body != nil {
				t.Errorf("the list has a body")
			}
			guids, last = append(guids, d.GUID), d.ID
		}
		return guids, last
	}
	first, last := page(0)
	w.want(first, []string{"c", "b"})
	second, _ := page(last)
	w.want(second, []string{"a"})
}

func TestWhatIsMissingIsNotFound(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	ctx := t.Context()
	_, repo := w.Repo(ctx, "acme", "none")
	_, repoByID := w.RepoByID(ctx, 99)
	_, build := w.Build(ctx, r.ID, 1)
	_, buildByID := w.BuildByID(ctx, 99)
	_, covering := w.CoveringBuild(ctx, store.Build{RepoID: r.ID, SHA: "x", Fingerprint: "y"})
	_, jobByID := w.JobByID(ctx, 99)
	_, delivery := w.DeliveryByGUID(ctx, "none")
	_, restart := w.Restart(ctx, 99, "admin", store.Rerun{})
	finish := w.FinishJob(ctx, 99, store.Success, "", 0)
	start := w.StartStep(ctx, 99, 1, w.now)
	for i, err := range []error{repo, repoByID, build, buildByID, covering, jobByID, delivery, restart, finish, start} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("call %d: %v, want ErrNotFound", i, err)
		}
	}
}
