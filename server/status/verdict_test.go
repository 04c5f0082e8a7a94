package status

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/store"
)

const (
	base = "https://ci.example"
	repo = "/repos/acme/app"
)

var begin = time.UnixMilli(1_700_000_000_000)

// ran is a run of a build that took 65 s.
func ran(number int64, s store.Status, reason string, jobs ...store.Job) run {
	r := run{Build: store.Build{Number: number, Status: s, Reason: reason, StartedAt: begin}, jobs: jobs}
	if s.Final() {
		r.FinishedAt = begin.Add(65*time.Second + 100*time.Millisecond)
	}
	return r
}

// ranJob is a job that took 5 s; step is the one that decided, or 0.
func ranJob(number int, name string, s store.Status, reason string, step int) store.Job {
	j := store.Job{Number: number, Name: name, Status: s, Reason: reason, FailedStep: step, StartedAt: begin}
	if s.Final() {
		j.FinishedAt = begin.Add(5 * time.Second)
	}
	return j
}

// blame says of a run's jobs what their steps failed of.
func (r run) blame(titles map[int]string) run {
	r.culprits = map[int]store.Culprit{}
	for job, title := range titles {
		r.culprits[job] = store.Culprit{Step: "unit", Digested: true, Title: title}
	}
	return r
}

func want(context, state, description, path string) store.WantedStatus {
	return store.WantedStatus{Context: context, State: state, Description: description, TargetURL: base + repo + path}
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name string
		runs []run
		want []store.WantedStatus
	}{
		{"no build", nil, nil},
		{"queued", []run{ran(1, store.Pending, "")}, []store.WantedStatus{want("slipway", "pending", "queued", "/builds/1")}},
		{"put off", []run{ran(1, store.Pending, "cannot fetch the commit: GitHub is down")},
			[]store.WantedStatus{want("slipway", "pending", "cannot fetch the commit: GitHub is down", "/builds/1")}},
		{"waits for approval", []run{ran(1, store.Blocked, "waits for approval: a pull request from a fork")},
			[]store.WantedStatus{want("slipway", "pending", "waits for approval: a pull request from a fork", "/builds/1")}},
		{"running", []run{ran(1, store.Running, "", ranJob(1, "main", store.Running, "", 0))},
			[]store.WantedStatus{want("slipway", "pending", "running", "/builds/1")}},
		{"green", []run{ran(1, store.Success, "", ranJob(1, "main", store.Success, "", 0))},
			[]store.WantedStatus{want("slipway", "success", "passed in 1m5s", "/builds/1")}},
		{"red, at the failing step", []run{ran(2, store.Failure, "step test failed: exit code 2",
			ranJob(1, "main", store.Failure, "step test failed: exit code 2", 3))},
			[]store.WantedStatus{want("slipway", "failure", "step test failed: exit code 2", "/builds/2/jobs/1/steps/3")}},
		{"red, and a rule knows why", []run{ran(2, store.Failure, "step unit failed: exit code 2",
			ranJob(1, "main", store.Failure, "step unit failed: exit code 2", 3)).blame(map[int]string{1: "TestTide: tide_test.go:7: too low"})},
			[]store.WantedStatus{want("slipway", "failure", "unit: TestTide: tide_test.go:7: too low", "/builds/2/jobs/1/steps/3")}},
		{"red, and no rule knows why", []run{ran(2, store.Failure, "step unit failed: exit code 2",
			ranJob(1, "main", store.Failure, "step unit failed: exit code 2", 3)).blame(map[int]string{1: ""})},
			[]store.WantedStatus{want("slipway", "failure", "step unit failed: exit code 2", "/builds/2/jobs/1/steps/3")}},
		{"workflows of which a rule knows why", []run{ran(2, store.Failure, "workflow a: step unit failed: exit code 2",
			ranJob(1, "a", store.Failure, "step unit failed: exit code 2", 3), ranJob(2, "b", store.Failure, "step unit failed: exit code 1", 1)).
			blame(map[int]string{1: "TestTide: too low", 2: "TestMoon: not full"})},
			[]store.WantedStatus{want("slipway", "failure", "workflow a: unit: TestTide: too low", "/builds/2/jobs/1/steps/3"),
				want("slipway/a", "failure", "unit: TestTide: too low", "/builds/2/jobs/1/steps/3"),
				want("slipway/b", "failure", "unit: TestMoon: not full", "/builds/2/jobs/2/steps/1")}},
		{"canceled after a step failed", []run{ran(2, store.Failure, "superseded by #3",
			ranJob(1, "main", store.Failure, "step unit failed: exit code 2", 3)).blame(map[int]string{1: "TestTide: too low"})},
			[]store.WantedStatus{want("slipway", "failure", "superseded by #3", "/builds/2/jobs/1/steps/3")}},
		{"broken file", []run{ran(1, store.Error, ".slipway.yml:1:1: unknown key")},
			[]store.WantedStatus{want("slipway", "error", ".slipway.yml:1:1: unknown key", "/builds/1")}},
		{"canceled", []run{ran(1, store.Canceled, "canceled by admin", ranJob(1, "main", store.Canceled, "canceled by admin", 0))},
			[]store.WantedStatus{want("slipway", "error", "canceled by admin", "/builds/1")}},
		{"nothing matches", []run{ran(1, store.Skipped, "skipped: no workflow matches", ranJob(1, "main", store.Skipped, "event is push", 0))},
			[]store.WantedStatus{want("slipway", "success", "skipped: no workflow matches", "/builds/1")}},
		{"skipped by the message", []run{ran(1, store.Skipped, "skipped by [skip ci]")},
			[]store.WantedStatus{want("slipway", "success", "skipped by [skip ci]", "/builds/1")}},
		{"workflows of a green build", []run{ran(1, store.Success, "", ranJob(1, "lint", store.Success, "", 0),
			ranJob(2, "docs", store.Skipped, "branch is main", 0))},
			[]store.WantedStatus{want("slipway", "success", "passed in 1m5s", "/builds/1"),
				want("slipway/lint", "success", "passed in 5s", "/builds/1"),
				want("slipway/docs", "success", "skipped: branch is main", "/builds/1")}},
		{"workflows in every state", []run{ran(1, store.Running, "", ranJob(1, "a", store.Failure, "step x failed: exit code 1", 2),
			ranJob(2, "b", store.Running, "", 0), ranJob(3, "c", store.Pending, "", 0), ranJob(4, "d", store.Blocked, "", 0),
			ranJob(5, "e", store.Canceled, "canceled by admin", 0), ranJob(6, "f", store.Error, "image x not found", 1))},
			[]store.WantedStatus{want("slipway", "pending", "running", "/builds/1"),
				want("slipway/a", "failure", "step x failed: exit code 1", "/builds/1/jobs/1/steps/2"),
				want("slipway/b", "pending", "running", "/builds/1"),
				want("slipway/c", "pending", "queued", "/builds/1"),
				want("slipway/d", "pending", "waits for other workflows", "/builds/1"),
				want("slipway/e", "error", "canceled by admin", "/builds/1"),
				want("slipway/f", "error", "image x not found", "/builds/1/jobs/6/steps/1")}},
		{"workflows of a fork", []run{ran(1, store.Blocked, "waits for approval", ranJob(1, "a", store.Blocked, "", 0), ranJob(2, "b", store.Blocked, "", 0))},
			[]store.WantedStatus{want("slipway", "pending", "waits for approval", "/builds/1"),
				want("slipway/a", "pending", "waits for approval", "/builds/1"), want("slipway/b", "pending", "waits for approval", "/builds/1")}},
		{"the workflow that decided", []run{ran(1, store.Error, "workflow b: image x not found",
			ranJob(1, "a", store.Failure, "step x failed: exit code 1", 2), ranJob(2, "b", store.Error, "image x not found", 4))},
			[]store.WantedStatus{want("slipway", "error", "workflow b: image x not found", "/builds/1/jobs/2/steps/4"),
				want("slipway/a", "failure", "step x failed: exit code 1", "/builds/1/jobs/1/steps/2"),
				want("slipway/b", "error", "image x not found", "/builds/1/jobs/2/steps/4")}},
		{"a workflow of two events", []run{
			ran(1, store.Failure, "workflow a: x", ranJob(1, "a", store.Failure, "x", 1), ranJob(2, "b", store.Success, "", 0)),
			ran(2, store.Success, "", ranJob(1, "a", store.Success, "", 0), ranJob(2, "c", store.Success, "", 0))},
			[]store.WantedStatus{want("slipway", "failure", "workflow a: x", "/builds/1/jobs/1/steps/1"),
				want("slipway/a", "failure", "x", "/builds/1/jobs/1/steps/1"),
				want("slipway/b", "success", "passed in 5s", "/builds/1"), want("slipway/c", "success", "passed in 5s", "/builds/2")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, verdict(tt.runs, base, repo)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// Of several builds the aggregate shows what waits or runs, then the worst, and
// of two that are alike the first.
func TestVerdictOfSeveralBuilds(t *testing.T) {
	order := [][]store.Status{ // what is decided by the later, worst last
		{store.Success, store.Skipped}, {store.Failure}, {store.Error, store.Canceled}, {store.Blocked, store.Pending, store.Running},
	}
	states := []string{"success", "failure", "error", "pending"}
	for i, some := range order {
		for _, a := range some {
			for j, others := range order {
				for _, b := range others {
					t.Run(fmt.Sprintf("%s and %s", a, b), func(t *testing.T) {
						got := verdict([]run{ran(1, a, "first"), ran(2, b, "second")}, base, repo)
						w := want("slipway", states[i], "first", "/builds/1")
						if j > i {
							w = want("slipway", states[j], "second", "/builds/2")
						}
						if d := cmp.Diff([]store.WantedStatus{w}, got); d != "" {
							t.Errorf("(-want +got)\n%s", d)
						}
					})
				}
			}
		}
	}
}
