package store

import (
	"context"
	"time"
)

// Digest is what matters of a failed step: where its log says why, and how.
type Digest struct {
	StepID, BuildID, RepoID int64
	// Line is the row of the log at which to open it; 0 if it has no rows.
	Line int64
	// Title is the error in one line of plain text. Known is set where the log
	// says it, in a form that a rule knows: elsewhere it is a guess, such as the
	// last line, or how the step ended.
	Title string
	Known bool
	// Command is the one that failed; "" if that is not known.
	Command string
	// Excerpt are the few rows of the log that matter, in their order.
	Excerpt []DigestLine
	// Text is the plain text of Excerpt, without colours, for the search.
	Text string
}

// DigestLine is a row of a log.
type DigestLine struct {
	N    int64  `json:"n"`
	Text string `json:"text"` // as in the log, with its escape sequences
}

const digestColumns = `d.step_id, d.build_id, d.repo_id, d.line, d.title, d.known, d.command, d.excerpt, d.text`

func (d *Digest) scan(row scanner) error {
	var excerpt string
	err := row.Scan(&d.StepID, &d.BuildID, &d.RepoID, &d.Line, &d.Title, &d.Known, &d.Command, &excerpt, &d.Text)
	return scanJSON(err, excerpt, &d.Excerpt)
}

// Changes are what a build has in it since the last one that passed.
type Changes struct {
	// Number and SHA are of that build; Branch is its branch, if it is not of the
	// same branch or pull request itself.
	Number int64  `json:"number,omitempty"`
	SHA    string `json:"sha,omitempty"`
	Branch string `json:"branch,omitempty"`
	// Commits, the newest first, and Files are cut where there are many; the
	// counts say how many more there are.
	Commits     []ChangedCommit `json:"commits,omitempty"`
	MoreCommits int             `json:"more_commits,omitempty"`
	Files       []string        `json:"files,omitempty"`
	MoreFiles   int             `json:"more_files,omitempty"`
	// Unknown says why nothing is known of it, "" if something is.
	Unknown string `json:"unknown,omitempty"`
}

// ChangedCommit is a commit in a list of them.
type ChangedCommit struct {
	SHA     string `json:"sha"`
	Author  string `json:"author"`
	Subject string `json:"subject"`
}

// FailedStep is a step that ended badly: how it ended, and what it is of.
type FailedStep struct {
	ID                int64
	JobNumber, Number int
	Name              string
	Status            Status
	Reason            string
	Exited            bool // ExitCode is known
	ExitCode          int
	Build             Build
}

// UndigestedSteps returns failed steps of which no digest is stored, the oldest
// first.
func (s *Store) UndigestedSteps(ctx context.Context, limit int) ([]FailedStep, error) {
	type row struct {
		FailedStep
		buildID int64
	}
	rows, err := s.read.QueryContext(ctx, `SELECT st.id, st.number, st.name, st.status, st.reason, st.exited, st.exit_code,
			j.number, j.build_id
		FROM steps st JOIN jobs j ON j.id = st.job_id
		WHERE st.digested = 0 AND st.status IN ('failure', 'error') ORDER BY st.id LIMIT ?`, limit)
	found, err := collect(rows, err, func(r *row, rows scanner) error {
		return rows.Scan(&r.ID, &r.Number, &r.Name, &r.Status, &r.Reason, &r.Exited, &r.ExitCode, &r.JobNumber, &r.buildID)
	})
	if err != nil {
		return nil, wrap("list steps without a digest", err)
	}
	out := make([]FailedStep, len(found))
	for i, r := range found {
		out[i] = r.FailedStep
		if out[i].Build, err = s.BuildByID(ctx, r.buildID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveFinding stores the digest of a failed step before it is worked out what
// changed in its build, for a commit's status to have the title at once.
// SaveDigest is to follow: until it did, the step is undigested.
func (s *Store) SaveFinding(ctx context.Context, d Digest) error {
	return wrap("store finding", s.update(ctx, func(tx *tx) error { return s.saveFinding(tx, d) }))
}

// SaveDigest stores the digest of a failed step and, unless it is nil, what
// changed in its build. What of it is stored already stays.
func (s *Store) SaveDigest(ctx context.Context, d Digest, c *Changes) error {
	return wrap("store digest", s.update(ctx, func(tx *tx) error {
		if err := s.saveFinding(tx, d); err != nil {
			return err
		}
		if c != nil {
			if err := tx.exec(`INSERT INTO build_changes (build_id, changes) VALUES (?, ?)
				ON CONFLICT DO NOTHING`, d.BuildID, toJSON(c)); err != nil {
				return err
			}
		}
		ok, err := tx.changed(`UPDATE steps SET digested = 1 WHERE id = ? AND digested = 0`, d.StepID)
		if err != nil || !ok {
			return err
		}
		return s.touchBuild(tx, d.BuildID, d.Known)
	}))
}

// saveFinding stores a digest unless the step has one. A title that is known is
// for the commit's statuses to say.
func (s *Store) saveFinding(tx *tx, d Digest) error {
	ok, err := tx.changed(`INSERT INTO digests (step_id, build_id, repo_id, line, title, known, command, excerpt, text)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		d.StepID, d.BuildID, d.RepoID, d.Line, d.Title, d.Known, d.Command, toJSON(d.Excerpt), d.Text)
	if err != nil || !ok {
		return err
	}
	return s.touchBuild(tx, d.BuildID, d.Known)
}

// Digest returns the digest of a step. ErrNotFound if it has none, because it
// did not fail or has just ended.
func (s *Store) Digest(ctx context.Context, stepID int64) (Digest, error) {
	var d Digest
	err := d.scan(s.read.QueryRowContext(ctx, `SELECT `+digestColumns+` FROM digests d WHERE d.step_id = ?`, stepID))
	return d, wrap("read digest", err)
}

// Digests returns the digests of a build's steps by the steps' IDs.
func (s *Store) Digests(ctx context.Context, buildID int64) (map[int64]Digest, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+digestColumns+` FROM digests d WHERE d.build_id = ?`, buildID)
	all, err := collect(rows, err, (*Digest).scan)
	if err != nil {
		return nil, wrap("list digests", err)
	}
	out := make(map[int64]Digest, len(all))
	for _, d := range all {
		out[d.StepID] = d
	}
	return out, nil
}

// Culprit is the step that decided how its job ended badly.
type Culprit struct {
	Step string // its name
	// JobFinishedAt is when its job ended.
	JobFinishedAt time.Time
	// Digested is set once the step has a digest, or will have none. Title is that one's if it is
	// known, else "".
	Digested bool
	Title    string
}

// Culprits returns the step that decided of each of a build's jobs that failed
// by one, by the jobs' numbers.
func (s *Store) Culprits(ctx context.Context, buildID int64) (map[int]Culprit, error) {
	type row struct {
		Culprit
		job int
	}
	rows, err := s.read.QueryContext(ctx, `SELECT j.number, j.finished_at, st.name, st.digested OR d.step_id IS NOT NULL,
			CASE WHEN d.known THEN d.title ELSE '' END
		FROM jobs j JOIN steps st ON st.job_id = j.id AND st.number = j.failed_step
			LEFT JOIN digests d ON d.step_id = st.id
		WHERE j.build_id = ? AND j.finished_at > 0 AND st.status IN ('failure', 'error')`, buildID)
	all, err := collect(rows, err, func(r *row, rows scanner) error {
		var finished int64
		err := rows.Scan(&r.job, &finished, &r.Step, &r.Digested, &r.Title)
		r.JobFinishedAt = fromMS(finished)
		return err
	})
	if err != nil {
		return nil, wrap("list steps that decided", err)
	}
	out := make(map[int]Culprit, len(all))
	for _, r := range all {
		out[r.job] = r.Culprit
	}
	return out, nil
}

// BuildChanges returns what a failed build has in it since the last one that
// passed. ErrNotFound while that was not worked out.
func (s *Store) BuildChanges(ctx context.Context, buildID int64) (Changes, error) {
	var c Changes
	var data string
	err := s.read.QueryRowContext(ctx, `SELECT changes FROM build_changes WHERE build_id = ?`, buildID).Scan(&data)
	return c, wrap("read changes", scanJSON(err, data, &c))
}

// LastPassed returns the newest build of a ref that passed before the build of
// that number. ErrNotFound if there is none.
func (s *Store) LastPassed(ctx context.Context, repoID int64, ref string, before int64) (Build, error) {
	var b Build
	err := b.scan(s.read.QueryRowContext(ctx, `SELECT `+buildColumns+` FROM builds b
		WHERE b.repo_id = ? AND b.ref = ? AND b.number < ? AND b.status = 'success' ORDER BY b.number DESC LIMIT 1`,
		repoID, ref, before))
	return b, wrap("find last build that passed", err)
}
