package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Build is what one event makes of one commit.
type Build struct {
	ID, RepoID int64
	Number     int64 // counts from 1 within its repository
	// OriginID is the first build of which this is a run: its own ID unless it
	// restarts another, or the same ref came back to the same commit. Parent is
	// the number of the build it restarts, or 0.
	OriginID, Parent int64
	// Rerun is what of Parent runs again; the rest was carried over from it.
	Rerun Rerun

	Status Status
	// Reason says in a sentence why it ended as it did, or what it waits for.
	Reason string
	// Problems is JSON, pipeline.Problems: what is wrong in the pipeline files,
	// errors and warnings. nil if nothing is.
	Problems json.RawMessage
	Files    []string // the pipeline files that were used
	// Texts are Files with what stands in them, for who creates or plans a build.
	// A build that was read has none: see PipelineFiles.
	Texts []PipelineFile

	Event       string // pipeline.EventKind
	Ref         string // "refs/heads/main"
	Branch      string // pushed branch, or a pull request's target; "" for a tag
	Tag         string
	SHA         string
	Before      string // the ref's commit before; "" if it was new
	Message     string
	URL         string // of the commit or the pull request, on GitHub
	Author      string
	AuthorEmail string
	AvatarURL   string
	Sender      string
	// SenderAvatar is the address of the sender's picture, AvatarURL of the author's.
	SenderAvatar string
	Pull         *Pull    // nil unless Event is pull_request or pull_request_closed
	Release      *Release // nil unless Event is release
	Deploy       *Deploy  // nil unless Event is deployment
	Fingerprint  string
	Delivery     string // GUID of the delivery that made it

	// NeedsApproval: nothing of it runs before somebody has approved it.
	NeedsApproval bool
	ApprovedBy    string
	Cancels       int // requests to cancel it
	CanceledBy    string

	Planned  bool // its jobs stand
	Attempts int  // failed tries to plan it
	NextAt   time.Time

	CreatedAt, StartedAt, FinishedAt time.Time
	// Change grows with every change of the build, its jobs or steps, over all
	// builds and restarts of the server.
	Change int64
}

// Pull is the pull request of a build.
type Pull struct {
	Number     int      `json:"number"`
	Action     string   `json:"action,omitempty"` // GitHub's word for what happened to it: "opened", "synchronize"
	Title      string   `json:"title"`
	HeadBranch string   `json:"head_branch"`
	BaseBranch string   `json:"base_branch"`
	BaseSHA    string   `json:"base_sha,omitempty"` // where the base branch was
	HeadRepo   string   `json:"head_repo"`          // "owner/name"
	Fork       bool     `json:"fork"`
	Draft      bool     `json:"draft,omitempty"`
	Labels     []string `json:"labels,omitempty"`
	Milestone  string   `json:"milestone,omitempty"`
}

// Release is the release of a build.
type Release struct {
	Name       string `json:"name"`
	Prerelease bool   `json:"prerelease,omitempty"`
}

// Deploy is the deployment of a build.
type Deploy struct {
	Target string `json:"target"` // environment
	Task   string `json:"task"`
	ID     int64  `json:"id"` // GitHub's
}

// Duration returns how long the build has run, up to now while it runs.
func (b Build) Duration(now time.Time) time.Duration { return duration(b.StartedAt, b.FinishedAt, now) }

func duration(from, to, now time.Time) time.Duration {
	switch {
	case from.IsZero():
		return 0
	case to.IsZero():
		return now.Sub(from)
	default:
		return to.Sub(from)
	}
}

const buildColumns = `b.id, b.repo_id, b.number, b.origin_id, b.parent, b.rerun, b.status, b.reason, b.problems, b.files,
	b.event, b.ref, b.branch, b.tag, b.sha, b.before_sha, b.message, b.url, b.author, b.author_email,
	b.avatar_url, b.sender, b.sender_avatar, b.pull, b.release, b.deploy, b.fingerprint, b.delivery, b.approval, b.approved_by, b.cancels,
	b.canceled_by, b.planned, b.attempts, b.next_at, b.created_at, b.started_at, b.finished_at, b.change`

func (b *Build) scan(row scanner) error {
	var rerun, problems, files, pull, release, deploy string
	var next, created, started, finished int64
	err := row.Scan(&b.ID, &b.RepoID, &b.Number, &b.OriginID, &b.Parent, &rerun, &b.Status, &b.Reason, &problems, &files,
		&b.Event, &b.Ref, &b.Branch, &b.Tag, &b.SHA, &b.Before, &b.Message, &b.URL, &b.Author, &b.AuthorEmail,
		&b.AvatarURL, &b.Sender, &b.SenderAvatar, &pull, &release, &deploy, &b.Fingerprint, &b.Delivery, &b.NeedsApproval, &b.ApprovedBy, &b.Cancels,
		&b.CanceledBy, &b.Planned, &b.Attempts, &next, &created, &started, &finished, &b.Change)
	b.NextAt, b.CreatedAt, b.StartedAt, b.FinishedAt = fromMS(next), fromMS(created), fromMS(started), fromMS(finished)
	if problems != "" {
		b.Problems = json.RawMessage(problems)
	}
	return scanJSON(err, rerun, &b.Rerun, files, &b.Files, pull, &b.Pull, release, &b.Release, deploy, &b.Deploy)
}

// Build returns a repository's build by its number.
func (s *Store) Build(ctx context.Context, repoID, number int64) (Build, error) {
	var b Build
	err := b.scan(s.read.QueryRowContext(ctx, `SELECT `+buildColumns+` FROM builds b
		WHERE b.repo_id = ? AND b.number = ?`, repoID, number))
	return b, wrap("read build", err)
}

// BuildByID returns a build.
func (s *Store) BuildByID(ctx context.Context, id int64) (Build, error) {
	var b Build
	err := b.scan(s.read.QueryRowContext(ctx, `SELECT `+buildColumns+` FROM builds b WHERE b.id = ?`, id))
	return b, wrap("read build", err)
}

// BuildFilter selects builds; an empty field selects all.
type BuildFilter struct {
	Branch, Event, SHA string
	// Ref is the whole of it, such as "refs/pull/7/head"; Author the author's
	// name, in any case of letters.
	Ref, Author string
	Status      Status
	Verdict     bool  // builds that passed, failed or could not be run only
	Before      int64 // builds with a smaller number only, for paging; 0 means all
	Limit       int   // 0 means 50
}

// isVerdict holds for builds b that ended with a verdict on their commit.
const isVerdict = `b.status IN ('success', 'failure', 'error')`

// Builds returns a repository's builds, the newest first.
func (s *Store) Builds(ctx context.Context, repoID int64, f BuildFilter) ([]Build, error) {
	query := `SELECT ` + buildColumns + ` FROM builds b WHERE b.repo_id = ?`
	args := []any{repoID}
	where := func(cond string, arg any, set bool) {
		if set {
			query += " AND " + cond
			args = append(args, arg)
		}
	}
	where("b.branch = ?", f.Branch, f.Branch != "")
	where("b.ref = ?", f.Ref, f.Ref != "")
	if f.Verdict {
		query += " AND " + isVerdict
	}
	where("b.author = ? COLLATE NOCASE", f.Author, f.Author != "")
	where("b.event = ?", f.Event, f.Event != "")
	where("b.status = ?", f.Status, f.Status != "")
	where("b.number < ?", f.Before, f.Before > 0)
	// A prefix of the SHA, as people copy it; the range keeps the index in use.
	where("b.sha >= ?", f.SHA, f.SHA != "")
	where("b.sha < ?", f.SHA+"g", f.SHA != "")
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := s.read.QueryContext(ctx, query+" ORDER BY b.number DESC LIMIT ?", append(args, f.Limit)...)
	out, err := collect(rows, err, (*Build).scan)
	return out, wrap("list builds", err)
}

// UnplannedBuilds returns the builds whose jobs do not stand yet, oldest first,
// save for those whose delivery is pending: they are planned with that.
func (s *Store) UnplannedBuilds(ctx context.Context) ([]Build, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+buildColumns+` FROM builds b WHERE b.planned = 0 AND b.delivery = '' ORDER BY b.id`)
	out, err := collect(rows, err, (*Build).scan)
	return out, wrap("list unplanned builds", err)
}

// PreviousBuild returns the build before b on the same branch. ErrNotFound if
// there is none, or b is of no branch.
func (s *Store) PreviousBuild(ctx context.Context, b Build) (Build, error) {
	var prev Build
	err := prev.scan(s.read.QueryRowContext(ctx, `SELECT `+buildColumns+` FROM builds b
		WHERE b.repo_id = ? AND b.branch = ? AND b.branch <> '' AND b.number < ? ORDER BY b.number DESC LIMIT 1`,
		b.RepoID, b.Branch, b.Number))
	return prev, wrap("read previous build", err)
}

// ApprovedPull returns who approved a commit of a pull request last, "" if nobody did.
func (s *Store) ApprovedPull(ctx context.Context, repoID int64, pull int, sha string) (by string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT approved_by FROM builds WHERE repo_id = ? AND sha = ? AND pull_number = ?
		AND approved_by <> '' ORDER BY id DESC LIMIT 1`, repoID, sha, pull).Scan(&by)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return by, wrap("read approval", err)
}

// CoveringBuild returns the newest build of b's commit whose plan is equal, so that
// b need not run: of a pull request's a push, and of a push one of a pull request
// from that very branch. Which of the two events comes first is chance.
// ErrNotFound if there is none.
func (s *Store) CoveringBuild(ctx context.Context, b Build) (Build, error) {
	query := `SELECT ` + buildColumns + ` FROM builds b
		WHERE b.repo_id = ? AND b.sha = ? AND b.planned = 1 AND b.fingerprint = ?`
	args := []any{b.RepoID, b.SHA, b.Fingerprint}
	if b.Pull != nil {
		query += ` AND b.event = 'push'`
	} else {
		query += ` AND b.event = 'pull_request' AND b.pull ->> 'head_branch' = ? AND NOT b.pull ->> 'fork'`
		args = append(args, b.Branch)
	}
	var covering Build
	err := covering.scan(s.read.QueryRowContext(ctx, query+` ORDER BY b.id DESC LIMIT 1`, args...))
	return covering, wrap("find covering build", err)
}

// setBuild moves a build from one of the states in from to another, and marks
// its commit for the outbox. It reports whether it did.
func (s *Store) setBuild(tx *tx, id int64, from []Status, to Status, reason string) (bool, error) {
	now := ms(s.Now())
	set := `status = ?, reason = ?`
	args := []any{to, reason}
	if to == Running {
		set += `, started_at = CASE started_at WHEN 0 THEN ? ELSE started_at END`
		args = append(args, now)
	}
	if to.Final() {
		set += `, finished_at = ?, planned = 1`
		args = append(args, now)
	}
	in := make([]string, len(from))
	args = append(args, id)
	for i, st := range from {
		in[i] = "?"
		args = append(args, st)
	}
	ok, err := tx.changed(fmt.Sprintf(`UPDATE builds SET %s WHERE id = ? AND status IN (%s)`,
		set, strings.Join(in, ", ")), args...)
	if err != nil || !ok {
		return false, err
	}
	return true, s.touchBuild(tx, id, true)
}

// touchBuild gives a build a new change number, and with commit set its commit
// too, whose statuses are then worked out again.
func (s *Store) touchBuild(tx *tx, id int64, commit bool) error {
	change, err := tx.nextChange()
	if err != nil {
		return err
	}
	var repoID int64
	var sha string
	if err := tx.row(`UPDATE builds SET change = ? WHERE id = ? RETURNING repo_id, sha`, change, id).
		Scan(&repoID, &sha); err != nil {
		return err
	}
	tx.publish(Event{Kind: BuildChanged, RepoID: repoID, BuildID: id})
	if !commit {
		return nil
	}
	return tx.exec(`INSERT INTO commits (repo_id, sha, change) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET change = excluded.change`, repoID, sha, change)
}
