package main

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"strings"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

// sample has the files of the repositories.
//
//go:embed all:sample
var sample embed.FS

var (
	ada     = githubtest.Person{Name: "Ada Lovelace", Email: "ada@harbour.example", Login: "ada"}
	grace   = githubtest.Person{Name: "Grace Hopper", Email: "grace@harbour.example", Login: "grace"}
	karen   = githubtest.Person{Name: "Karen Spärck Jones", Email: "karen@harbour.example", Login: "karen"}
	mallory = githubtest.Person{Name: "Mallory", Email: "mallory@elsewhere.example", Login: "mallory"}
)

// seeding makes builds of all kinds. The first error ends it.
type seeding struct {
	*harbour
	ctx context.Context
	err error
}

// freshPages are those of a server that has nothing yet.
var freshPages = []page{
	{name: "no-repos", path: "/"},
	{name: "queue-empty", path: "/queue"},
	{name: "deliveries-empty", path: "/deliveries"},
	{name: "search-nothing", path: "/search?q=xyzzy"},
	{name: "login", path: "/login", anonymous: true},
	{name: "closed", path: "/deliveries", anonymous: true, status: 403},
	{name: "missing", path: "/repos/harbour/boat", status: 404},
	{name: "docs", path: "/docs"},
	{name: "docs-pipeline", path: "/docs/pipeline"},
	{name: "docs-search", path: "/docs?q=token"},
}

// seed makes the builds, and returns the pages that show them.
func (h *harbour) seed(ctx context.Context) ([]page, error) {
	s := &seeding{harbour: h, ctx: ctx}
	s.pier()
	s.buoy()
	ferry := s.ferry()
	s.live()
	pages := []page{
		{name: "home", path: "/", readme: true},
		{name: "builds", path: "/repos/harbour/buoy"},
		{name: "builds-filtered", path: "/repos/harbour/buoy?branch=none"},
		{name: "branches", path: "/repos/harbour/buoy/branches"},
		{name: "pulls", path: "/repos/harbour/ferry/pulls"},
		{name: "settings", path: "/repos/harbour/ferry/settings"},
		{name: "queue", path: "/queue"},
		{name: "deliveries", path: "/deliveries"},
		{name: "delivery", path: "/deliveries/" + brokenDelivery},
		{name: "search", path: "/search?q=ferry"},
		{name: "problems", path: "/repos/harbour/pier/builds/1"},
		{name: "problems-pipeline", path: "/repos/harbour/pier/builds/1/pipeline"},
		{name: "passed", path: ferry.passed},
		{name: "failed", path: ferry.failed, readme: true},
		{name: "failed-visitor", path: ferry.failed, anonymous: true},
		{name: "failed-no-script", path: ferry.failed, noScript: true},
		{name: "history", path: "/repos/harbour/buoy/builds/12"},
		{name: "graph", path: ferry.failed + "/graph"},
		{name: "timeline", path: ferry.failed + "/timeline", readme: true},
		{name: "pipeline", path: ferry.failed + "/pipeline"},
		{name: "service", path: ferry.failed + s.step(ferry.failed, "test (1.26)", "db")},
		{name: "skipped", path: ferry.failed + s.step(ferry.failed, "docs", "publish")},
		{name: "command-long", path: ferry.passed + s.step(ferry.passed, "release", "notes")},
		{name: "approval", path: ferry.approval},
		{name: "running", path: "/repos/harbour/web/builds/1"},
		{name: "running-graph", path: "/repos/harbour/web/builds/1/graph"},
		{name: "waiting-group", path: "/repos/harbour/web/builds/2"},
		{name: "waiting-capacity", path: "/repos/harbour/buoy/builds/14"},
	}
	return pages, s.err
}

// brokenDelivery is the GUID of a webhook that no sense can be made of.
const brokenDelivery = "7a1f0000-9c1e-11ef-8b1a-325096b39f47"

// pier has a pipeline file that was written by heart.
func (s *seeding) pier() {
	r := s.repo("pier", false)
	s.push(r, "error", githubtest.Change{Files: s.files("pier"), Message: "Write the pipeline by heart", Author: karen})
	if s.err == nil { // no JSON, and so a delivery that fails
		_, s.err = s.github.Deliver(s.ctx, "push", []byte(`{"ref": "refs/heads/main", "after": `), brokenDelivery)
	}
}

// buoy has a history: the step took a different time each time, and failed at times.
func (s *seeding) buoy() {
	r := s.repo("buoy", false)
	subjects := []string{"Anchor the buoy", "Paint it red", "Ring the bell when it rains", "Count the gulls", "Sleep until the tide turns"}
	authors := []githubtest.Person{ada, grace, karen}
	for n := range 12 {
		files := map[string]string{"seconds": fmt.Sprintf("0.%d\n", 1+n*n%7)}
		c := githubtest.Change{Files: files, Message: subjects[n%len(subjects)], Author: authors[n%len(authors)]}
		want := "success"
		switch {
		case n == 0:
			maps.Copy(files, s.files("buoy"))
		case n == 4, n == 11:
			files["gull"], want = "1\n", "failure"
		case n == 5:
			c.Remove = []string{"gull"}
		case n%4 == 2:
			c.Branch = "paint/red"
		}
		s.push(r, want, c)
	}
}

// builds are the paths of the ferry's.
type builds struct{ passed, failed, approval string }

// ferry has workflows, a matrix and a service: a build that passed, one that
// failed since, and one of a fork that waits for approval.
func (s *seeding) ferry() builds {
	r := s.repo("ferry", false)
	s.push(r, "success", githubtest.Change{Files: s.files("ferry"), Message: "Build the ferry", Author: ada})
	s.push(r, "success", githubtest.Change{Message: "Sound the horn in fog", Author: grace,
		Files: map[string]string{"fog/horn.go": "package fog\n"}})
	s.commit(r, githubtest.Change{Message: "Count the passengers as they board", Author: grace,
		Files: map[string]string{"timetable/passengers.go": "package timetable\n"}})
	s.push(r, "failure", githubtest.Change{
		Message: "Leave when the timetable says so\n\nThe timetable says 12:05, the tide says 12:09.\nWe follow the timetable.", Author: ada,
		Files: map[string]string{"timetable/timetable.go": "package timetable\n\nfunc Departure() string {\n\treturn \"12:05\"\n}\n"}})
	s.pull(r)
	path := "/repos/harbour/ferry/builds/"
	return builds{passed: path + "2", failed: path + "3", approval: path + "4"}
}

// pull opens a pull request from a fork.
func (s *seeding) pull(r *githubtest.Repo) {
	if s.err != nil {
		return
	}
	fork, err := r.Fork(s.ctx, "mallory")
	if err != nil {
		s.err = err
		return
	}
	sha := s.commit(fork, githubtest.Change{Branch: "tides", Message: "Count the gulls between the tides", Author: mallory,
		Files: map[string]string{"tide/gulls.go": "package tide\n"}})
	if s.err == nil {
		_, s.err = r.OpenPullRequest(s.ctx, githubtest.PullRequest{Title: "Count the gulls between the tides", Head: "tides", From: fork, Author: mallory})
	}
	s.status(r, sha, "waits for approval", func(st githubtest.Status) bool { return strings.HasPrefix(st.Description, "waits for approval") })
}

// live makes builds that are still under way when the pictures are taken: two
// run, one waits for its group, and one for a place.
func (s *seeding) live() {
	web, buoy := s.repo("web", true), s.harbour.github.Repo("harbour", "buoy")
	if s.err != nil {
		return
	}
	s.push(web, "", githubtest.Change{Files: s.files("web"), Message: "Test plank by plank", Author: grace})
	s.waitLog("/repos/harbour/web/builds/1/jobs/1/steps/2", "plank-12")
	s.push(web, "", githubtest.Change{Branch: "double-ended-hull", Message: "Build the hull from both ends at once, so that nobody has to turn around",
		Author: karen, Files: map[string]string{"hull/bow.js": "// the other stern\n"}})
	s.push(buoy, "", githubtest.Change{Branch: "storm", Files: map[string]string{"seconds": "3600"}, Message: "Wait for the storm to end", Author: ada})
	s.waitLog("/repos/harbour/buoy/builds/13/jobs/1/steps/1", "ringing")
	s.push(buoy, "", githubtest.Change{Branch: "calm", Files: map[string]string{"seconds": "1"}, Message: "Listen to the gulls", Author: ada})
	if s.err == nil {
		s.err = s.await(s.ctx, "the last build", func() error { return s.get(s.ctx, "/api/repos/harbour/buoy/builds/14", nil) })
	}
}
