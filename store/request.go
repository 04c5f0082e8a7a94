package store

import (
	"context"
	"fmt"
)

// RequestCancel asks for a build to be canceled; by names who asked. What does
// not run yet ends at once, the rest when the queue has stopped it. A second
// request asks for it to be killed. ErrConflict if the build has ended.
func (s *Store) RequestCancel(ctx context.Context, buildID int64, by string) error {
	return wrap("cancel build", s.update(ctx, func(tx *tx) error {
		ok, err := tx.changed(`UPDATE builds SET cancels = cancels + 1, canceled_by = ?
			WHERE id = ? AND status IN ('blocked', 'pending', 'running')`, by, buildID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the build has ended: %w", ErrConflict)
		}
		var running int
		if err := tx.row(`SELECT count(*) FROM jobs WHERE build_id = ? AND status = 'running'`, buildID).
			Scan(&running); err != nil {
			return err
		}
		if running == 0 {
			return s.endBuild(tx, buildID, Canceled, "canceled by "+by)
		}
		if err := s.cancelWaiting(tx, buildID, by); err != nil {
			return err
		}
		return s.touchBuild(tx, buildID, false)
	}))
}

func (s *Store) cancelWaiting(tx *tx, buildID int64, by string) error {
	rows, err := tx.sql.QueryContext(tx.ctx, `SELECT id FROM jobs WHERE build_id = ? AND status IN ('blocked', 'pending')`, buildID)
	ids, err := collect(rows, err, func(id *int64, row scanner) error { return row.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.endJob(tx, id, Canceled, "canceled by "+by, 0); err != nil {
			return err
		}
	}
	return nil
}

// Approve lets a build that waits for it run. sha is the commit that was looked
// at; ErrConflict if it is not the build's, or the build does not wait.
func (s *Store) Approve(ctx context.Context, buildID int64, sha, by string) error {
	return wrap("approve build", s.update(ctx, func(tx *tx) error {
		ok, err := tx.changed(`UPDATE builds SET status = 'pending', reason = '', approved_by = ?
			WHERE id = ? AND status = 'blocked' AND sha = ?`, by, buildID, sha)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the build does not wait for approval of commit %.7s: %w", sha, ErrConflict)
		}
		if err := s.touchBuild(tx, buildID, true); err != nil {
			return err
		}
		return s.settle(tx, buildID)
	}))
}

// Restart creates a new run of a build that has ended: a build of the same
// event and commit with the next number, to be planned by the trigger.
// ErrConflict if the build has not ended. An approval is kept, since it was for
// the same commit; a build that ended without one needs it still.
func (s *Store) Restart(ctx context.Context, buildID int64, by string) (Build, error) {
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
		b.Parent, b.Planned, b.Delivery, b.Problems = old.Number, false, "", nil
		b.Sender, b.SenderAvatar = by, ""
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
