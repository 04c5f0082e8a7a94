package store

import (
	"context"
	"time"
)

// Commit is a commit whose statuses are to be worked out again.
type Commit struct {
	RepoID int64
	SHA    string
	Change int64 // the change up to which they are worked out with SetStatuses
}

// DirtyCommits returns commits whose builds changed since their statuses were
// worked out, the longest waiting first.
func (s *Store) DirtyCommits(ctx context.Context, limit int) ([]Commit, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT repo_id, sha, change FROM commits
		WHERE change > seen ORDER BY change LIMIT ?`, limit)
	out, err := collect(rows, err, func(c *Commit, row scanner) error { return row.Scan(&c.RepoID, &c.SHA, &c.Change) })
	return out, wrap("list changed commits", err)
}

// CommitRuns returns the newest run of each build of a commit, the oldest build
// first: what a commit's verdict is made of.
func (s *Store) CommitRuns(ctx context.Context, repoID int64, sha string) ([]Build, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+buildColumns+` FROM builds b WHERE b.id IN (
			SELECT max(id) FROM builds WHERE repo_id = ? AND sha = ? GROUP BY origin_id)
		ORDER BY b.origin_id`, repoID, sha)
	out, err := collect(rows, err, (*Build).scan)
	return out, wrap("list builds of commit", err)
}

// WantedStatus is what GitHub is to say of a commit in one context.
type WantedStatus struct {
	Context, State, Description, TargetURL string
}

// SetStatuses stores what was worked out from a commit as of c.Change. What
// equals the stored row changes nothing; what differs replaces it, whether it
// was sent or not, and is due at once.
func (s *Store) SetStatuses(ctx context.Context, c Commit, want []WantedStatus) error {
	return wrap("store statuses", s.update(ctx, func(tx *tx) error {
		for _, w := range want {
			if err := tx.exec(`INSERT INTO statuses AS st
					(repo_id, sha, context, state, description, target_url, version, next_at)
				VALUES (?, ?, ?, ?, ?, ?, 1, ?)
				ON CONFLICT DO UPDATE SET state = excluded.state, description = excluded.description,
					target_url = excluded.target_url, version = st.version + 1, next_at = excluded.next_at,
					attempts = 0, refused = 0, error = ''
				WHERE (st.state, st.description, st.target_url) <>
					(excluded.state, excluded.description, excluded.target_url)`,
				c.RepoID, c.SHA, w.Context, w.State, w.Description, w.TargetURL, ms(s.Now())); err != nil {
				return err
			}
		}
		tx.publish(Event{Kind: StatusChanged, RepoID: c.RepoID}) // also if nothing is new: somebody may wait for that
		return tx.exec(`UPDATE commits SET seen = max(seen, ?) WHERE repo_id = ? AND sha = ?`, c.Change, c.RepoID, c.SHA)
	}))
}

// CommitStatus is a row of the outbox.
type CommitStatus struct {
	ID, RepoID                             int64
	SHA                                    string
	Context, State, Description, TargetURL string
	Version, Sent                          int64 // wanted, and what GitHub has
	Attempts                               int   // failed ones of this version
	NextAt                                 time.Time
	Refused                                int    // HTTP status of GitHub's refusal, or 0
	Error                                  string // of the last try, in GitHub's words
	SentAt                                 time.Time
}

// Delivered reports whether GitHub has what is wanted.
func (c CommitStatus) Delivered() bool { return c.Sent == c.Version }

const statusColumns = `st.id, st.repo_id, st.sha, st.context, st.state, st.description, st.target_url,
	st.version, st.sent, st.attempts, st.next_at, st.refused, st.error, st.sent_at`

func (c *CommitStatus) scan(row scanner) error {
	var next, sent int64
	err := row.Scan(&c.ID, &c.RepoID, &c.SHA, &c.Context, &c.State, &c.Description, &c.TargetURL,
		&c.Version, &c.Sent, &c.Attempts, &next, &c.Refused, &c.Error, &sent)
	c.NextAt, c.SentAt = fromMS(next), fromMS(sent)
	return err
}

// UnsentStatuses returns what GitHub does not have yet, the soonest due first.
func (s *Store) UnsentStatuses(ctx context.Context, limit int) ([]CommitStatus, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+statusColumns+` FROM statuses st
		WHERE st.version > st.sent ORDER BY st.next_at, st.id LIMIT ?`, limit)
	out, err := collect(rows, err, (*CommitStatus).scan)
	return out, wrap("list unsent statuses", err)
}

// CommitStatuses returns the statuses of a commit by context.
func (s *Store) CommitStatuses(ctx context.Context, repoID int64, sha string) ([]CommitStatus, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+statusColumns+` FROM statuses st
		WHERE st.repo_id = ? AND st.sha = ? ORDER BY st.context`, repoID, sha)
	out, err := collect(rows, err, (*CommitStatus).scan)
	return out, wrap("list statuses", err)
}

// StatusSent records that GitHub took this version of a status.
func (s *Store) StatusSent(ctx context.Context, c CommitStatus) error {
	return wrap("record sent status", s.update(ctx, func(tx *tx) error {
		tx.publish(Event{Kind: StatusChanged, RepoID: c.RepoID})
		return tx.exec(`UPDATE statuses SET sent = ?, sent_at = ?,
				attempts = CASE WHEN version = ? THEN 0 ELSE attempts END,
				refused = CASE WHEN version = ? THEN 0 ELSE refused END,
				error = CASE WHEN version = ? THEN '' ELSE error END
			WHERE id = ? AND sent < ?`, c.Version, ms(s.Now()), c.Version, c.Version, c.Version, c.ID, c.Version)
	}))
}

// StatusFailed records a failed try of this version: when to try again, whether
// GitHub refused it (its HTTP status, else 0) and its words.
func (s *Store) StatusFailed(ctx context.Context, c CommitStatus, next time.Time, refused int, words string) error {
	return wrap("record failed status", s.update(ctx, func(tx *tx) error {
		tx.publish(Event{Kind: StatusChanged, RepoID: c.RepoID})
		return tx.exec(`UPDATE statuses SET attempts = attempts + 1, next_at = ?, refused = ?, error = ?
			WHERE id = ? AND version = ?`, ms(next), refused, words, c.ID, c.Version)
	}))
}

// RetryStatuses makes what GitHub does not have of a commit due at once.
func (s *Store) RetryStatuses(ctx context.Context, repoID int64, sha string) error {
	return wrap("retry statuses", s.update(ctx, func(tx *tx) error {
		tx.publish(Event{Kind: StatusChanged, RepoID: repoID})
		return tx.exec(`UPDATE statuses SET next_at = ? WHERE repo_id = ? AND sha = ? AND version > sent`,
			ms(s.Now()), repoID, sha)
	}))
}
