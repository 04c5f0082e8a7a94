package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// claimSQL picks the oldest pending job of the repository whose turn it is: the
// one from which a job was claimed longest ago. The recursive part hops from
// repository to repository on the index jobs_pending, so its cost grows with
// the repositories that wait and not with the jobs. Jobs that are held back by
// their group (see group.go) are not in the index.
const claimSQL = `
	WITH RECURSIVE waiting (repo_id) AS (
		SELECT min(repo_id) FROM jobs WHERE status = 'pending' AND held = 0
		UNION ALL
		SELECT (SELECT min(repo_id) FROM jobs WHERE status = 'pending' AND held = 0 AND repo_id > waiting.repo_id)
		FROM waiting WHERE waiting.repo_id IS NOT NULL
	)
	SELECT (SELECT min(id) FROM jobs WHERE status = 'pending' AND held = 0 AND repo_id = r.id)
	FROM waiting JOIN repos r ON r.id = waiting.repo_id
	ORDER BY r.last_claim, r.id LIMIT 1`

// Claim takes the next pending job and makes it and its build running:
// repositories in turn, within one the oldest first. Jobs whose group is full
// are passed over. ErrNotFound if none waits.
func (s *Store) Claim(ctx context.Context) (Job, error) {
	var j Job
	// Most who ask find nothing, and need not write to learn that.
	var waits int64
	err := s.read.QueryRowContext(ctx, claimSQL).Scan(&waits)
	if errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("claim job: %w", ErrNotFound)
	}
	if err != nil {
		return j, wrap("claim job", err)
	}
	err = s.update(ctx, func(tx *tx) error {
		var id int64
		if err := tx.row(claimSQL).Scan(&id); err != nil {
			return err
		}
		change, err := tx.nextChange()
		if err != nil {
			return err
		}
		// The reason is what it waited for, which ExplainWait may have said just now.
		ok, err := tx.changed(`UPDATE jobs SET status = 'running', started_at = ?, reason = ''
			WHERE id = ? AND status = 'pending' AND held = 0`, ms(s.Now()), id)
		if err != nil {
			return err
		}
		if !ok {
			return ErrConflict
		}
		if err := j.scan(tx.row(`SELECT `+jobColumns+` FROM jobs j WHERE j.id = ?`, id)); err != nil {
			return err
		}
		if err := tx.exec(`UPDATE repos SET last_claim = ? WHERE id = ?`, change, j.RepoID); err != nil {
			return err
		}
		started, err := s.setBuild(tx, j.BuildID, []Status{Pending}, Running, "")
		if err != nil || started {
			return err
		}
		return s.touchBuild(tx, j.BuildID, false)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, fmt.Errorf("claim job: %w", ErrNotFound)
	}
	return j, wrap("claim job", err)
}

// QueueLength returns how many jobs are pending and how many run.
func (s *Store) QueueLength(ctx context.Context) (pending, running int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM jobs WHERE status = 'pending' AND held = 0) + (SELECT count(*) FROM `+heldJobs+`),
		(SELECT count(*) FROM jobs WHERE status = 'running')`).Scan(&pending, &running)
	return pending, running, wrap("count queue", err)
}
