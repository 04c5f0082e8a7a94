package store

import "context"

// OpRecord is what is known of one mutation of the engine; see runner.OpRecord.
type OpRecord struct {
	Key  string
	Done bool
	ID   string
}

// IntendOp records, durably, that a job is about to do something to the engine.
// Of a job that has ended nothing is recorded, since it is not resumed.
func (s *Store) IntendOp(ctx context.Context, jobID int64, key string) error {
	return wrap("record intent", s.update(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO ops (job_id, key) SELECT id, ? FROM jobs WHERE id = ? AND status = 'running'
			ON CONFLICT DO NOTHING`, key, jobID)
	}))
}

// DoneOp records that it was done, and the ID of what it made, unless the job has
// ended.
func (s *Store) DoneOp(ctx context.Context, jobID int64, key, id string) error {
	return wrap("record operation", s.update(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO ops (job_id, key, done, id) SELECT id, ?, 1, ? FROM jobs WHERE id = ? AND status = 'running'
			ON CONFLICT DO UPDATE SET done = 1, id = excluded.id`, key, id, jobID)
	}))
}

// Ops returns what was recorded of a job that has not ended.
func (s *Store) Ops(ctx context.Context, jobID int64) ([]OpRecord, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT key, done, id FROM ops WHERE job_id = ?`, jobID)
	out, err := collect(rows, err, func(o *OpRecord, row scanner) error { return row.Scan(&o.Key, &o.Done, &o.ID) })
	return out, wrap("list operations", err)
}
