package store

import "context"

// ExplainWait says why no pending job is claimed, on the jobs, on their builds and
// to WaitReason; "" takes it back.
func (s *Store) ExplainWait(ctx context.Context, reason string) error {
	return wrap("explain wait", s.update(ctx, func(tx *tx) error {
		changed, err := tx.changed(`UPDATE meta SET wait_reason = ?1 WHERE wait_reason <> ?1`, reason)
		if err != nil {
			return err
		}
		if changed {
			tx.publish(Event{Kind: WaitChanged})
		}
		rows, err := tx.sql.QueryContext(tx.ctx, `SELECT DISTINCT build_id FROM jobs INDEXED BY jobs_pending
			WHERE status = 'pending' AND held = 0 AND reason <> ?`, reason)
		builds, err := collect(rows, err, func(id *int64, row scanner) error { return row.Scan(id) })
		if err != nil {
			return err
		}
		for _, id := range builds {
			if err := tx.exec(`UPDATE jobs SET reason = ? WHERE build_id = ? AND status = 'pending' AND held = 0`, reason, id); err != nil {
				return err
			}
			if err := tx.exec(`UPDATE builds SET reason = ? WHERE id = ? AND status = 'pending'`, reason, id); err != nil {
				return err
			}
			if err := s.touchBuild(tx, id, false); err != nil {
				return err
			}
		}
		return nil
	}))
}

// WaitReason is what ExplainWait said last: why nothing is claimed, "" if it is.
func (s *Store) WaitReason(ctx context.Context) (reason string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT wait_reason FROM meta`).Scan(&reason)
	return reason, wrap("read wait reason", err)
}
