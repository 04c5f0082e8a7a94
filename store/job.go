package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Job is one workflow of a build: the unit of queue, capacity, network and volume.
type Job struct {
	ID, BuildID, RepoID int64
	Number              int    // from 1 within its build
	Name                string // unique in its build: "test", "test (1.26, linux)"
	Base                string // the workflow: "test"; "" if it is Name
	Matrix              map[string]string
	Status              Status
	Reason              string
	FailedStep          int // number of the step that decided the status, or 0
	DependsOn           []string
	OnSuccess           bool
	OnFailure           bool
	Plan                json.RawMessage // pipeline.Workflow
	Nonce               string          // see runner.Job
	Group               Group
	Held                bool // pending until it is its turn in the group

	// CarriedFrom is the number of the build that this job ran in, if its outcome
	// was carried over by a restart, and CarriedJob its number there; else 0.
	CarriedFrom int64
	CarriedJob  int

	// SourcedAt is when the source stood in the job's volume.
	CreatedAt, QueuedAt, StartedAt, SourcedAt, FinishedAt time.Time
}

// Duration returns how long the job has run, up to now while it runs.
func (j Job) Duration(now time.Time) time.Duration { return duration(j.StartedAt, j.FinishedAt, now) }

const (
	jobColumns = beforePlan + `j.plan` + afterPlan
	// jobsButPlans leaves Plan empty, which is nearly all of a job: every job that
	// ends reads those of its build, while nobody else can write.
	jobsButPlans = beforePlan + `''` + afterPlan

	beforePlan = `j.id, j.build_id, j.repo_id, j.number, j.name, j.status, j.reason, j.failed_step,
	j.depends_on, j.on_success, j.on_failure, `
	afterPlan = `, j.nonce,
	j.base, j.matrix, j.group_name, j.group_limit, j.group_cancel, j.held, j.carried_from, j.carried_job,
	j.created_at, j.queued_at, j.started_at, j.sourced_at, j.finished_at`
)

func (j *Job) scan(row scanner) error {
	var depends, plan, matrix string
	var created, queued, started, sourced, finished int64
	err := row.Scan(&j.ID, &j.BuildID, &j.RepoID, &j.Number, &j.Name, &j.Status, &j.Reason, &j.FailedStep,
		&depends, &j.OnSuccess, &j.OnFailure, &plan, &j.Nonce,
		&j.Base, &matrix, &j.Group.Name, &j.Group.Limit, &j.Group.Cancel, &j.Held, &j.CarriedFrom, &j.CarriedJob,
		&created, &queued, &started, &sourced, &finished)
	j.Plan = json.RawMessage(plan)
	j.CreatedAt, j.QueuedAt, j.StartedAt = fromMS(created), fromMS(queued), fromMS(started)
	j.SourcedAt, j.FinishedAt = fromMS(sourced), fromMS(finished)
	return scanJSON(err, depends, &j.DependsOn, matrix, &j.Matrix)
}

// Jobs returns a build's jobs by number.
func (s *Store) Jobs(ctx context.Context, buildID int64) ([]Job, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs j WHERE j.build_id = ? ORDER BY j.number`, buildID)
	out, err := collect(rows, err, (*Job).scan)
	return out, wrap("list jobs", err)
}

// JobByID returns a job.
func (s *Store) JobByID(ctx context.Context, id int64) (Job, error) {
	var j Job
	err := j.scan(s.read.QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs j WHERE j.id = ?`, id))
	return j, wrap("read job", err)
}

// RunningJobs returns the jobs that were claimed and have not ended, oldest first.
func (s *Store) RunningJobs(ctx context.Context) ([]Job, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs j WHERE j.status = 'running' ORDER BY j.id`)
	out, err := collect(rows, err, (*Job).scan)
	return out, wrap("list running jobs", err)
}

// FinishJob ends a running job and moves its build on: jobs that waited for it
// are queued or skipped, and the build ends with its last job. ErrConflict if
// the job has ended already.
func (s *Store) FinishJob(ctx context.Context, jobID int64, to Status, reason string, failedStep int) error {
	return wrap("finish job", s.update(ctx, func(tx *tx) error {
		var buildID int64
		var status Status
		if err := tx.row(`SELECT build_id, status FROM jobs WHERE id = ?`, jobID).Scan(&buildID, &status); err != nil {
			return err
		}
		if status != Running {
			return fmt.Errorf("job %d is %s: %w", jobID, status, ErrConflict)
		}
		if err := s.endJob(tx, jobID, to, reason, failedStep); err != nil {
			return err
		}
		if err := s.touchBuild(tx, buildID, true); err != nil {
			return err
		}
		return s.settle(tx, buildID)
	}))
}

// Step is one container of a job.
type Step struct {
	ID, JobID int64
	Number    int // from 1 within its job, services first
	Name      string
	Kind      string // pipeline.StepKind
	Image     string
	Status    Status
	Reason    string
	Exited    bool // ExitCode is known
	ExitCode  int
	// StartedAt is when its turn came, ImagedAt when its image was there, RanAt
	// when its container was started: what lies before RanAt was waiting, for the
	// image first and then for the source and the services.
	StartedAt  time.Time
	ImagedAt   time.Time
	RanAt      time.Time
	FinishedAt time.Time
	// CPU is the time of all cores, PeakMemory in bytes; both are 0 where the step
	// was too short to be measured.
	CPU        time.Duration
	PeakMemory int64
}

// Duration returns how long the step has run, up to now while it runs.
func (st Step) Duration(now time.Time) time.Duration {
	return duration(st.StartedAt, st.FinishedAt, now)
}

func (st *Step) scan(row scanner) error {
	var started, imaged, ran, finished, cpu int64
	err := row.Scan(&st.ID, &st.JobID, &st.Number, &st.Name, &st.Kind, &st.Image, &st.Status, &st.Reason,
		&st.Exited, &st.ExitCode, &started, &imaged, &ran, &finished, &cpu, &st.PeakMemory)
	st.CPU = time.Duration(cpu) * time.Microsecond
	st.StartedAt, st.ImagedAt, st.RanAt, st.FinishedAt = fromMS(started), fromMS(imaged), fromMS(ran), fromMS(finished)
	return err
}

const stepColumns = `st.id, st.job_id, st.number, st.name, st.kind, st.image, st.status, st.reason,
	st.exited, st.exit_code, st.started_at, st.imaged_at, st.ran_at, st.finished_at, st.cpu_us, st.peak_memory`

// Steps returns a job's steps by number.
func (s *Store) Steps(ctx context.Context, jobID int64) ([]Step, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+stepColumns+` FROM steps st WHERE st.job_id = ? ORDER BY st.number`, jobID)
	out, err := collect(rows, err, (*Step).scan)
	return out, wrap("list steps", err)
}

// StartStep records that a step's turn has come.
func (s *Store) StartStep(ctx context.Context, jobID int64, number int, at time.Time) error {
	return wrap("start step", s.update(ctx, func(tx *tx) error {
		_, err := tx.changed(`UPDATE steps SET status = 'running', started_at = ?
			WHERE job_id = ? AND number = ? AND status IN ('blocked', 'pending')`, ms(at), jobID, number)
		return s.touchJob(tx, err, jobID)
	}))
}

// FinishStep records how a step ended; st names it by JobID and Number. A step
// that has ended already is left as it is.
func (s *Store) FinishStep(ctx context.Context, st Step) error {
	return wrap("finish step", s.update(ctx, func(tx *tx) error {
		_, err := tx.changed(`UPDATE steps SET status = ?, reason = ?, exited = ?, exit_code = ?,
				started_at = CASE WHEN ? > 0 THEN ? ELSE started_at END, finished_at = ?
			WHERE job_id = ? AND number = ? AND status IN ('blocked', 'pending', 'running')`,
			st.Status, st.Reason, st.Exited, st.ExitCode, ms(st.StartedAt), ms(st.StartedAt), ms(st.FinishedAt),
			st.JobID, st.Number)
		if err == nil {
			err = keepUsage(tx, st.JobID, st.Number, st.CPU, st.PeakMemory)
		}
		return s.touchJob(tx, err, st.JobID)
	}))
}

// StepUsed records what a step has used so far. It tells nobody: that is looked
// at when the step has ended.
func (s *Store) StepUsed(ctx context.Context, jobID int64, number int, cpu time.Duration, peakMemory int64) error {
	return wrap("record usage of step", s.update(ctx, func(tx *tx) error {
		return keepUsage(tx, jobID, number, cpu, peakMemory)
	}))
}

// keepUsage never lowers what is recorded.
func keepUsage(tx *tx, jobID int64, number int, cpu time.Duration, peakMemory int64) error {
	return tx.exec(`UPDATE steps SET cpu_us = max(cpu_us, ?), peak_memory = max(peak_memory, ?)
		WHERE job_id = ? AND number = ?`, cpu.Microseconds(), peakMemory, jobID, number)
}

// touchJob marks the build of a job as changed, unless err is set.
func (s *Store) touchJob(tx *tx, err error, jobID int64) error {
	if err != nil {
		return err
	}
	var buildID int64
	if err := tx.row(`SELECT build_id FROM jobs WHERE id = ?`, jobID).Scan(&buildID); err != nil {
		return err
	}
	return s.touchBuild(tx, buildID, false)
}

// LogKey names the log of a step in store/logs.
func LogKey(buildID int64, job, step int) string { return fmt.Sprintf("%d/%d/%d", buildID, job, step) }
