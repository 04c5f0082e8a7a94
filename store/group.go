package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Group bounds how many jobs of a repository run at once: those whose group has
// the same name. The zero Group is none.
type Group struct {
	Name  string
	Limit int // at least 1
	// Cancel: a job that is queued stops older builds' jobs of the group instead
	// of waiting for them.
	Cancel bool
}

// queueJob makes a blocked job pending. One of a group is held until it is its
// turn there; in this way Claim knows nothing of groups, and what a full group
// holds back costs it nothing.
func (s *Store) queueJob(tx *tx, j *Job) error {
	grouped := j.Group.Name != ""
	reason := ""
	if grouped {
		reason = "waits for its turn in the group " + j.Group.Name
	}
	if err := tx.exec(`UPDATE jobs SET status = 'pending', queued_at = ?, held = ?, reason = ?
		WHERE id = ? AND status = 'blocked'`, ms(s.Now()), grouped, reason, j.ID); err != nil || !grouped {
		return err
	}
	if j.Group.Cancel {
		if err := s.makeRoom(tx, j); err != nil {
			return err
		}
	}
	return s.admit(tx, j.RepoID, j.Group.Name)
}

// liveJob is a job of a group that is pending or runs.
type liveJob struct {
	id, buildID, number int64 // number of its build
	running             bool
	superseded          bool // told to stop, and running still
}

// live returns a group's jobs, the oldest first.
func (s *Store) live(tx *tx, repoID int64, group string) ([]liveJob, error) {
	rows, err := tx.sql.QueryContext(tx.ctx, `SELECT j.id, j.build_id, b.number, j.status = 'running', j.superseded_by <> 0
		FROM jobs j JOIN builds b ON b.id = j.build_id
		WHERE j.repo_id = ? AND j.group_name = ? AND j.group_name <> '' AND j.status IN ('pending', 'running')
		ORDER BY j.id`, repoID, group)
	return collect(rows, err, func(l *liveJob, row scanner) error {
		return row.Scan(&l.id, &l.buildID, &l.number, &l.running, &l.superseded)
	})
}

// makeRoom stops the oldest jobs of j's group until its limit holds. Jobs of the
// same build don't stop each other. If there are newer builds in the group, j is
// one of the old itself.
func (s *Store) makeRoom(tx *tx, j *Job) error {
	jobs, err := s.live(tx, j.RepoID, j.Group.Name)
	if err != nil {
		return err
	}
	excess := -j.Group.Limit
	var number int64 // of j's build
	var newest liveJob
	for _, l := range jobs {
		if !l.superseded {
			excess++
		}
		if l.buildID == j.BuildID {
			number = l.number
		}
		if l.buildID > newest.buildID {
			newest = l
		}
	}
	for _, l := range jobs {
		if excess <= 0 || l.superseded || l.buildID >= j.BuildID {
			continue
		}
		excess--
		if err := s.supersedeJob(tx, l, number); err != nil {
			return err
		}
	}
	if excess > 0 && newest.buildID > j.BuildID {
		j.Status, j.Reason = Canceled, superseded(newest.number)
		return s.endJob(tx, j.ID, j.Status, j.Reason, 0) // whoever queues it settles its build
	}
	return nil
}

// supersedeJob stops a job of an older build: what does not run ends at once,
// the rest when the queue has stopped it.
func (s *Store) supersedeJob(tx *tx, l liveJob, number int64) error {
	if l.running {
		if err := tx.exec(`UPDATE jobs SET superseded_by = ? WHERE id = ?`, number, l.id); err != nil {
			return err
		}
		return s.touchBuild(tx, l.buildID, false)
	}
	if err := s.endJob(tx, l.id, Canceled, superseded(number), 0); err != nil {
		return err
	}
	if err := s.touchBuild(tx, l.buildID, true); err != nil {
		return err
	}
	return s.settle(tx, l.buildID)
}

func superseded(number int64) string { return fmt.Sprintf("superseded by build #%d", number) }

// admit lets those of a group that are held be claimed, the oldest first, until
// the limit of the next one is reached. What it reads does not grow with the
// number of those that stay held.
func (s *Store) admit(tx *tx, repoID int64, group string) error {
	const live = ` FROM jobs WHERE repo_id = ? AND group_name = ? AND group_name <> '' AND status IN ('pending', 'running')`
	var admitted int
	if err := tx.row(`SELECT count(*)`+live+` AND held = 0`, repoID, group).Scan(&admitted); err != nil {
		return err
	}
	for ; ; admitted++ {
		var id, buildID int64
		var limit int
		err := tx.row(`SELECT id, build_id, group_limit`+live+` AND held = 1 ORDER BY id LIMIT 1`, repoID, group).
			Scan(&id, &buildID, &limit)
		if errors.Is(err, sql.ErrNoRows) || err == nil && admitted >= limit {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.exec(`UPDATE jobs SET held = 0, reason = '' WHERE id = ?`, id); err != nil {
			return err
		}
		if err := s.touchBuild(tx, buildID, true); err != nil {
			return err
		}
	}
}

// leaveGroup admits the next jobs of the group of a job that has ended.
func (s *Store) leaveGroup(tx *tx, jobID int64) error {
	var repoID int64
	var group string
	if err := tx.row(`SELECT repo_id, group_name FROM jobs WHERE id = ?`, jobID).Scan(&repoID, &group); err != nil {
		return err
	}
	if group == "" {
		return nil
	}
	return s.admit(tx, repoID, group)
}

// StopRequest is what was asked of a running job.
type StopRequest struct {
	Cancels    int    // requests to cancel its build
	CanceledBy string // who asked last
	// Superseded says which build the job makes room for; "" for none.
	Superseded string
}

// StopRequest returns what was asked of a job.
func (s *Store) StopRequest(ctx context.Context, jobID int64) (StopRequest, error) {
	var r StopRequest
	var by int64
	err := s.read.QueryRowContext(ctx, `SELECT b.cancels, b.canceled_by, j.superseded_by
		FROM jobs j JOIN builds b ON b.id = j.build_id WHERE j.id = ?`, jobID).Scan(&r.Cancels, &r.CanceledBy, &by)
	if by != 0 {
		r.Superseded = superseded(by)
	}
	return r, wrap("read request to stop", err)
}
