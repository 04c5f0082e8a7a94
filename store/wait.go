package store

import "context"

// ExplainWait says why no pending job is claimed, on the jobs and on their
// builds; "" takes it back.
func (s *Store) ExplainWait(ctx context.Context, reason string) error {
	return wrap("explain wait", s.update(ctx, func(tx *tx) error {
		rows, err := tx.sql.QueryContext(tx.ctx, `SELECT DISTINCT build_id FROM jobs WHERE status = 'pending' AND held = 0 AND reason <> ?`, reason)
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
