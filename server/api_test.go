package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

type obj = map[string]any

func TestAPIShowsABuild(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{Message: "Fix <it>", Author: "mona", Sender: "hubot", SHA: strings.Repeat("ab", 20),
		Event: "pull_request", Ref: "refs/pull/3/head", Branch: "main", Pull: &store.Pull{Number: 3, Title: "Fix", HeadBranch: "fix",
			BaseBranch: "main", HeadRepo: "acme/app"}})
	w.end(w.claim())
	b := decode[obj](w, w.get("/api/repos/ACME/app/builds/1"), http.StatusOK)
	job := b["jobs"].([]any)[0].(obj)
	steps := job["steps"].([]any)
	for _, o := range []obj{b, job, steps[1].(obj)} {
		for _, name := range []string{"created_at", "queued_at", "started_at", "finished_at"} {
			if v, ok := o[name].(string); ok && !strings.HasSuffix(v, "Z") {
				t.Errorf("%s is %s", name, v)
			}
			delete(o, name)
		}
	}
	delete(b, "jobs")
	delete(job, "steps")
	w.want(b, obj{"number": 1.0, "status": "failure", "reason": "step test failed: exit code 2", "event": "pull_request",
		"ref": "refs/pull/3/head", "branch": "main", "commit": strings.Repeat("ab", 20), "message": "Fix <it>", "author": "mona",
		"sender": "hubot", "url": "https://ci.example/repos/acme/app/builds/1", "pull_request": obj{"number": 3.0, "title": "Fix",
			"head_branch": "fix", "base_branch": "main", "head_repo": "acme/app", "fork": false}})
	w.want(job, obj{"number": 1.0, "workflow": "main", "status": "failure", "reason": "step test failed: exit code 2"})
	w.want(steps, []any{
		obj{"number": 1.0, "name": "db", "kind": "service", "image": "db:1", "status": "skipped", "error": "step test failed: exit code 2",
			"finished_at": steps[0].(obj)["finished_at"]},
		obj{"number": 2.0, "name": "test", "kind": "commands", "image": "busybox", "status": "failure", "exit_code": 2.0, "error": "exit code 2"},
	})
}

func TestAPITellsWhyAStepFailed(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	w.end(w.claim())
	failed, err := w.store.UndigestedSteps(w.ctx, 1)
	w.ok(err)
	w.ok(w.store.SaveDigest(w.ctx, store.Digest{StepID: failed[0].ID, BuildID: failed[0].Build.ID, RepoID: failed[0].Build.RepoID,
		Line: 7, Title: "a.go:1:2: undefined: b", Text: "# a\na.go:1:2: undefined: b"}, nil))
	b := decode[obj](w, w.get("/api/repos/acme/app/builds/1"), http.StatusOK)
	steps := b["jobs"].([]any)[0].(obj)["steps"].([]any)
	w.want(steps[1].(obj)["failure"], obj{"line": 7.0, "title": "a.go:1:2: undefined: b", "excerpt": "# a\na.go:1:2: undefined: b"})
	if _, ok := steps[0].(obj)["failure"]; ok {
		t.Error("a step that did not fail has a failure")
	}
}

func TestAPIListsRepositories(t *testing.T) {
	w := newWorld(t)
	w.want(w.get("/api/repos").body, "[]\n")
	w.repo("empty", false)
	w.build(w.repo("app", false), store.Build{})
	w.build(w.repo("hidden", true), store.Build{})
	names := func(header ...string) (names []string) {
		t.Helper()
		for _, r := range decode[[]obj](w, w.get("/api/repos", header...), http.StatusOK) {
			name := r["name"].(string)
			if latest, ok := r["latest_build"].(obj); ok {
				name += " " + latest["status"].(string)
			}
			names = append(names, name)
		}
		return names
	}
	w.want(names(), []string{"app pending", "empty"})
	w.want(names(asAdmin()...), []string{"hidden pending", "app pending", "empty"})
}

func TestAPIListsBuilds(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app", false)
	w.want(w.get("/api/repos/acme/app/builds").body, "[]\n")
	w.build(r, store.Build{SHA: strings.Repeat("a", 40)})
	w.build(r, store.Build{SHA: strings.Repeat("b", 40), Event: "tag", Ref: "refs/tags/v1", Tag: "v1"})
	w.build(r, store.Build{SHA: strings.Repeat("c", 40), Event: "push", Ref: "refs/heads/a/b", Branch: "a/b"})
	w.end(w.claim())
	tests := []struct {
		query string
		want  []float64
	}{
		{"", []float64{3, 2, 1}},
		{"?limit=2", []float64{3, 2}},
		{"?limit=2&before=2", []float64{1}},
		{"?before=1", nil},
		{"?branch=a%2Fb", []float64{3}},
		{"?branch=main&status=failure", []float64{1}},
		{"?event=tag", []float64{2}},
		{"?status=pending", []float64{3, 2}},
		{"?commit=bbbb", []float64{2}},
		{"?commit=" + strings.Repeat("c", 40), []float64{3}},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			w.T = t
			var got []float64
			for _, b := range decode[[]obj](w, w.get("/api/repos/acme/app/builds"+tt.query), http.StatusOK) {
				got = append(got, b["number"].(float64))
			}
			w.want(got, tt.want)
		})
	}
}

// Every error has one shape, whoever makes it: a handler, the validation or the
// router.
func TestAPIErrors(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app", false)
	w.build(r, store.Build{})
	w.build(r, store.Build{Status: store.Error, Reason: "bad"})
	const build = "/api/repos/acme/app/builds/1"
	long := strings.Repeat("x", 70<<10)
	tests := []struct {
		name, method, path, body string
		status                   int
		code, message            string
	}{
		{"no route", "GET", "/api/nothing", "", 404, "not_found", "Not Found"},
		{"the root of the API", "GET", "/api", "", 404, "not_found", "Not Found"},
		{"wrong method", "DELETE", build, "", 405, "method_not_allowed", "Method Not Allowed"},
		{"wrong method of an action", "GET", build + "/cancel", "", 405, "method_not_allowed", "Method Not Allowed"},
		{"no repository", "GET", "/api/repos/acme/none/builds", "", 404, "not_found", "not found"},
		{"no build", "GET", "/api/repos/acme/app/builds/9", "", 404, "not_found", "not found"},
		{"no job", "GET", build + "/jobs/2/steps/1/log", "", 404, "not_found", "not found"},
		{"no step", "GET", build + "/jobs/1/steps/3/log", "", 404, "not_found", "not found"},
		{"a number that is none", "GET", "/api/repos/acme/app/builds/x", "", 422, "unprocessable_entity", "validation failed: …"},
		{"a number from 1", "GET", "/api/repos/acme/app/builds/0", "", 422, "unprocessable_entity", "validation failed: …"},
		{"limit", "GET", "/api/repos/acme/app/builds?limit=201", "", 422, "unprocessable_entity", "validation failed: …"},
		{"event", "GET", "/api/repos/acme/app/builds?event=x", "", 422, "unprocessable_entity", "validation failed: …"},
		{"status", "GET", "/api/repos/acme/app/builds?status=green", "", 422, "unprocessable_entity", "validation failed: …"},
		{"commit", "GET", "/api/repos/acme/app/builds?commit=xyz", "", 422, "unprocessable_entity", "validation failed: …"},
		{"from", "GET", build + "/jobs/1/steps/1/log?from=0", "", 422, "unprocessable_entity", "validation failed: …"},
		{"cancel of what has ended", "POST", "/api/repos/acme/app/builds/2/cancel", "", 409, "conflict", "cancel build: the build has ended"},
		{"restart of what has not", "POST", build + "/restart", "", 409, "conflict", "restart build: the build has not ended"},
		{"restart of failed steps", "POST", "/api/repos/acme/app/builds/2/restart", `{"failed_only":true,"job":1,"step":1}`, 422, "unprocessable_entity", "give failed_only, or job and step together, or nothing for the whole build"},
		{"restart of half a step", "POST", "/api/repos/acme/app/builds/2/restart", `{"step":1}`, 422, "unprocessable_entity", "give failed_only, or job and step together, or nothing for the whole build"},
		{"restart of no step", "POST", "/api/repos/acme/app/builds/2/restart", `{"job":1,"step":9}`, 404, "not_found", "…"},
		{"approval of what does not wait", "POST", build + "/approve", "", 409, "conflict", "approve build: the build does not wait for approval of commit …"},
		{"approval without sense", "POST", build + "/approve", "{", 400, "bad_request", "…"},
		{"approval of another type", "POST", build + "/approve", `{"commit": 7}`, 422, "unprocessable_entity", "validation failed: …"},
		{"approval with more", "POST", build + "/approve", `{"sha": "x"}`, 422, "unprocessable_entity", "validation failed: …"},
		{"approval that is too long", "POST", build + "/approve", `{"commit": "` + long + `"}`, 413, "request_entity_too_large", "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.T = t
			header := append(asAdmin(), "Content-Type", "application/json")
			w.wantError(w.do(tt.method, tt.path, tt.body, header...), tt.status, tt.code, tt.message)
		})
	}
}

func TestAPICancelsAndRestarts(t *testing.T) {
	w := newWorld(t)
	w.build(w.repo("app", false), store.Build{})
	const path = "/api/repos/acme/app/builds/"
	b := decode[obj](w, w.do(http.MethodPost, path+"1/cancel", "", asAdmin()...), http.StatusOK)
	w.want([]any{b["status"], b["reason"], b["canceled_by"]}, []any{"canceled", "canceled by admin", "admin"})

	a := w.do(http.MethodPost, path+"1/restart", "", asAdmin()...)
	b = decode[obj](w, a, http.StatusCreated)
	w.want([]any{b["number"], b["restarts"], b["status"], b["sender"]}, []any{2.0, 1.0, "pending", "admin"})
	w.want(a.header.Get("Location"), path+"2")
	again := decode[obj](w, w.get(a.header.Get("Location")), http.StatusOK)
	w.want(again["number"], 2.0)

	part := w.do(http.MethodPost, path+"1/restart", `{"failed_only":true}`, append(asAdmin(), "Content-Type", "application/json")...)
	w.want(decode[obj](w, part, http.StatusCreated)["restarts"], 1.0)
}

func TestAPIApproves(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app", false)
	sha := strings.Repeat("ab", 20)
	fork := store.Build{SHA: sha, Event: "pull_request", Ref: "refs/pull/3/head", Pull: &store.Pull{Number: 3, Fork: true}, NeedsApproval: true}
	for i, body := range []string{`{"commit":"` + sha + `"}`, `{}`, ``} {
		fork.Pull.Number = i
		w.build(r, fork)
		path := "/api/repos/acme/app/builds/" + string(rune('1'+i)) + "/approve"
		header := asAdmin()
		if body != "" {
			header = append(header, "Content-Type", "application/json")
			other := w.do(http.MethodPost, path, `{"commit":"`+strings.Repeat("0", 40)+`"}`, header...)
			w.wantError(other, 409, "conflict", "approve build: the build does not wait for approval of commit 0000000")
		}
		b := decode[obj](w, w.do(http.MethodPost, path, body, header...), http.StatusOK)
		w.want([]any{b["status"], b["approved_by"]}, []any{"pending", "admin"})
	}
}
