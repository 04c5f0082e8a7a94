package server

import (
	"context"
	"fmt"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// rerun narrows the plan of a restart to what is to run again.
type rerun struct {
	what   store.Rerun
	number int64 // of the build that is restarted
	jobs   map[string]store.Job
	// steps are those of the job that what.Step is in, by name, and step is its
	// name.
	job   string
	step  string
	steps map[string]store.Status
}

// readRerun reads what a restart leaves as it was; nil if it runs everything.
func (t *Trigger) readRerun(ctx context.Context, b *store.Build) (*rerun, error) {
	if b.Rerun == (store.Rerun{}) {
		return nil, nil //nolint:nilnil // as its comment says
	}
	parent, err := t.Store.Build(ctx, b.RepoID, b.Parent)
	if err != nil {
		return nil, err
	}
	jobs, err := t.Store.Jobs(ctx, parent.ID)
	if err != nil {
		return nil, err
	}
	r := &rerun{what: b.Rerun, number: parent.Number, jobs: map[string]store.Job{}, steps: map[string]store.Status{}}
	for _, j := range jobs {
		r.jobs[j.Name] = j
		if b.Rerun.Step == 0 || j.Number != b.Rerun.Job {
			continue
		}
		steps, err := t.Store.Steps(ctx, j.ID)
		if err != nil {
			return nil, err
		}
		r.job = j.Name
		for _, s := range steps {
			r.steps[s.Name] = s.Status
			if s.Number == b.Rerun.Step {
				r.step = s.Name
			}
		}
	}
	return r, nil
}

// narrow leaves out what passed and is not needed, and returns the jobs whose
// outcome is carried over, by the name of the workflow.
func (r *rerun) narrow(plan *pipeline.Plan) map[string]int64 {
	again := r.workflows(plan.Workflows)
	carry := map[string]int64{}
	for i := range plan.Workflows {
		w := &plan.Workflows[i]
		if old, ok := r.jobs[w.Name]; ok && !again[w.Name] && w.Skip == "" {
			carry[w.Name] = old.ID
		}
		if r.step != "" && w.Name == r.job {
			r.leaveOut(w)
		}
	}
	return carry
}

// workflows are those that run again: the ones that are asked for, and those
// after them, whose conditions may turn out otherwise now.
func (r *rerun) workflows(all []pipeline.Workflow) map[string]bool {
	again := map[string]bool{}
	for _, w := range all {
		old, ok := r.jobs[w.Name]
		passed := old.Status == store.Success || old.Status == store.Skipped
		again[w.Name] = !ok || w.Name == r.job || r.what.FailedOnly && !passed
	}
	for grew := true; grew; {
		grew = false
		for _, w := range all {
			for _, d := range w.DependsOn {
				if again[d] && !again[w.Name] {
					again[w.Name], grew = true, true
				}
			}
		}
	}
	return again
}

// leaveOut skips the steps of a workflow that passed, unless the chosen step
// needs them: the workspace in which they passed is gone. What did not pass runs
// again, since without it the workflow might pass that had failed. What runs
// beside other steps stays, since nobody says who uses it.
func (r *rerun) leaveOut(w *pipeline.Workflow) {
	keep := map[string]bool{}
	for _, s := range w.Services {
		if s.Name == r.step { // everything is after a service
			return
		}
	}
	for _, s := range w.Steps {
		keep[s.Name] = s.Name == r.step || s.Detach || r.steps[s.Name] != store.Success
	}
	after := map[string]bool{r.step: true}
	for grew := true; grew; {
		grew = false
		for _, s := range w.Steps {
			for _, d := range s.DependsOn {
				switch {
				case after[d] && !after[s.Name]:
					after[s.Name], keep[s.Name], grew = true, true, true
				case keep[s.Name] && !keep[d]:
					keep[d], grew = true, true
				}
			}
		}
	}
	for i := range w.Steps {
		if s := &w.Steps[i]; !keep[s.Name] && s.Skip == "" {
			s.Skip = fmt.Sprintf("passed in build #%d, and step %s does not need it", r.number, r.step)
		}
	}
}
