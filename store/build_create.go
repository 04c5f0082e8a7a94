package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// NewJob is a job to be created with its build.
type NewJob struct {
	Name string
	// Base and Matrix are the workflow and the values of a matrix's combination.
	Base      string
	Matrix    map[string]string
	Plan      json.RawMessage // pipeline.Workflow
	DependsOn []string        // names of jobs of the same build
	// OnSuccess and OnFailure say after which outcome of DependsOn it runs.
	OnSuccess, OnFailure bool
	Skip                 string // why it does not run; "" if it may
	Group                Group
	Steps                []NewStep
	// Carry is the ID of a job of an earlier run whose outcome this one takes over
	// with its plan and its steps, instead of running; 0: it runs.
	Carry int64
}

// NewStep is a step to be created with its job.
type NewStep struct{ Name, Kind, Image string }

// CreateBuild stores a build with its jobs and steps and finishes the delivery
// that it came from (b.Delivery, if not empty), all in one transaction.
//
// b.Number is the number the build is to get, the repository's LastNumber + 1;
// ErrConflict if another build took it meanwhile. A final b.Status makes a build
// that ended before it ran, with b.Reason; else the status is worked out: a
// build that needs approval is blocked, others are pending. Earlier builds of
// the same pull request that still wait for approval end as superseded.
//
// A ref that comes back to a commit it was built for (a pull request that is
// reopened, a branch that is reset) makes a new run of that build, as a restart
// does, so that the verdict is the newer one's.
//
// A build that is not Planned has no jobs yet and waits, for b.Reason. Its delivery
// stays pending, knows it by BuildID and is put off until b.NextAt, as if by
// RetryPlan.
func (s *Store) CreateBuild(ctx context.Context, b Build, jobs []NewJob) (Build, error) {
	err := s.update(ctx, func(tx *tx) error {
		if err := s.joinRuns(tx, &b); err != nil {
			return err
		}
		if err := s.insertBuild(tx, &b); err != nil {
			return err
		}
		if err := s.supersede(tx, b); err != nil {
			return err
		}
		if err := s.planBuild(tx, b, jobs); err != nil {
			return err
		}
		if b.Planned {
			return s.finishWith(tx, b)
		}
		if err := s.retryPlan(tx, b); err != nil || b.Delivery == "" {
			return err
		}
		return tx.exec(`UPDATE deliveries SET build_id = ? WHERE guid = ?`, b.ID, b.Delivery)
	})
	if err != nil {
		return Build{}, wrap("create build", err)
	}
	return s.BuildByID(ctx, b.ID)
}

// finishWith finishes the delivery that a build came from, if it did.
func (s *Store) finishWith(tx *tx, b Build) error {
	if b.Delivery == "" {
		return nil
	}
	return s.finishDelivery(tx, b.Delivery, DeliveryDone, fmt.Sprintf("build #%d", b.Number), b.ID)
}

// PlanBuild stores the jobs of a build that was created without (a restart, or one
// that could not be planned at once), or ends it, if b.Status is final, with
// b.Reason and b.Problems, and finishes its delivery. ErrConflict if the build has
// been planned or ended meanwhile.
func (s *Store) PlanBuild(ctx context.Context, b Build, jobs []NewJob) error {
	return wrap("plan build", s.update(ctx, func(tx *tx) error {
		ok, err := tx.changed(`UPDATE builds SET planned = 1, reason = ?, problems = ?, files = ?, fingerprint = ?, message = ?,
				author = ?, author_email = ?
			WHERE id = ? AND planned = 0`, b.Reason,
			string(b.Problems), toJSON(b.Files), b.Fingerprint, b.Message, b.Author, b.AuthorEmail, b.ID)
		if err != nil {
			return err
		}
		if !ok {
			return ErrConflict
		}
		if err := s.planBuild(tx, b, jobs); err != nil {
			return err
		}
		return s.finishWith(tx, b)
	}))
}

// RetryPlan counts a failed try to plan a build, and one of its delivery, if it
// came from one, and says when the next is due: b.NextAt, with b.Reason. A build
// that has been planned is left as it is.
func (s *Store) RetryPlan(ctx context.Context, b Build) error {
	return wrap("put off plan", s.update(ctx, func(tx *tx) error { return s.retryPlan(tx, b) }))
}

func (s *Store) retryPlan(tx *tx, b Build) error {
	if err := tx.exec(`UPDATE builds SET attempts = attempts + 1, next_at = ?, reason = ?
		WHERE id = ? AND planned = 0`, ms(b.NextAt), b.Reason, b.ID); err != nil {
		return err
	}
	if b.Delivery != "" {
		if err := retryDelivery(tx, b.Delivery, b.NextAt, b.Reason); err != nil {
			return err
		}
	}
	return s.touchBuild(tx, b.ID, true)
}

// joinRuns sets the origin of a build whose event another one had before.
func (s *Store) joinRuns(tx *tx, b *Build) error {
	err := tx.row(`SELECT origin_id FROM builds WHERE repo_id = ? AND sha = ? AND event = ? AND ref = ?
		ORDER BY id DESC LIMIT 1`, b.RepoID, b.SHA, b.Event, b.Ref).Scan(&b.OriginID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// insertBuild takes the number and inserts the row, pending.
func (s *Store) insertBuild(tx *tx, b *Build) error {
	ok, err := tx.changed(`UPDATE repos SET last_number = ?, had_pipeline = had_pipeline OR ?
		WHERE id = ? AND last_number = ?`, b.Number, len(b.Files) > 0, b.RepoID, b.Number-1)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("build number %d is taken: %w", b.Number, ErrConflict)
	}
	change, err := tx.nextChange()
	if err != nil {
		return err
	}
	pull, pullNumber := "", 0
	if b.Pull != nil {
		pull, pullNumber = toJSON(b.Pull), b.Pull.Number
	}
	rerun, release, deploy := "", "", ""
	if b.Rerun != (Rerun{}) {
		rerun = toJSON(b.Rerun)
	}
	if b.Release != nil {
		release = toJSON(b.Release)
	}
	if b.Deploy != nil {
		deploy = toJSON(b.Deploy)
	}
	return tx.row(`INSERT INTO builds (repo_id, number, origin_id, parent, rerun, status, problems, planned, event, ref,
			branch, tag, sha, before_sha, message, url, author, author_email, avatar_url, sender, sender_avatar, pull,
			pull_number, release, deploy,
			files, fingerprint, delivery, approval, approved_by, created_at, change)
		VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		RETURNING id`,
		b.RepoID, b.Number, b.OriginID, b.Parent, rerun, string(b.Problems), b.Planned, b.Event, b.Ref,
		b.Branch, b.Tag, b.SHA, b.Before, b.Message, b.URL, b.Author, b.AuthorEmail, b.AvatarURL, b.Sender, b.SenderAvatar,
		pull, pullNumber, release, deploy,
		toJSON(b.Files), b.Fingerprint, b.Delivery, b.NeedsApproval, b.ApprovedBy, ms(s.Now()), change).Scan(&b.ID)
}

// supersede ends what else of the pull request waits for approval.
func (s *Store) supersede(tx *tx, b Build) error {
	if b.Pull == nil {
		return nil
	}
	rows, err := tx.sql.QueryContext(tx.ctx, `SELECT id FROM builds
		WHERE repo_id = ? AND pull_number = ? AND status = 'blocked' AND id <> ?`, b.RepoID, b.Pull.Number, b.ID)
	ids, err := collect(rows, err, func(id *int64, row scanner) error { return row.Scan(id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.endBuild(tx, id, Canceled, fmt.Sprintf("superseded by %.7s", b.SHA)); err != nil {
			return err
		}
	}
	return nil
}

// planBuild inserts the jobs of a pending build and sets its first real status.
func (s *Store) planBuild(tx *tx, b Build, jobs []NewJob) error {
	if b.OriginID == 0 {
		if err := tx.exec(`UPDATE builds SET origin_id = id WHERE id = ?`, b.ID); err != nil {
			return err
		}
	}
	if err := s.insertFiles(tx, b); err != nil {
		return err
	}
	if b.Planned {
		if err := tx.exec(`UPDATE builds SET planned = 1 WHERE id = ?`, b.ID); err != nil {
			return err
		}
	}
	for i, j := range jobs {
		if err := s.insertJob(tx, b, i+1, j); err != nil {
			return fmt.Errorf("job %s: %w", j.Name, err)
		}
	}
	switch {
	case !b.Planned: // before anybody could approve what is not known yet
		return s.touchBuild(tx, b.ID, true)
	case b.Status.Final():
		_, err := s.setBuild(tx, b.ID, []Status{Pending}, b.Status, b.Reason)
		return err
	case b.NeedsApproval:
		_, err := s.setBuild(tx, b.ID, []Status{Pending}, Blocked, b.Reason)
		return err
	default:
		if err := s.touchBuild(tx, b.ID, true); err != nil {
			return err
		}
		return s.settle(tx, b.ID)
	}
}

func (s *Store) insertJob(tx *tx, b Build, number int, j NewJob) error {
	if j.Carry != 0 {
		return s.carryJob(tx, b, number, j)
	}
	now := ms(s.Now())
	status, finished := Blocked, int64(0)
	if j.Skip != "" {
		status, finished = Skipped, now
	}
	matrix := ""
	if len(j.Matrix) > 0 {
		matrix = toJSON(j.Matrix)
	}
	var id int64
	err := tx.row(`INSERT INTO jobs (build_id, repo_id, number, name, status, reason, depends_on, on_success,
			on_failure, plan, nonce, base, matrix, group_name, group_limit, group_cancel, created_at, finished_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		b.ID, b.RepoID, number, j.Name, status, j.Skip, toJSON(j.DependsOn), j.OnSuccess, j.OnFailure,
		string(j.Plan), newNonce(), j.Base, matrix, j.Group.Name, j.Group.Limit, j.Group.Cancel, now, finished).Scan(&id)
	if err != nil {
		return err
	}
	for i, st := range j.Steps {
		if err := tx.exec(`INSERT INTO steps (job_id, number, name, kind, image, status, finished_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, id, i+1, st.Name, st.Kind, st.Image, status, finished); err != nil {
			return fmt.Errorf("step %s: %w", st.Name, err)
		}
	}
	return nil
}
