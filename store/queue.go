package store

import (
	"context"
	"time"
)

// QueuedJob is a job that waits or runs, with what it belongs to.
type QueuedJob struct {
	JobID, BuildID, RepoID int64
	Owner, Name            string // of the repository
	Number                 int64  // of the build
	JobNumber              int
	Workflow               string
	Status                 Status
	// Reason says what it waits for besides a free place; "" for nothing.
	Reason string
	// Place counts from 1 the jobs that are claimed before it, itself included, if
	// nothing else comes. 0: it runs, or waits for something else.
	Place                int
	Branch, SHA, Message string
	Cancels              int // requests to cancel its build
	QueuedAt, StartedAt  time.Time
}

const queuedColumns = `j.id, j.build_id, j.repo_id, r.owner, r.name, b.number, j.number, j.name, j.status, j.reason,
	b.branch, b.sha, b.message, b.cancels, j.queued_at, j.started_at`

func (q *QueuedJob) scan(row scanner) error {
	var queued, started int64
	err := row.Scan(&q.JobID, &q.BuildID, &q.RepoID, &q.Owner, &q.Name, &q.Number, &q.JobNumber, &q.Workflow, &q.Status,
		&q.Reason, &q.Branch, &q.SHA, &q.Message, &q.Cancels, &queued, &started, &q.Place)
	q.QueuedAt, q.StartedAt = fromMS(queued), fromMS(started)
	return err
}

// Queue is what runs and what waits.
type Queue struct {
	// Running and Waiting are the first ones; Waiting in the order in which they
	// are claimed, those last that wait for something else than a place.
	Running, Waiting []QueuedJob
	// Pending counts all that wait.
	Pending int
}

// placesSQL are the places of the jobs that may be claimed, as Claim takes them
// (see claimSQL): the first of each repository in turn, then the second of each.
const placesSQL = `
	WITH turns AS (
		SELECT j.id, j.build_id, j.repo_id, r.last_claim, row_number() OVER (PARTITION BY j.repo_id ORDER BY j.id) AS turn
		FROM jobs j JOIN repos r ON r.id = j.repo_id WHERE j.status = 'pending' AND j.held = 0
	), places AS (
		SELECT id, build_id, row_number() OVER (ORDER BY turn, last_claim, repo_id) AS place, count(*) OVER () AS total
		FROM turns
	)`

// heldJobs are the pending jobs that their group holds back, in the words of the
// index, which SQLite would not take by itself.
const heldJobs = `jobs INDEXED BY jobs_group WHERE held = 1 AND group_name <> '' AND status IN ('pending', 'running')`

// waitingSQL are the jobs that wait, those last that wait for something else than
// a place.
const waitingSQL = placesSQL + `, waiting AS (
		SELECT * FROM (SELECT id, place FROM places ORDER BY place LIMIT ?2)
		UNION ALL
		SELECT * FROM (SELECT id, 0 FROM ` + heldJobs + ` ORDER BY id LIMIT ?2)
	)
	SELECT ` + queuedColumns + `, w.place FROM waiting w
	JOIN jobs j ON j.id = w.id JOIN builds b ON b.id = j.build_id JOIN repos r ON r.id = j.repo_id
	WHERE ?1 OR NOT r.private ORDER BY w.place = 0, w.place, j.id LIMIT ?2`

// Queue returns the first jobs that run and that wait, at most limit of each.
// Those of private repositories are left out unless private is set; they count
// in the places of the others.
func (s *Store) Queue(ctx context.Context, private bool, limit int) (Queue, error) {
	var q Queue
	rows, err := s.read.QueryContext(ctx, `SELECT `+queuedColumns+`, 0 FROM jobs j
		JOIN builds b ON b.id = j.build_id JOIN repos r ON r.id = j.repo_id
		WHERE j.status = 'running' AND (? OR NOT r.private) ORDER BY j.id LIMIT ?`, private, limit)
	if q.Running, err = collect(rows, err, (*QueuedJob).scan); err != nil {
		return q, wrap("list running jobs", err)
	}
	rows, err = s.read.QueryContext(ctx, waitingSQL, private, limit)
	if q.Waiting, err = collect(rows, err, (*QueuedJob).scan); err != nil {
		return q, wrap("list waiting jobs", err)
	}
	q.Pending, _, err = s.QueueLength(ctx)
	return q, err
}
