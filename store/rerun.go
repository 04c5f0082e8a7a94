package store

import (
	"context"
	"fmt"
)

// Rerun says what of a build a restart runs again. The rest keeps its outcome.
// The zero Rerun is everything.
type Rerun struct {
	// FailedOnly: the workflows that did not pass, and those after them.
	FailedOnly bool `json:"failed_only,omitempty"`
	// Job and Step name a step of the build by its numbers: it runs again with
	// what it needs and what comes after it.
	Job  int `json:"job,omitempty"`
	Step int `json:"step,omitempty"`
}

// Restart creates a new run of a build that has ended: a build of the same
// event and commit with the next number, to be planned by the trigger, which
// runs what is asked for and carries the rest over. ErrConflict if the build has
// not ended, or if only what failed is to run and nothing did; ErrNotFound if
// there is no such step. An approval is kept, since it was for the same commit;
// a build that ended without one needs it still.
func (s *Store) Restart(ctx context.Context, buildID int64, by string, what Rerun) (Build, error) {
	old, err := s.BuildByID(ctx, buildID)
	if err != nil {
		return Build{}, err
	}
	var b Build
	err = s.update(ctx, func(tx *tx) error {
		var status Status
		b = old
		if err := tx.row(`SELECT b.status, r.last_number + 1 FROM builds b JOIN repos r ON r.id = b.repo_id
			WHERE b.id = ?`, buildID).Scan(&status, &b.Number); err != nil {
			return err
		}
		if !status.Final() {
			return fmt.Errorf("the build has not ended: %w", ErrConflict)
		}
		if err := s.checkRerun(tx, buildID, what); err != nil {
			return err
		}
		b.Parent, b.Planned, b.Delivery, b.Problems = old.Number, false, "", nil
		b.Sender, b.SenderAvatar, b.Rerun = by, "", what
		b.NeedsApproval = old.NeedsApproval && old.ApprovedBy == ""
		if err := s.insertBuild(tx, &b); err != nil {
			return err
		}
		return s.touchBuild(tx, b.ID, true)
	})
	if err != nil {
		return Build{}, wrap("restart build", err)
	}
	return s.BuildByID(ctx, b.ID)
}

// checkRerun returns an error if there is nothing of the kind to run again.
func (s *Store) checkRerun(tx *tx, buildID int64, what Rerun) error {
	var n int
	switch {
	case what.Step > 0:
		if err := tx.row(`SELECT count(*) FROM steps st JOIN jobs j ON j.id = st.job_id
			WHERE j.build_id = ? AND j.number = ? AND st.number = ?`, buildID, what.Job, what.Step).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("step %d of job %d: %w", what.Step, what.Job, ErrNotFound)
		}
	case what.FailedOnly:
		if err := tx.row(`SELECT count(*) FROM jobs WHERE build_id = ? AND status IN ('failure', 'error', 'canceled')`, buildID).
			Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("no workflow of the build failed: %w", ErrConflict)
		}
	}
	return nil
}

// carryJob inserts a job that takes over the outcome of another, its plan and
// its steps: it is final, and nothing of it runs. Its logs, and what was worked
// out from them, stay with the build that it ran in.
func (s *Store) carryJob(tx *tx, b Build, number int, j NewJob) error {
	var id int64
	err := tx.row(`INSERT INTO jobs (build_id, repo_id, number, name, status, reason, failed_step, depends_on, on_success,
			on_failure, plan, nonce, base, matrix, created_at, queued_at, started_at, sourced_at, finished_at,
			carried_from, carried_job)
		SELECT ?, old.repo_id, ?, ?, old.status, old.reason, old.failed_step, ?, old.on_success,
			old.on_failure, old.plan, '', old.base, old.matrix, ?, old.queued_at, old.started_at, old.sourced_at, old.finished_at,
			CASE old.carried_from WHEN 0 THEN b.number ELSE old.carried_from END,
			CASE old.carried_from WHEN 0 THEN old.number ELSE old.carried_job END
		FROM jobs old JOIN builds b ON b.id = old.build_id WHERE old.id = ? RETURNING id`,
		b.ID, number, j.Name, toJSON(j.DependsOn), ms(s.Now()), j.Carry).Scan(&id)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO steps (job_id, number, name, kind, image, status, reason, exited, exit_code,
			started_at, imaged_at, ran_at, finished_at, cpu_us, peak_memory, digested)
		SELECT ?, number, name, kind, image, status, reason, exited, exit_code,
			started_at, imaged_at, ran_at, finished_at, cpu_us, peak_memory, 1
		FROM steps WHERE job_id = ?`, id, j.Carry)
}
