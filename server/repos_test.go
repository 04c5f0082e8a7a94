package server_test

import (
	"net/http"
	"strings"
	"testing"
)

func (w *world) patch(path, body string, header ...string) answer {
	w.Helper()
	return w.do(http.MethodPatch, path, body, append(header, "Content-Type", "application/json")...)
}

func TestSettingsOfARepository(t *testing.T) {
	w := newWorld(t)
	w.repo("app", false)
	const path = "/api/repos/acme/app"
	want := func(a answer, trust obj, file string) {
		t.Helper()
		got := decode[obj](w, a, http.StatusOK)
		w.want([]any{got["name"], got["trust"], got["pipeline_file"]}, []any{"app", trust, file})
	}
	none := obj{"security": false, "volumes": false, "network": false, "metadata": false}
	want(w.get(path, asAdmin()...), none, "")
	want(w.patch(path, `{"trust": {"volumes": true}}`, asAdmin()...), obj{"security": false, "volumes": true, "network": false, "metadata": false}, "")
	want(w.patch(path, `{"trust": {"network": true, "metadata": true}, "pipeline_file": "ci/"}`, asAdmin()...), obj{"security": false, "volumes": true, "network": true, "metadata": true}, "ci/")
	want(w.patch(path, `{}`, asAdmin()...), obj{"security": false, "volumes": true, "network": true, "metadata": true}, "ci/")
	want(w.patch(path, `{"trust": {"volumes": false, "network": false, "metadata": false}, "pipeline_file": ""}`, asAdmin()...), none, "")
	want(w.get(path, asAdmin()...), none, "")
}

func TestIsolationOfARepository(t *testing.T) {
	w := newWorld(t)
	w.repo("app", false)
	const path = "/api/repos/acme/app"
	want := func(a answer, runtime, userns string) {
		t.Helper()
		got := decode[obj](w, a, http.StatusOK)
		w.want([]any{got["runtime"], got["userns"]}, []any{runtime, userns})
	}
	want(w.get(path, asAdmin()...), "", "")
	want(w.patch(path, `{"runtime": "runsc", "userns": "host"}`, asAdmin()...), "runsc", "host")
	want(w.patch(path, `{"pipeline_file": ""}`, asAdmin()...), "runsc", "host")
	want(w.patch(path, `{"runtime": "", "userns": ""}`, asAdmin()...), "", "")
	for _, wrong := range []string{`{"runtime": "../runc"}`, `{"userns": "private"}`} {
		w.wantError(w.patch(path, wrong, asAdmin()...), 422, "unprocessable_entity", "validation failed: …")
	}
}

// Whom the page of the settings is closed to, the API does not tell them either.
func TestSettingsAreForAdmins(t *testing.T) {
	w := newWorld(t)
	w.repo("app", false)
	got := decode[obj](w, w.get("/api/repos/acme/app"), http.StatusOK)
	for _, setting := range []string{"trust", "pipeline_file", "runtime", "userns"} {
		if v, ok := got[setting]; ok {
			t.Errorf("%s: %v", setting, v)
		}
	}
	w.want(got["name"], "app")
}

func TestSettingsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.repo("app", false)
	w.repo("secret", true)
	w.wantError(w.patch("/api/repos/acme/app", `{"trust": {"security": true}}`), 401, "unauthorized", "this needs the admin token…")
	w.wantError(w.patch("/api/repos/acme/secret", `{}`), 404, "not_found", "not found")
	w.wantError(w.get("/api/repos/acme/secret"), 404, "not_found", "not found")
	w.wantError(w.patch("/api/repos/acme/none", `{}`, asAdmin()...), 404, "not_found", "not found")
	for _, file := range []string{"../x", "/etc/passwd", "a//b", ".", "./a", "a/../b", `a\nb`} {
		w.wantError(w.patch("/api/repos/acme/app", `{"pipeline_file": "`+file+`"}`, asAdmin()...), 422, "unprocessable_entity",
			"pipeline_file must be a path…")
	}
	w.wantError(w.patch("/api/repos/acme/app", `{"trust": {"all": true}}`, asAdmin()...), 422, "unprocessable_entity", "validation failed: …")
	if got := decode[obj](w, w.get("/api/repos/acme/app", asAdmin()...), http.StatusOK); got["pipeline_file"] != "" || got["trust"].(obj)["security"] != false {
		t.Errorf("settings: %v", got)
	}
}

func TestSchemaForEditors(t *testing.T) {
	w := newWorld(t)
	a := w.get("/schema/pipeline.json")
	schema := decode[obj](w, a, http.StatusOK)
	if s, _ := schema["$schema"].(string); !strings.Contains(s, "2020-12") {
		t.Errorf("$schema: %v", schema["$schema"])
	}
	w.want(a.header.Get("Access-Control-Allow-Origin"), "*")
}
