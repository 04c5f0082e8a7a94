package store_test

import (
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/slipway-ci/slipway/store"
)

var (
	_ scs.CtxStore = store.Sessions{}
	_ scs.Store    = store.Sessions{}
)

func TestSessions(t *testing.T) {
	w := newWorld(t)
	s := store.Sessions{Store: w.Store}
	find := func(token, want string) {
		t.Helper()
		data, found, err := s.Find(token)
		w.ok(err)
		if found != (want != "") || string(data) != want {
			t.Errorf("session %s: %q, %t; want %q", token, data, found, want)
		}
	}
	find("a", "")
	w.ok(s.Commit("a", []byte("one"), w.now.Add(time.Minute)))
	w.ok(s.Commit("b", []byte("two"), w.now.Add(time.Hour)))
	find("a", "one")
	w.ok(s.Commit("a", []byte("three"), w.now.Add(time.Minute)))
	find("a", "three")

	w.now = w.now.Add(time.Minute)
	find("a", "") // expired
	find("b", "two")
	// A commit forgets those that expired: back in time, it is gone.
	w.ok(s.Commit("c", []byte("four"), w.now.Add(time.Hour)))
	w.now = w.now.Add(-time.Second)
	find("a", "")

	w.ok(s.Delete("b"))
	w.ok(s.Delete("b")) // gone already
	find("b", "")
}
