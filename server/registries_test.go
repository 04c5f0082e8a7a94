package server_test

import (
	"net/http"
	"strings"
	"testing"
)

func (w *world) put(path, body string, header ...string) answer {
	w.Helper()
	return w.do(http.MethodPut, path, body, append(header, "Content-Type", "application/json")...)
}

func TestRegistryLoginsOfARepository(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app", false)
	const path = "/api/repos/acme/app/registries"
	list := func() []any {
		t.Helper()
		return decode[obj](w, w.get(path, asAdmin()...), http.StatusOK)["registries"].([]any)
	}
	w.want(list(), []any{})
	a := w.put(path+"/registry.example:5000", `{"username": "alice", "password": "not to be seen"}`, asAdmin()...)
	w.want(decode[obj](w, a, http.StatusOK), obj{"registry": "registry.example:5000", "username": "alice"})
	w.want(list(), []any{obj{"registry": "registry.example:5000", "username": "alice"}})
	stored, err := w.store.RegistryLogins(t.Context(), r.ID)
	w.ok(err)
	w.want(stored[0].Password, "not to be seen")
	if strings.Contains(w.log.String(), "not to be seen") {
		t.Errorf("the log has the password: %s", w.log)
	}
	w.want(w.do(http.MethodDelete, path+"/registry.example:5000", "", asAdmin()...).status, http.StatusNoContent)
	w.want(list(), []any{})
	w.wantError(w.do(http.MethodDelete, path+"/registry.example:5000", "", asAdmin()...), 404, "not_found", "not found")
}

func TestRegistryLoginsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.repo("app", false)
	const path = "/api/repos/acme/app/registries"
	const login = `{"username": "alice", "password": "pw"}`
	w.wantError(w.get(path), 401, "unauthorized", "this needs the admin token…")
	w.wantError(w.put(path+"/ghcr.io", login), 401, "unauthorized", "this needs the admin token…")
	w.wantError(w.do(http.MethodDelete, path+"/ghcr.io", ""), 401, "unauthorized", "this needs the admin token…")
	w.wantError(w.put("/api/repos/acme/none/registries/ghcr.io", login, asAdmin()...), 404, "not_found", "not found")
	w.wantError(w.put(path+"/ghcr.io", "", asAdmin()...), 422, "unprocessable_entity", "the request has no username and password")
	w.wantError(w.put(path+"/ghcr.io", `{"username": "", "password": "pw"}`, asAdmin()...), 422, "unprocessable_entity", "validation failed…")
	for _, name := range []string{"library", "GHCR.io", "https:%2F%2Fghcr.io", "ghcr.io%2Facme", "a b.c"} {
		w.wantError(w.put(path+"/"+name, login, asAdmin()...), 422, "unprocessable_entity", "the registry must be written as in an image's name…")
	}
}
