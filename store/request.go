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
