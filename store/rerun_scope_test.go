package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// carrying is a job that takes over the outcome of a build's job.
func (w *world) carrying(of store.Build, name string, deps ...string) store.NewJob {
	w.Helper()
	jobs, err := w.Jobs(w.Context(), of.ID)
	w.ok(err)
	for _, old := range jobs {
		if old.Name == name {
			j := job(name, deps...)
			j.Carry = old.ID
			return j
		}
	}
	w.Fatalf("no job %s", name)
	return store.NewJob{}
}

// plan plans a restarted build.
func (w *world) plan(b store.Build, jobs ...store.NewJob) {
	w.Helper()
	b.Planned = true
	w.ok(w.PlanBuild(w.Context(), b, jobs))
}

func TestRestartOfWhatFailedCarriesTheRestOver(t *testing.T) {
	w := newWorld(t)
	first := w.build(w.repo("app"), store.Build{}, job("lint"), job("test"), job("deploy", "lint", "test"))
	lint := w.claim()
	w.ok(w.StartStep(t.Context(), lint.ID, 1, w.now))
	w.ok(w.FinishStep(t.Context(), store.Step{JobID: lint.ID, Number: 1, Status: store.Success, Exited: true, FinishedAt: w.now}))
	w.finish(lint, store.Success)
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Failure, "step test failed: exit code 1", 1))
	w.want(w.status(first), "failure: workflow test: step test failed: exit code 1")

	second, err := w.Restart(t.Context(), first.ID, "admin", store.Rerun{FailedOnly: true})
	w.ok(err)
	w.want(second.Rerun, store.Rerun{FailedOnly: true})
	w.plan(second, w.carrying(first, "lint"), job("test"), job("deploy", "lint", "test"))
	w.want(w.jobStates(second), map[string]string{"lint": "success", "test": "pending", "deploy": "blocked"})
	jobs, err := w.Jobs(t.Context(), second.ID)
	w.ok(err)
	w.want([]any{jobs[0].CarriedFrom, jobs[0].CarriedJob, jobs[0].StartedAt}, []any{first.Number, 1, lint.StartedAt})
	steps, err := w.Steps(t.Context(), jobs[0].ID)
	w.ok(err)
	w.want([]any{len(steps), steps[0].Status, steps[0].Exited}, []any{1, store.Success, true})

	// The newest run of the build is the verdict, with what was carried over; what
	// is carried over twice still names the build that it ran in.
	w.want(w.verdicts(second), []int64{second.Number})
	w.finish(w.claim(), store.Success)
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Error, "image not found", 1))
	w.want(w.status(second), "error: workflow deploy: image not found")
	third, err := w.Restart(t.Context(), second.ID, "admin", store.Rerun{FailedOnly: true})
	w.ok(err)
	w.plan(third, w.carrying(second, "lint"), w.carrying(second, "test"), job("deploy", "lint", "test"))
	jobs, err = w.Jobs(t.Context(), third.ID)
	w.ok(err)
	w.want([]int64{jobs[0].CarriedFrom, jobs[1].CarriedFrom, jobs[2].CarriedFrom}, []int64{first.Number, second.Number, 0})
	w.finish(w.claim(), store.Success)
	w.want(w.status(third), "success")
	w.want(w.verdicts(third), []int64{third.Number})
}

// What was carried over ran once: the history of the step has one run of it.
func TestCarriedStepsAreNoRuns(t *testing.T) {
	w := newWorld(t)
	first := w.build(w.repo("app"), store.Build{}, job("lint"), job("test"))
	for _, status := range []store.Status{store.Success, store.Failure} {
		j := w.claim()
		w.ok(w.StartStep(t.Context(), j.ID, 1, w.now))
		w.ok(w.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 1, Status: status, Exited: true, FinishedAt: w.now}))
		w.finish(j, status)
	}
	second, err := w.Restart(t.Context(), first.ID, "admin", store.Rerun{FailedOnly: true})
	w.ok(err)
	w.plan(second, w.carrying(first, "lint"), job("test"))
	j := w.claim()
	w.ok(w.StartStep(t.Context(), j.ID, 1, w.now))
	w.ok(w.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 1, Status: store.Success, Exited: true, FinishedAt: w.now}))
	w.finish(j, store.Success)
	for workflow, want := range map[string][]int64{"lint": {first.Number}, "test": {second.Number, first.Number}} {
		steps, err := w.Steps(t.Context(), j.ID)
		w.ok(err)
		runs, err := w.StepRuns(t.Context(), store.StepKey{RepoID: first.RepoID, Workflow: workflow, Step: steps[0].Name}, second.Ref, 0)
		w.ok(err)
		var numbers []int64
		for _, run := range runs {
			numbers = append(numbers, run.BuildNumber)
		}
		w.want(numbers, want)
	}
}

func TestRestartOfAPartThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{}, job("main"))
	w.finish(w.claim(), store.Success)
	if _, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{FailedOnly: true}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("what failed of a green build: %v", err)
	}
	if _, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{Job: 1, Step: 2}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a step that does not exist: %v", err)
	}
	_, err := w.Restart(t.Context(), b.ID, "admin", store.Rerun{Job: 1, Step: 1})
	w.ok(err)
}

func TestPipelineFilesAreKept(t *testing.T) {
	w := newWorld(t)
	files := []store.PipelineFile{{Path: ".slipway/a.yml", Text: []byte("a: 1\n")}, {Path: ".slipway/b.yml", Text: []byte{}}}
	b := w.build(w.repo("app"), store.Build{Texts: files}, job("main"))
	same := w.build(w.repo("app"), store.Build{Texts: files}, job("main"))
	files[1].Text = nil // as an empty column is read
	for _, b := range []store.Build{b, same} {
		got, err := w.PipelineFiles(t.Context(), b.ID)
		w.ok(err)
		w.want(got, files)
	}
}

func TestMarksSayWhereTheTimeWent(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("app"), store.Build{}, job("main"))
	j := w.claim()
	at := func(s int) time.Time { return w.now.Add(time.Duration(s) * time.Second) }
	w.ok(w.StartStep(t.Context(), j.ID, 1, at(1)))
	w.ok(w.IntendOp(t.Context(), j.ID, "create-container/1/1", store.Mark{Kind: store.MarkImaged, Step: 1, At: at(2)}))
	w.ok(w.DoneOp(t.Context(), j.ID, "copy-source/0/0", "", store.Mark{Kind: store.MarkSourced, At: at(3)}))
	w.ok(w.DoneOp(t.Context(), j.ID, "start/1/1", "", store.Mark{Kind: store.MarkRan, Step: 1, At: at(4)}))
	before, err := w.BuildByID(t.Context(), b.ID)
	w.ok(err)
	// A second attempt has the times of the first, and changes nothing.
	w.ok(w.DoneOp(t.Context(), j.ID, "start/1/2", "", store.Mark{Kind: store.MarkRan, Step: 1, At: at(9)}))
	after, err := w.BuildByID(t.Context(), b.ID)
	w.ok(err)
	w.want(after.Change, before.Change)
	j, err = w.JobByID(t.Context(), j.ID)
	w.ok(err)
	steps, err := w.Steps(t.Context(), j.ID)
	w.ok(err)
	w.want([]time.Time{steps[0].StartedAt, steps[0].ImagedAt, j.SourcedAt, steps[0].RanAt}, []time.Time{at(1), at(2), at(3), at(4)})
}
