package webui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

func TestGraphShowsEveryStep(t *testing.T) {
	s := newSite(t)
	b := s.seedHarbour(s.repo("ada", "engine", false), 1)
	page := s.page(t, "/repos/ada/engine/builds/1/graph")
	jobs, err := s.store.Jobs(t.Context(), b.ID)
	must(t, err)
	for _, j := range jobs {
		if j.Base != "" { // a line of its matrix
			wantAll(t, page, fmt.Sprintf(`id="g%d"`, j.Number), fmt.Sprintf(`id="lg%d"`, j.Number))
			continue
		}
		steps, err := s.store.Steps(t.Context(), j.ID)
		must(t, err)
		for _, st := range steps {
			wantAll(t, page, fmt.Sprintf(`<a href="/repos/ada/engine/builds/1/jobs/%d/steps/%d" id="g%[1]d-%[2]d"`, j.Number, st.Number),
				"<title>"+st.Name+", ")
		}
	}
	wantAll(t, page, "4 jobs", "ebb, full", "<small>after planks-port, planks-starboard</small>", "after lint, test",
		"a-step-whose-name-is-longer-than-any-card-is-wide", "a-step-whose-name-is-…", `href="/repos/ada/engine/builds/1/timeline"`)
	// Into hull's card four edges lead to the parts and two from them; one more
	// leads on to the matrix, and from there and from lint to the release.
	if n := strings.Count(page, `class="edge"`); n != 3+5+2 {
		t.Errorf("%d edges", n)
	}
}

// A service is before what uses it, but not in one row with it.
func TestGraphKeepsServicesApart(t *testing.T) {
	s := newSite(t)
	w := harbour()[2] // of the matrix, as a workflow of its own
	w.Base, w.Matrix, w.DependsOn = "", nil, nil
	s.create(push(s.repo("ada", "engine", false), 1), w)
	page := s.page(t, "/repos/ada/engine/builds/1/graph")
	wantAll(t, page, "postgres (service)", "<title>unit, Waiting, after postgres</title>", "<title>sail, Waiting, after unit</title>", `class="st-blocked beside"`)
	if n := strings.Count(page, `class="edge"`); n != 1 {
		t.Errorf("%d edges", n)
	}
}

func TestPipelinePageShowsFilesAndPlan(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	s.seedHarbour(r, 1)
	page := s.page(t, "/repos/ada/engine/builds/1/pipeline")
	wantAll(t, page, `id=".slipway/hull.yml:2"`, "<pre>  - name: keel</pre>", "<code>make keel</code>", "HARBOUR_TOKEN",
		"from the secret harbour_token", "<code>BERTH</code>", "at most 1 job of the group release",
		"privileged: all of the machine (security), network host (network)", "MOON: full, TIDE: ebb")

	s.seedProblems(r, 2)
	page = s.page(t, "/repos/ada/engine/builds/2/pipeline")
	wantAll(t, page, `<tr class="bad" id=".slipway.yml:4">`, `<p class="err"><b>Problem:</b> unknown key`, `<p class="warn"><b>Warning:</b> the tag latest moves`)

	s.create(push(r, 3), job("test", "build"))
	wantAll(t, s.page(t, "/repos/ada/engine/builds/3/pipeline"), "were not kept")
}

func TestTimelineTellsPhasesApart(t *testing.T) {
	s := newSite(t)
	s.atOnce(func() { s.seedHarbour(s.repo("ada", "engine", false), 1) }) // lengths of time are exact
	page := s.page(t, "/repos/ada/engine/builds/1/timeline")
	wantAll(t, page, "queue 7.0s · source 4.0s · run 28s", "pull 2.0s · wait 1.0s · run 14s", "wait 2.0s · pull 6.0s · run 24s",
		`class="ph-pull b-failure"`, "wait for a service or a slot")
}

func TestApprovalNamesTrust(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	b := push(r, 1)
	b.Event, b.NeedsApproval, b.Pull = "pull_request", true, &store.Pull{Number: 7, HeadRepo: "mallory/engine", Fork: true}
	s.create(b, harbour()...)
	page := s.page(t, "/repos/ada/engine/builds/1")
	wantAll(t, page, "Uses the repository’s trust:</b> privileged: all of the machine (security); network host (network).",
		"This waits for an approval")
	if n := strings.Count(page, `class="trust"`); n != 1 {
		t.Errorf("%d steps are said to use trust", n)
	}
}

// Jobs of a matrix that do the same are told of once, with all their images.
func TestApprovalGroupsJobsOfAMatrix(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	b := push(r, 1)
	b.Event, b.NeedsApproval, b.Pull = "pull_request", true, &store.Pull{Number: 7, HeadRepo: "mallory/engine", Fork: true}
	var jobs []store.NewJob
	for _, version := range []string{"1.24", "1.25", "1.26"} {
		unit := step("unit")
		unit.Image = "golang:" + version
		if version == "1.26" {
			unit.Commands = []string{"make unit race"}
		}
		jobs = append(jobs, planned(pipeline.Workflow{Name: "test (" + version + ")", Base: "test", Matrix: map[string]string{"GO": version},
			Steps: []pipeline.Step{step("build"), unit}}))
	}
	s.create(b, jobs...)
	page := s.page(t, "/repos/ada/engine/builds/1")
	wantAll(t, page, `<b>test</b> <span class="dim">(2 jobs: GO 1.24, 1.25)</span>`, "<code>golang:1.24</code>, <code>golang:1.25</code>",
		"<b>test (1.26)</b>", "make unit race")
	if n := strings.Count(page, "make build"); n != 2 {
		t.Errorf("the command is told %d times", n)
	}
}

// Nothing that a fork can have run is left out of what is told, and jobs that
// differ in it are not told of as one.
func TestApprovalTellsWhatIsGiven(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	b := push(r, 1)
	b.Event, b.NeedsApproval, b.Pull = "pull_request", true, &store.Pull{Number: 7, HeadRepo: "mallory/engine", Fork: true}
	var jobs []store.NewJob
	for _, version := range []string{"1.24", "1.25"} {
		run := step("run")
		run.Commands, run.Entrypoint, run.Args = nil, []string{"/bin/sh", "-c"}, []string{"curl mallory.example/" + version}
		run.Environment = map[string]string{"CI_STEP_NAME": "run", "PLUGIN_SCRIPT": "<b>rm -rf</b> /"}
		run.Secrets = map[string]string{"TOKEN": "deploy_token"}
		jobs = append(jobs, planned(pipeline.Workflow{Name: "test (" + version + ")", Base: "test", Matrix: map[string]string{"GO": version},
			Steps: []pipeline.Step{run}}))
	}
	s.create(b, jobs...)
	page := s.page(t, "/repos/ada/engine/builds/1")
	wantAll(t, page, "entrypoint: /bin/sh -c", "arguments: curl mallory.example/1.24", "arguments: curl mallory.example/1.25",
		"PLUGIN_SCRIPT=&lt;b&gt;rm -rf&lt;/b&gt; /", "TOKEN: the secret deploy_token")
	wantNone(t, page, "CI_STEP_NAME")
}

func TestPageSaysWhatItWaitsFor(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	release := harbour()[6]
	release.DependsOn = nil
	for n := range int64(3) {
		s.create(push(r, n+1), release)
	}
	wantAll(t, s.page(t, "/repos/ada/engine/builds/1"), "waits for a free place, next in the queue.")
	wantAll(t, s.page(t, "/repos/ada/engine/builds/3"),
		`waits for its turn in the group release, of which 1 job may run at once: <a href="/repos/ada/engine/builds/1">#1 release</a>`)
	for n := range int64(6) {
		s.create(push(r, n+4), job("test", "build"))
	}
	wantAll(t, s.page(t, "/repos/ada/engine/builds/6"), "waits for a free place, 4th of 7 in the queue.")
	s.create(push(r, 10), job("build", "build"), func() store.NewJob {
		j := job("after", "build")
		j.DependsOn = []string{"build"}
		return j
	}())
	wantAll(t, s.page(t, "/repos/ada/engine/builds/10"), "waits for build.")
}

func TestPartsOfABuildAreRestarted(t *testing.T) {
	s := newSite(t)
	r := s.repo("ada", "engine", false)
	first := s.create(push(r, 1), job("lint", "vet"), job("test", "unit"))
	lint, unit := s.claim(), s.claim()
	s.startStep(lint, 1, 0)
	w := s.writer(lint, 1)
	must(t, w.Append(output("vetted in the first build")))
	must(t, w.Close())
	s.finishStep(lint, 1, store.Success, 0)
	s.finishJob(lint, store.Success, "", 0)
	s.startStep(unit, 1, 0)
	s.finishStep(unit, 1, store.Failure, 1)
	s.finishJob(unit, store.Failure, "step unit failed: exit code 1", 1)
	c, csrf := s.admin()
	_, page := s.get(c, "/repos/ada/engine/builds/1")
	wantAll(t, page, "Restart what failed", "Restart all", "Restart from here", `name="job" value="2"`, `name="step" value="1"`)
	press := func(form url.Values) string {
		t.Helper()
		form.Set("csrf", csrf)
		res, _ := s.post(c, "/repos/ada/engine/builds/1/restart", form)
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("status %d", res.StatusCode)
		}
		_, page := s.get(c, res.Header.Get("Location"))
		return page
	}

	wantAll(t, press(url.Values{"what": {"failed"}}), "runs a part of build #1 again", `Restart of what failed in <a href="/repos/ada/engine/builds/1">#1</a>`)
	second, err := s.store.Build(t.Context(), r.ID, 2)
	must(t, err)
	second.Planned = true
	must(t, s.store.PlanBuild(t.Context(), second, []store.NewJob{s.carry(first, job("lint", "vet")), job("test", "unit")}))
	_, page = s.get(c, "/repos/ada/engine/builds/2")
	wantAll(t, page, `Carried over from <a href="/repos/ada/engine/builds/1">#1</a>`, `href="/repos/ada/engine/builds/1/jobs/1/steps/1"`)
	wantAll(t, s.page(t, "/repos/ada/engine/builds/2/jobs/1/steps/1"), "vetted in the first build")
	wantAll(t, s.page(t, "/repos/ada/engine/builds/2/timeline"), "lint ran in build #1")

	wantAll(t, press(url.Values{"job": {"2"}, "step": {"1"}}), `Restart of a step of <a`)
	third, err := s.store.Build(t.Context(), r.ID, 3)
	must(t, err)
	if third.Rerun != (store.Rerun{Job: 2, Step: 1}) {
		t.Errorf("build 3 runs %+v again", third.Rerun)
	}
}
