package store_test

import (
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestPlacesAreTheOrderOfClaims(t *testing.T) {
	w := newWorld(t)
	app, other := w.repo("app"), w.repo("other")
	builds := []store.Build{
		w.build(app, store.Build{}, job("a"), job("b")), w.build(other, store.Build{}, job("c")),
		w.build(app, store.Build{}, job("d")), w.build(other, store.Build{}, job("e"), grouped("held", 1, false), grouped("g", 1, false)),
	}
	places := map[int64]int{}
	for _, b := range builds {
		got, err := w.QueuePlaces(t.Context(), b.ID)
		w.ok(err)
		for id, p := range got {
			places[id] = p.Place
			w.want(p.Of, 6)
		}
	}
	for place := 1; place <= 6; place++ {
		j := w.claim()
		if places[j.ID] != place {
			t.Errorf("job %s was claimed as number %d, its place was %d", j.Name, place, places[j.ID])
		}
	}
}

func TestHoldersOfAGroup(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	first := w.build(app, store.Build{}, grouped("deploy", 2, false))
	second := w.build(app, store.Build{}, grouped("deploy", 2, false))
	w.build(app, store.Build{}, grouped("deploy", 2, false))
	w.claim()
	got, err := w.GroupHolders(t.Context(), app.ID, "g")
	w.ok(err)
	w.want(got, []store.GroupMember{{BuildNumber: first.Number, JobNumber: 1, JobName: "deploy", Running: true},
		{BuildNumber: second.Number, JobNumber: 1, JobName: "deploy"}})
	none, err := w.GroupHolders(t.Context(), app.ID, "")
	w.ok(err)
	w.want(len(none), 0)
}

// The queue explains a wait before it stops claiming: what is claimed in between
// waits no longer.
func TestClaimedJobDoesNotSayWhyItWaited(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{}, job("main"), job("other"))
	w.ok(w.ExplainWait(t.Context(), "no room on the disk"))
	w.want(w.claim().Reason, "")
	w.want(w.jobReasons(b), []string{"running", "pending: no room on the disk"})
	w.want(w.status(b), "running")
}
