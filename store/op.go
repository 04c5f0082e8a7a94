package store

import (
	"context"
	"time"
)

// OpRecord is what is known of one mutation of the engine; see runner.OpRecord.
type OpRecord struct {
	Key  string
	Done bool
	ID   string
}

// A Mark is a point that a running job or step has come to. It is stored with
// the record of the op that tells of it, so that knowing where a build's time
// went costs no write of its own. The first of a kind counts: a step that is
// tried again has waited for its image once.
type Mark struct {
	Kind MarkKind
	Step int // number of the step; 0 for MarkSourced
	At   time.Time
}

// MarkKind says what has come about.
type MarkKind uint8

const (
	MarkSourced MarkKind = iota + 1 // the source stands in the job's volume
	MarkImaged                      // the step's image is there
	MarkRan                         // the step's container was started
)

// IntendOp records, durably, that a job is about to do something to the engine.
// Of a job that has ended nothing is recorded, since it is not resumed.
func (s *Store) IntendOp(ctx context.Context, jobID int64, key string, marks ...Mark) error {
	return wrap("record intent", s.update(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO ops (job_id, key) SELECT id, ? FROM jobs WHERE id = ? AND status = 'running'
			ON CONFLICT DO NOTHING`, key, jobID); err != nil {
			return err
		}
		return s.mark(tx, jobID, marks)
	}))
}

// DoneOp records that it was done, and the ID of what it made, unless the job has
// ended.
func (s *Store) DoneOp(ctx context.Context, jobID int64, key, id string, marks ...Mark) error {
	return wrap("record operation", s.update(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO ops (job_id, key, done, id) SELECT id, ?, 1, ? FROM jobs WHERE id = ? AND status = 'running'
			ON CONFLICT DO UPDATE SET done = 1, id = excluded.id`, key, id, jobID); err != nil {
			return err
		}
		return s.mark(tx, jobID, marks)
	}))
}

// mark stores marks of a job that runs.
func (s *Store) mark(tx *tx, jobID int64, marks []Mark) error {
	for _, m := range marks {
		query, args := `UPDATE jobs SET sourced_at = ? WHERE id = ? AND status = 'running' AND sourced_at = 0`, []any{ms(m.At), jobID}
		switch m.Kind {
		case MarkSourced:
		case MarkImaged:
			query = `UPDATE steps SET imaged_at = ? WHERE job_id = ? AND number = ? AND imaged_at = 0`
			args = append(args, m.Step)
		case MarkRan:
			query = `UPDATE steps SET ran_at = ? WHERE job_id = ? AND number = ? AND ran_at = 0`
			args = append(args, m.Step)
		}
		ok, err := tx.changed(query, args...)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.touchJob(tx, nil, jobID); err != nil {
			return err
		}
	}
	return nil
}

// Ops returns what was recorded of a job that has not ended.
func (s *Store) Ops(ctx context.Context, jobID int64) ([]OpRecord, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT key, done, id FROM ops WHERE job_id = ?`, jobID)
	out, err := collect(rows, err, func(o *OpRecord, row scanner) error { return row.Scan(&o.Key, &o.Done, &o.ID) })
	return out, wrap("list operations", err)
}
