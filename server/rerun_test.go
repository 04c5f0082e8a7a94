package server_test

import (
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// end ends the job of a workflow that is queued, and a step of it.
func (f *forge) end(workflow string, to store.Status) {
	f.Helper()
	j, err := f.store.Claim(f.ctx)
	f.ok(err)
	f.want(j.Name, workflow)
	steps, err := f.store.Steps(f.ctx, j.ID)
	f.ok(err)
	for _, s := range steps {
		st := store.Step{JobID: j.ID, Number: s.Number, Status: store.Success, FinishedAt: f.store.Now()}
		if s.Name == "unit" && to != store.Success {
			st.Status = to
		}
		f.ok(f.store.FinishStep(f.ctx, st))
	}
	f.ok(f.store.FinishJob(f.ctx, j.ID, to, "", 0))
}

// jobsOf are the workflows of a build, as "name status".
func (f *forge) jobsOf(b store.Build) string {
	f.Helper()
	jobs, err := f.store.Jobs(f.ctx, b.ID)
	f.ok(err)
	var out []string
	for _, j := range jobs {
		out = append(out, j.Name+" "+string(j.Status))
	}
	return strings.Join(out, ", ")
}

var severalFiles = map[string]string{
	".slipway/lint.yml":   "steps: [{name: vet, image: go, commands: [vet]}]",
	".slipway/notify.yml": "depends_on: [test]\nruns_on: [success, failure]\nsteps: [{name: tell, image: curl, commands: [tell]}]",
	".slipway/test.yml": `steps:
  - {name: build, image: go, commands: [build], depends_on: []}
  - {name: docs, image: go, commands: [docs], depends_on: []}
  - {name: unit, image: go, commands: [unit], depends_on: [build]}
  - {name: race, image: go, commands: [race], depends_on: [build]}
  - {name: upload, image: go, commands: [upload], depends_on: [unit]}
`,
}

func TestRestartOfAPart(t *testing.T) {
	f := newForge(t)
	f.start()
	f.push(f.addRepo("app"), githubtest.Change{Files: severalFiles})
	f.settled()
	f.end("lint", store.Success)
	f.end("test", store.Failure)
	f.end("notify", store.Success)
	repo, err := f.store.Repo(f.ctx, "acme", "app")
	f.ok(err)
	first, err := f.store.Build(f.ctx, repo.ID, 1)
	f.ok(err)
	again := func(what store.Rerun) store.Build {
		t.Helper()
		b, err := f.store.Restart(f.ctx, first.ID, "admin", what)
		f.ok(err)
		f.settled()
		return b
	}

	// The notifier was green, but what it tells of runs again.
	failed := again(store.Rerun{FailedOnly: true})
	f.want(f.jobsOf(failed), "lint success, notify blocked, test pending")
	f.end("test", store.Success)
	f.end("notify", store.Success)

	step := again(store.Rerun{Job: 3, Step: 3}) // unit
	f.want(f.jobsOf(step), "lint success, notify blocked, test pending")
	jobs, err := f.store.Jobs(f.ctx, step.ID)
	f.ok(err)
	plan := string(jobs[2].Plan)
	for name, runs := range map[string]bool{"build": true, "docs": false, "unit": true, "race": false, "upload": true} {
		_, rest, _ := strings.Cut(plan, `"name":"`+name+`"`)
		rest, _, _ = strings.Cut(rest, `"name":`)
		if left := strings.Contains(rest, "passed in build #1, and step unit does not need it"); left == runs {
			t.Errorf("step %s runs: %t, want %t\n%s", name, !left, runs, rest)
		}
	}
}
