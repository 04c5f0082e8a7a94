package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
)

// access is who may use each route. A new route fails the test until it stands
// here.
var access = map[string]string{
	"POST /webhook":                                    "open",
	"GET /healthz":                                     "open",
	"GET /readyz":                                      "open",
	"GET /api/openapi.json":                            "open",
	"GET /api/openapi.yaml":                            "open",
	"GET /api/openapi-3.0.json":                        "open",
	"GET /api/openapi-3.0.yaml":                        "open",
	"GET /api/repos":                                   "open",
	"GET /schema/pipeline.json":                        "open",
	"GET /api/repos/:owner/:name":                      "repo",
	"PATCH /api/repos/:owner/:name":                    "admin",
	"GET " + registriesRoute:                           "admin",
	"PUT " + registriesRoute + "/:registry":            "admin",
	"DELETE " + registriesRoute + "/:registry":         "admin",
	"GET " + repoRoute:                                 "repo",
	"GET " + buildRoute:                                "repo",
	"GET " + buildRoute + "/events":                    "repo",
	"GET " + buildRoute + "/jobs/:job/steps/:step/log": "repo",
	"POST " + buildRoute + "/cancel":                   "admin",
	"POST " + buildRoute + "/restart":                  "admin",
	"POST " + buildRoute + "/approve":                  "admin",
}

const (
	repoRoute       = "/api/repos/:owner/:name/builds"
	buildRoute      = repoRoute + "/:number"
	registriesRoute = "/api/repos/:owner/:name/registries"
)

// The token opens what changes something and private repositories. Without it a
// private repository is as one that does not exist, on every route.
func TestAuthorisationOfEveryRoute(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"public", "private"} {
		w.build(w.repo(name, name == "private"), store.Build{})
		w.end(w.claim())
	}
	seen := map[string]bool{}
	for _, route := range w.server.Echo().Routes() {
		key := route.Method + " " + route.Path
		if route.Method == "echo_route_not_found" {
			continue
		}
		seen[key] = true
		t.Run(key, func(t *testing.T) {
			w.T = t
			kind, ok := access[key]
			if !ok {
				t.Fatal("the test does not know who may use this route")
			}
			if kind != "open" {
				w.checkAccess(kind, route.Method, route.Path)
			}
		})
	}
	w.T = t
	for key := range access {
		if !seen[key] {
			t.Errorf("there is no route %s", key)
		}
	}
}

// loginToRemove gives a repository what a route removes.
func (w *world) loginToRemove(name string) {
	w.Helper()
	r, err := w.store.Repo(w.ctx, "acme", name)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	w.ok(err)
	w.ok(w.store.SetRegistryLogin(w.ctx, r.ID, store.RegistryLogin{Registry: "ghcr.io", Username: "ci", Password: "pw"}))
}

func (w *world) checkAccess(kind, method, route string) {
	w.Helper()
	try := func(repo string, header ...string) answer {
		w.Helper()
		path := strings.NewReplacer(":owner", "acme", ":name", repo, ":number", "1", ":job", "1", ":step", "2", ":registry", "ghcr.io").Replace(route)
		w.loginToRemove(repo)
		return w.do(method, path, "", header...)
	}
	const none = 0
	want := map[string]int{"repo": none, "admin": http.StatusUnauthorized}[kind]
	if a := try("public"); want == none && a.status >= 300 || want != none && a.status != want {
		w.Errorf("a public repository without the token: %d %s", a.status, a.body)
	}
	hidden, missing := try("private"), try("missing")
	if hidden.status != http.StatusNotFound || hidden.body != missing.body {
		w.Errorf("a private repository without the token: %d %s; one that is missing: %d %s",
			hidden.status, hidden.body, missing.status, missing.body)
	}
	for _, header := range []string{"Bearer wrong", "Bearer ", "Bearer", "Basic " + adminToken, adminToken, "Bearer " + adminToken + "x"} {
		for _, repo := range []string{"public", "private"} {
			w.wantError(try(repo, "Authorization", header), 401, "unauthorized", "the token is not the admin token…")
		}
	}
	for _, header := range []string{"Bearer " + adminToken, "bearer  " + adminToken + " "} {
		a := try("private", "Authorization", header)
		if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusNotFound {
			w.Errorf("a private repository with the token (%q): %d %s", header, a.status, a.body)
		}
	}
}

// Without a configured token nobody is admin.
func TestNoAdminToken(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.AdminToken = "" })
	w.build(w.repo("app", false), store.Build{})
	for _, token := range []string{"", " ", "x"} {
		a := w.do(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", "", "Authorization", "Bearer "+token)
		w.wantError(a, 401, "unauthorized", "the token is not the admin token…")
	}
	w.wantError(w.do(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", ""), 401, "unauthorized", "this needs the admin token…")
}

// What differs between a repository that is hidden and one that is missing must
// not be in the headers either.
func TestHiddenRepositoryShowsInNoHeader(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("private", true), store.Build{})
	header := func(repo string) string {
		h := w.get("/api/repos/acme/" + repo + "/builds").header.Clone()
		for _, name := range []string{"X-Request-Id", "Date"} {
			h.Del(name)
		}
		return fmt.Sprint(h)
	}
	w.want(header("private"), header("missing"))
}
