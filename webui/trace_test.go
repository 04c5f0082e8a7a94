package webui_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// skipJob makes a job one whose conditions kept it out.
func skipJob(j *store.NewJob, reason string, why ...pipeline.Condition) {
	changePlan(j, func(w *pipeline.Workflow) { w.Skip, w.Why = reason, why })
	j.Skip = reason
}

// skipStep makes the last step of a job one that its conditions kept out.
func skipStep(j *store.NewJob, reason string, why ...pipeline.Condition) {
	changePlan(j, func(w *pipeline.Workflow) {
		s := &w.Steps[len(w.Steps)-1]
		s.Skip, s.Why = reason, why
	})
}

func changePlan(j *store.NewJob, change func(*pipeline.Workflow)) {
	var w pipeline.Workflow
	err := json.Unmarshal(j.Plan, &w)
	if err == nil {
		change(&w)
		j.Plan, err = json.Marshal(w)
	}
	if err != nil {
		panic(err)
	}
}

func TestPageSaysWhyAWorkflowDidNotRun(t *testing.T) {
	s := newSite(t)
	r := s.repo("acme", "app", false)
	docs := job("docs", "publish")
	skipJob(&docs, "branch is main, wanted release/*",
		pipeline.Condition{Key: "branch", Want: []string{"release/*", "<b>"}, Got: "main", Entry: 1},
		pipeline.Condition{Key: "event", Want: []string{"tag"}, Entry: 2},
		pipeline.Condition{Key: "repo", Want: []string{"acme/*"}, Got: "acme/app", Result: true, Entry: 2})
	s.create(push(r, 1), job("test", "build"), docs)
	page := s.page(t, "/repos/acme/app/builds/1")
	wantAll(t, page, "Why it did not run", "Entry 1 of", "or entry 2 of", "<code>branch</code>", "release/*, &lt;b&gt;", "<td>main</td>",
		`<span class="dim">nothing</span>`, `<tr class="held"><th scope="row"><code>repo</code>`)
	if n := strings.Count(page, `<table class="trace">`); n != 2 {
		t.Errorf("%d tables, want one for each entry", n)
	}
}

func TestPageSaysWhyAStepDidNotRun(t *testing.T) {
	s := newSite(t)
	r := s.repo("acme", "app", false)
	j := job("test", "db", "build", "deploy")
	changePlan(&j, func(w *pipeline.Workflow) { // a service is numbered before the steps
		w.Services, w.Steps = w.Steps[:1], w.Steps[1:]
	})
	j.Steps[0].Kind = string(pipeline.KindService)
	skipStep(&j, "branch is main, wanted prod", pipeline.Condition{Key: "branch", Want: []string{"prod"}, Got: "main"})
	s.create(push(r, 1), j)
	wantAll(t, s.page(t, "/repos/acme/app/builds/1/jobs/1/steps/3"), "Why it did not run", "<td>prod</td>", "<td>main</td>")
	if page := s.page(t, "/repos/acme/app/builds/1/jobs/1/steps/2"); strings.Contains(page, "Why it did not run") {
		t.Error("a step that runs has a trace")
	}
}

func TestBuildPageNamesItsEvent(t *testing.T) {
	s := newSite(t)
	r := s.repo("acme", "app", false)
	release, deploy, closed := push(r, 1), push(r, 2), push(r, 3)
	release.Event, release.Branch, release.Tag, release.Release = "release", "", "v1", &store.Release{Name: "One"}
	deploy.Event, deploy.Deploy = "deployment", &store.Deploy{Target: "production", Task: "deploy", ID: 7}
	closed.Event, closed.Pull = "pull_request_closed", &store.Pull{Number: 3, HeadBranch: "topic", BaseBranch: "main"}
	for _, b := range []store.Build{release, deploy, closed} {
		s.create(b, job("test", "build"))
	}
	wantAll(t, s.page(t, "/repos/acme/app/builds/1"), "Release One</a> of", ">v1</span>")
	wantAll(t, s.page(t, "/repos/acme/app/builds/2"), "Deployment</a> of", "<b>production</b>")
	wantAll(t, s.page(t, "/repos/acme/app/builds/3"), "End of <a", "Pull request #3")
}

// page is a page as everybody sees it.
func (s *site) page(t *testing.T, path string) string {
	t.Helper()
	status, page := s.get(http.DefaultClient, path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d", path, status)
	}
	return page
}
