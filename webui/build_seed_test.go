package webui_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// step is a step of a workflow that depends on others.
func step(name string, needs ...string) pipeline.Step {
	return pipeline.Step{Name: name, Kind: pipeline.KindCommands, Image: "golang:1.26", Pull: pipeline.PullIfNotPresent,
		Commands: []string{"make " + name}, DependsOn: needs, OnSuccess: true, Failure: pipeline.FailureFail}
}

// planned is the job of a workflow.
func planned(w pipeline.Workflow) store.NewJob {
	w.File, w.OnSuccess = ".slipway/"+w.BaseName()+".yml", true
	w.Workspace = pipeline.Workspace{Base: "/slipway", Path: "src"}
	j := store.NewJob{Name: w.Name, Base: w.Base, Matrix: w.Matrix, DependsOn: w.DependsOn, OnSuccess: true}
	for _, steps := range [][]pipeline.Step{w.Services, w.Steps} {
		for _, s := range steps {
			j.Steps = append(j.Steps, store.NewStep{Name: s.Name, Kind: string(s.Kind), Image: s.Image})
		}
	}
	var err error
	if j.Plan, err = json.Marshal(w); err != nil {
		panic(err)
	}
	return j
}

// harbour are the workflows of a build of thirty steps: two before a matrix with
// a service, and one after that.
func harbour() []store.NewJob {
	lint := pipeline.Workflow{Name: "lint", Steps: []pipeline.Step{step("format"), step("vet", "format"), step("staticcheck", "vet")}}
	hull := pipeline.Workflow{Name: "hull", Steps: []pipeline.Step{step("keel"), step("ribs", "keel"),
		step("planks-port", "ribs"), step("planks-starboard", "ribs"), step("caulk", "planks-port", "planks-starboard"),
		step("paint", "caulk"), step("a-step-whose-name-is-longer-than-any-card-is-wide", "ribs")}}
	jobs := []store.NewJob{planned(lint), planned(hull)}
	var matrix []string
	for _, tide := range []string{"ebb", "flood"} {
		for _, moon := range []string{"new", "full"} {
			w := pipeline.Workflow{Name: fmt.Sprintf("test (%s, %s)", tide, moon), Base: "test",
				Matrix: map[string]string{"TIDE": tide, "MOON": moon}, DependsOn: []string{"hull"}}
			db := step("postgres")
			db.Kind, db.Image, db.Commands = pipeline.KindService, "postgres:16", nil
			w.Services = []pipeline.Step{db}
			unit, sail := step("unit"), step("sail", "unit")
			unit.Services, sail.Services = []string{"postgres"}, []string{"postgres"}
			w.Steps = []pipeline.Step{unit, sail}
			jobs = append(jobs, planned(w))
			matrix = append(matrix, w.Name)
		}
	}
	deploy := step("deploy", "pack")
	deploy.Privileged, deploy.Secrets = true, map[string]string{"HARBOUR_TOKEN": "harbour_token"}
	deploy.Environment = map[string]string{"BERTH": "7"}
	deploy.NetworkMode = "host"
	release := pipeline.Workflow{Name: "release", DependsOn: append(matrix, "lint"), Steps: []pipeline.Step{step("pack"), deploy, step("tell", "pack")},
		Concurrency: &pipeline.Concurrency{Limit: 1, Group: "release"}}
	last := planned(release)
	last.Group = store.Group{Name: "release", Limit: 1}
	return append(jobs, last)
}

// run is how a step of a seeded build went, by lengths of time before now.
func (s *site) run(j store.Job, number int, turn, imaged, ran, ended time.Duration, status store.Status) {
	s.t.Helper()
	now := s.store.Now()
	ctx := s.t.Context()
	must(s.t, s.store.StartStep(ctx, j.ID, number, now.Add(-turn)))
	must(s.t, s.store.IntendOp(ctx, j.ID, fmt.Sprintf("create-container/%d/1", number), store.Mark{Kind: store.MarkImaged, Step: number, At: now.Add(-imaged)}))
	must(s.t, s.store.DoneOp(ctx, j.ID, fmt.Sprintf("start/%d/1", number), "", store.Mark{Kind: store.MarkRan, Step: number, At: now.Add(-ran)}))
	if status == store.Running {
		return
	}
	st := store.Step{JobID: j.ID, Number: number, Status: status, Exited: true, FinishedAt: now.Add(-ended)}
	if status == store.Failure {
		st.ExitCode, st.Reason = 1, "exit code 1"
	}
	must(s.t, s.store.FinishStep(ctx, st))
}

func (s *site) sourced(j store.Job, ago time.Duration) {
	s.t.Helper()
	must(s.t, s.store.DoneOp(s.t.Context(), j.ID, "copy-source/0/0", "", store.Mark{Kind: store.MarkSourced, At: s.store.Now().Add(-ago)}))
}

// seedHarbour makes a build of many steps that is half way through.
func (s *site) seedHarbour(r store.Repo, number int64) store.Build {
	s.t.Helper()
	b := push(r, number)
	b.Message = "Lay the keel of the second ferry"
	b.Texts = []store.PipelineFile{{Path: ".slipway/hull.yml", Text: []byte("steps:\n  - name: keel\n    image: golang:1.26\n    commands: [make keel]\n")}}
	const sec = time.Second
	var lint, hull store.Job
	s.at(97*sec, func() { b = s.create(b, harbour()...) })
	s.at(90*sec, func() { lint = s.claim() })
	s.at(89*sec, func() { hull = s.claim() })
	s.sourced(lint, 86*sec)
	for n := 1; n <= 3; n++ {
		at := time.Duration(90-n*8) * sec
		s.run(lint, n, at, at-time.Duration(3-n)*sec, at-time.Duration(3-n)*sec, at-8*sec, store.Success)
	}
	s.at(58*sec, func() { s.finishJob(lint, store.Success, "", 0) })
	s.sourced(hull, 84*sec)
	s.run(hull, 1, 88*sec, 80*sec, 79*sec, 70*sec, store.Success)
	s.run(hull, 2, 70*sec, 70*sec, 69*sec, 52*sec, store.Success)
	s.run(hull, 3, 52*sec, 50*sec, 49*sec, 35*sec, store.Success)
	s.run(hull, 4, 52*sec, 50*sec, 48*sec, 40*sec, store.Success)
	s.run(hull, 5, 35*sec, 35*sec, 34*sec, 0, store.Running)
	s.run(hull, 7, 50*sec, 44*sec, 44*sec, 20*sec, store.Failure)
	return b
}

// carry is a job that takes over the outcome of an earlier run's.
func (s *site) carry(of store.Build, j store.NewJob) store.NewJob {
	s.t.Helper()
	jobs, err := s.store.Jobs(s.t.Context(), of.ID)
	must(s.t, err)
	for _, old := range jobs {
		if old.Name == j.Name {
			j.Carry = old.ID
		}
	}
	return j
}
