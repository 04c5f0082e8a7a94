package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

func TestEveryRequestHasAnIDOfOurs(t *testing.T) {
	w := newWorld(t)
	ids := map[string]bool{}
	for range 3 {
		a := w.get("/healthz", "X-Request-Id", "forged")
		id := a.header.Get("X-Request-Id")
		if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) || ids[id] {
			t.Errorf("request ID %q", id)
		}
		ids[id] = true
		if !strings.Contains(w.log.String(), "request="+id) {
			t.Errorf("the log lacks request %s", id)
		}
	}
	if strings.Contains(w.log.String(), "forged") {
		t.Error("the client's request ID was believed")
	}
}

func TestEveryAnswerHasSafeHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/api/repos", "/api/nothing", "/nothing"} {
		h := w.get(path).header
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

// internal checks that an answer tells nothing but an ID, and the log the rest.
func (w *world) wantInternal(a answer, cause string) {
	w.Helper()
	id := a.header.Get("X-Request-Id")
	w.wantError(a, 500, "internal_server_error", "internal error; the server's log has it under request "+id)
	if strings.Contains(a.body, cause) {
		w.Errorf("the answer tells internals: %s", a.body)
	}
	if log := w.log.String(); !strings.Contains(log, cause) || !strings.Contains(log, "request="+id) {
		w.Errorf("the log does not tell %q of request %s:\n%s", cause, id, log)
	}
}

func TestInternalErrors(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	e := w.server.Echo()
	e.GET("/api/panics", func(echo.Context) error { panic("the cat is on the keyboard") })
	e.GET("/api/fails", func(echo.Context) error { return errors.New("the dog ate it") })
	e.GET("/api/fails/echo", func(echo.Context) error {
		return echo.NewHTTPError(http.StatusBadGateway, "the bird flew off")
	})
	w.wantInternal(w.get("/api/panics"), "the cat is on the keyboard")
	if !strings.Contains(w.log.String(), "goroutine") {
		t.Error("the log lacks the stack of a panic")
	}
	w.wantInternal(w.get("/api/fails"), "the dog ate it")
	w.wantInternal(w.get("/api/fails/echo"), "the bird flew off")

	storetest.Break(t, w.path, "UPDATE", "builds")
	w.wantInternal(w.do(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", "", asAdmin()...), storetest.Broken)
	w.want(w.get("/healthz").status, http.StatusOK) // and it goes on
}

func TestPagesAnswerTheirOwnErrors(t *testing.T) {
	w := newWorld(t, func(o *server.Options) {
		o.PageError = func(err error, c echo.Context) { _ = c.HTML(http.StatusTeapot, "<p>page</p>") }
	})
	w.want(w.get("/nothing").body, "<p>page</p>")
	for _, path := range []string{"/api/nothing", "/api"} {
		w.wantError(w.get(path), 404, "not_found", "Not Found")
	}
	w.wantError(w.do(http.MethodPost, "/healthz", ""), 405, "method_not_allowed", "Method Not Allowed")
	if a := w.do(http.MethodHead, "/api/nothing", ""); a.status != http.StatusNotFound || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}

func TestHealth(t *testing.T) {
	broken := errors.New("cannot reach tcp://10.0.0.1: secret detail")
	var docker error
	w := newWorld(t, func(o *server.Options) {
		o.Checks = map[string]func(context.Context) error{
			"database": o.Store.Ping,
			"docker":   func(context.Context) error { return docker },
			"disk": func(ctx context.Context) error {
				if _, ok := ctx.Deadline(); !ok {
					return errors.New("a check may take for ever")
				}
				return nil
			},
		}
	})
	ready := func(status int) obj { return decode[obj](w, w.get("/readyz"), status) }
	w.want(ready(http.StatusOK), obj{"ready": true, "checks": obj{"database": "ok", "docker": "ok", "disk": "ok"}})
	docker = broken
	w.want(ready(http.StatusServiceUnavailable), obj{"ready": false, "checks": obj{"database": "ok", "docker": "failing", "disk": "ok"}})
	if !strings.Contains(w.log.String(), "secret detail") {
		t.Error("the log lacks why a check failed")
	}
	w.want(decode[obj](w, w.get("/healthz"), http.StatusOK), obj{"status": "ok", "version": "1.2.3"})
	docker = server.Notice("slow")
	w.want(ready(http.StatusOK), obj{"ready": true, "checks": obj{"database": "ok", "docker": "slow", "disk": "ok"}})
	docker = nil
	w.want(ready(http.StatusOK)["ready"], true)
}

// The description of the API is a valid one as far as can be told without the
// standard's own tools: every route is in it, with its parameters, and every
// reference leads somewhere.
func TestOpenAPI(t *testing.T) {
	w := newWorld(t)
	a := w.get("/api/openapi.json")
	spec := decode[obj](w, a, http.StatusOK)
	if v, _ := spec["openapi"].(string); !strings.HasPrefix(v, "3.") {
		t.Errorf("openapi: %v", spec["openapi"])
	}
	w.want(spec["info"].(obj)["version"], "1.2.3")
	ids := map[string]bool{}
	paths := spec["paths"].(obj)
	for _, route := range w.server.Echo().Routes() {
		if !strings.HasPrefix(route.Path, "/api/") || strings.HasPrefix(route.Path, "/api/openapi") || strings.HasPrefix(route.Method, "echo_") {
			continue
		}
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}")
		item, _ := paths[path].(obj)
		op, ok := item[strings.ToLower(route.Method)].(obj)
		if !ok {
			t.Errorf("%s %s is not described", route.Method, path)
			continue
		}
		id := op["operationId"].(string)
		if ids[id] {
			t.Errorf("operation %s is described twice", id)
		}
		ids[id] = true
		w.checkOperation(path, op)
		if _, secured := op["security"]; secured != (access[route.Method+" "+route.Path] == "admin") {
			t.Errorf("%s: security %v", id, op["security"])
		}
	}
	w.checkReferences(spec, spec)
	if strings.Contains(a.body, "$schema") {
		t.Error("the schemas have links to themselves")
	}
}

func (w *world) checkOperation(path string, op obj) {
	w.Helper()
	declared := map[string]bool{}
	params, _ := op["parameters"].([]any)
	for _, p := range params {
		p := p.(obj)
		if p["in"] == "path" {
			declared[p["name"].(string)] = p["required"] == true
		}
	}
	for _, m := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(path, -1) {
		if !declared[m[1]] {
			w.Errorf("%s: parameter %s is not declared", path, m[1])
		}
		delete(declared, m[1])
	}
	w.want(declared, map[string]bool{})
	for status, r := range op["responses"].(obj) {
		r := r.(obj)
		if r["description"] == nil {
			w.Errorf("%s: answer %s has no description", path, status)
		}
		if status >= "400" {
			b, err := json.Marshal(r["content"])
			w.ok(err)
			if !strings.Contains(string(b), `ApiError`) {
				w.Errorf("%s: answer %s is %s", path, status, b)
			}
		}
	}
}

// checkReferences follows every $ref in v.
func (w *world) checkReferences(spec obj, v any) {
	w.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			w.checkReferences(spec, e)
		}
	case obj:
		if ref, ok := v["$ref"].(string); ok {
			var at any = spec
			for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				m, _ := at.(obj)
				at = m[part]
			}
			if at == nil {
				w.Errorf("%s leads nowhere", ref)
			}
		}
		for _, e := range v {
			w.checkReferences(spec, e)
		}
	}
}
