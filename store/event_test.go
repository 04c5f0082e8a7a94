package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// Many readers hear of every build while many writers change them, whatever the
// order in which they come to it; who reads late hears of each once.
func TestSubscribeUnderLoad(t *testing.T) {
	w := newWorld(t)
	const writers, perWriter, readers = 4, 15, 8
	r := w.repo("app")
	var jobs []store.Job
	want := map[int64]bool{}
	for range writers * perWriter {
		want[w.build(r, store.Build{}, job("main")).ID] = true
		jobs = append(jobs, w.claim())
	}
	late := w.Subscribe()
	defer late.Close()
	var wg sync.WaitGroup
	for range readers {
		sub := w.Subscribe()
		wg.Go(func() {
			defer sub.Close()
			heard := map[int64]bool{}
			for len(heard) < len(want) {
				events, err := sub.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range events {
					// What is heard of is to be seen.
					j, err := w.Jobs(t.Context(), e.BuildID)
					if err != nil || j[0].Status != store.Success {
						t.Errorf("build %d: %v, %v", e.BuildID, j, err)
					}
					heard[e.BuildID] = true
				}
			}
		})
	}
	for i := range writers {
		wg.Go(func() {
			for _, j := range jobs[i*perWriter : (i+1)*perWriter] {
				if err := w.FinishJob(t.Context(), j.ID, store.Success, "", 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	heard := map[int64]bool{}
	for _, e := range late.Take() {
		if heard[e.BuildID] {
			t.Errorf("build %d is told twice", e.BuildID)
		}
		heard[e.BuildID] = true
	}
	w.want(heard, want)
}

func TestSubscriptionEnds(t *testing.T) {
	w := newWorld(t)
	sub := w.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	sub.Close()
	sub.Close()
	w.build(w.repo("app"), store.Build{}, job("main"))
	w.want(len(sub.Take()), 0)
}

// Who asks for some kinds is not woken by others.
func TestSubscribeToKinds(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	sub := w.Subscribe(store.SessionEnded, store.RepoChanged)
	defer sub.Close()
	sessions := store.Sessions{Store: w.Store}
	w.ok(sessions.Commit("a", []byte("one"), w.now.Add(time.Hour)))
	w.build(r, store.Build{}, job("main"))
	w.ok(sessions.Delete("none"))
	_, err := w.UpsertRepo(t.Context(), r) // as it was
	w.ok(err)
	select {
	case <-sub.Wake():
		t.Errorf("woken by %v", sub.Take())
	default:
	}
	w.ok(sessions.Delete("a"))
	r.Private = true
	_, err = w.UpsertRepo(t.Context(), r)
	w.ok(err)
	<-sub.Wake()
	w.want(sub.Take(), []store.Event{{Kind: store.SessionEnded}, {Kind: store.RepoChanged, RepoID: r.ID}})
}
