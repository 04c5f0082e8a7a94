package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

func TestRegistryLogins(t *testing.T) {
	w := newWorld(t)
	app, other := w.repo("app"), w.repo("other")
	logins := func(r store.Repo) []store.RegistryLogin {
		t.Helper()
		l, err := w.RegistryLogins(t.Context(), r.ID)
		w.ok(err)
		return l
	}
	set := func(l store.RegistryLogin) {
		t.Helper()
		w.ok(w.SetRegistryLogin(t.Context(), app.ID, l))
	}
	quay := store.RegistryLogin{Registry: "quay.io", Username: "bob", Password: "pw"}
	set(quay)
	set(store.RegistryLogin{Registry: "ghcr.io", Username: "alice", Password: "old"})
	ghcr := store.RegistryLogin{Registry: "ghcr.io", Username: "alice", Password: "new"}
	set(ghcr)
	w.want(logins(app), []store.RegistryLogin{ghcr, quay})
	w.want(len(logins(other)), 0)
	w.ok(w.RemoveRegistryLogin(t.Context(), app.ID, "ghcr.io"))
	w.want(logins(app), []store.RegistryLogin{quay})
	if err := w.RemoveRegistryLogin(t.Context(), app.ID, "ghcr.io"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed again: %v, want ErrNotFound", err)
	}
	if s := fmt.Sprintf("%v %+v %#v", ghcr, ghcr, ghcr); strings.Contains(s, "new") {
		t.Errorf("the password shows: %s", s)
	}
}

func TestImageGrants(t *testing.T) {
	w := newWorld(t)
	app := w.repo("app")
	const name, image = "ghcr.io/acme/app", "sha256:1"
	holder := store.LoginHolder(app.ID)
	granted := func(id, holder string) bool {
		t.Helper()
		ok, err := w.Granted(t.Context(), name, id, holder)
		w.ok(err)
		return ok
	}
	w.want(granted(image, holder), true) // nobody had a login for it
	w.ok(w.Guard(t.Context(), name))
	w.ok(w.Guard(t.Context(), name))
	w.want(granted(image, holder), false)
	w.ok(w.Grant(t.Context(), name, image, holder))
	w.want([]bool{granted(image, holder), granted("sha256:2", holder), granted(image, "repo/99"), granted(image, "")},
		[]bool{true, false, false, false})
	w.ok(w.SetRegistryLogin(t.Context(), app.ID, store.RegistryLogin{Registry: "ghcr.io", Username: "alice", Password: "new"}))
	w.want(granted(image, holder), false) // the new login may be a lesser one
	w.ok(w.Grant(t.Context(), name, image, ""))
	w.want([]bool{granted(image, holder), granted(image, "repo/99"), granted("sha256:2", "")}, []bool{true, true, false})
}
