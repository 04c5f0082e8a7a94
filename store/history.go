package store

import (
	"context"
	"time"
)

// StepKey names a step across builds: a step of that name, in the workflow of
// that name (with its matrix values), of a repository.
type StepKey struct {
	RepoID         int64
	Workflow, Step string
}

// StepRun is how a step went in one build.
type StepRun struct {
	BuildNumber           int64
	SHA                   string
	JobNumber, StepNumber int
	Status                Status
	StartedAt, FinishedAt time.Time
}

// Duration returns how long the step ran; 0 if it did not.
func (r StepRun) Duration() time.Duration { return duration(r.StartedAt, r.FinishedAt, r.StartedAt) }

// failed reports whether the step itself did not succeed.
func (r StepRun) failed() bool { return r.Status == Failure || r.Status == Error }

const (
	// maxRuns is how many runs of a step a history has.
	maxRuns = 50
	// maxLookBack is among how many builds these are looked for: a step that is
	// seldom run, or gone, does not cost a look at all builds.
	maxLookBack = 500
)

const runColumns = `b.number, b.sha, j.number, st.number, st.status, st.started_at, st.finished_at`

func (r *StepRun) scan(row scanner) error {
	var started, finished int64
	err := row.Scan(&r.BuildNumber, &r.SHA, &r.JobNumber, &r.StepNumber, &r.Status, &started, &finished)
	r.StartedAt, r.FinishedAt = fromMS(started), fromMS(finished)
	return err
}

// StepRuns returns how a step went lately in the builds of a ref, up to the one
// of the number last (0 for all): at most 50 runs that came to an end by
// themselves, the newest first. Builds before the last 500 are not looked at.
func (s *Store) StepRuns(ctx context.Context, k StepKey, ref string, last int64) ([]StepRun, error) {
	return s.stepRuns(ctx, k, ref, last, maxRuns)
}

func (s *Store) stepRuns(ctx context.Context, k StepKey, ref string, last int64, limit int) ([]StepRun, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+runColumns+`
		FROM (SELECT id, number, sha FROM builds WHERE repo_id = ? AND ref = ? AND (? = 0 OR number <= ?)
			ORDER BY number DESC LIMIT ?) b
		JOIN jobs j ON j.build_id = b.id AND j.name = ? AND j.carried_from = 0
		JOIN steps st ON st.job_id = j.id AND st.name = ? AND st.status IN ('success', 'failure', 'error')
		ORDER BY b.number DESC LIMIT ?`,
		k.RepoID, ref, last, last, maxLookBack, k.Workflow, k.Step, limit)
	out, err := collect(rows, err, (*StepRun).scan)
	return out, wrap("read history of step", err)
}

// StepHistory is what the builds before tell of a step that failed.
type StepHistory struct {
	// Runs are those of the same branch or pull request, the newest first: this
	// one, if it has ended, and at most 49 before it.
	Runs []StepRun
	// Since is the first of the failures in a row up to this one, nil if this one
	// is no failure. Longer says that it may have begun earlier: no success is
	// among Runs.
	Since  *StepRun
	Longer bool
	// OnDefault is the last run on the default branch, if it failed and this one
	// is of another branch; else nil.
	OnDefault *StepRun
	// Flaky is the last run of the same commit that passed, if this one failed.
	Flaky *StepRun
}

// StepHistory returns the history of a step of build b.
func (s *Store) StepHistory(ctx context.Context, b Build, k StepKey, defaultBranch string) (StepHistory, error) {
	var h StepHistory
	var err error
	if h.Runs, err = s.StepRuns(ctx, k, b.Ref, b.Number); err != nil {
		return h, err
	}
	if len(h.Runs) == 0 || h.Runs[0].BuildNumber != b.Number || !h.Runs[0].failed() {
		return h, nil
	}
	h.Longer = true
	for i := range h.Runs {
		if !h.Runs[i].failed() {
			h.Longer = false
			break
		}
		h.Since = &h.Runs[i]
	}
	if len(h.Runs) < maxRuns {
		h.Longer = false
	}
	if h.OnDefault, err = s.failsOn(ctx, k, b, "refs/heads/"+defaultBranch); err != nil {
		return h, err
	}
	h.Flaky, err = s.passedOn(ctx, k, b.SHA)
	return h, err
}

// failsOn returns the last run of a step on another ref than the build's, if it
// failed.
func (s *Store) failsOn(ctx context.Context, k StepKey, b Build, ref string) (*StepRun, error) {
	if ref == b.Ref {
		return nil, nil //nolint:nilnil // there is nothing to tell
	}
	runs, err := s.stepRuns(ctx, k, ref, 0, 1)
	if err != nil || len(runs) == 0 || !runs[0].failed() {
		return nil, err
	}
	return &runs[0], nil
}

// passedOn returns the last run of a step on a commit that passed, if any did.
func (s *Store) passedOn(ctx context.Context, k StepKey, sha string) (*StepRun, error) {
	// By ID, in whose order builds_commit has them: by number, SQLite would take
	// the index of the numbers and look at all builds.
	rows, err := s.read.QueryContext(ctx, `SELECT `+runColumns+` FROM builds b
		JOIN jobs j ON j.build_id = b.id AND j.name = ? AND j.carried_from = 0
		JOIN steps st ON st.job_id = j.id AND st.name = ? AND st.status = 'success'
		WHERE b.repo_id = ? AND b.sha = ? ORDER BY b.id DESC LIMIT 1`, k.Workflow, k.Step, k.RepoID, sha)
	runs, err := collect(rows, err, (*StepRun).scan)
	if err != nil || len(runs) == 0 {
		return nil, wrap("find run of step that passed", err)
	}
	return &runs[0], nil
}
