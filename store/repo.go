package store

import (
	"context"
	"strconv"
	"time"
)

// Repo is a repository that a signed delivery came from.
type Repo struct {
	ID            int64
	RemoteID      int64 // GitHub's, which survives renames
	Owner, Name   string
	Private       bool
	DefaultBranch string
	CloneURL      string
	HTMLURL       string
	// HadPipeline: some commit of it had a pipeline file, so that one without
	// is an error and no longer none of our business.
	HadPipeline bool
	LastNumber  int64 // of its newest build
	RepoSettings
	CreatedAt time.Time
}

// FullName returns "owner/name".
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

// MirrorKey names the repository's mirror in runner/source; it survives renames.
func (r Repo) MirrorKey() string { return strconv.FormatInt(r.RemoteID, 10) }

const repoColumns = `r.id, r.remote_id, r.owner, r.name, r.private, r.default_branch, r.clone_url,
	r.html_url, r.had_pipeline, r.last_number, r.trust_security, r.trust_volumes, r.trust_network,
	r.trust_metadata, r.pipeline_file, r.runtime, r.userns, r.created_at`

func (r *Repo) scan(row scanner) error {
	var created int64
	err := row.Scan(&r.ID, &r.RemoteID, &r.Owner, &r.Name, &r.Private, &r.DefaultBranch, &r.CloneURL,
		&r.HTMLURL, &r.HadPipeline, &r.LastNumber, &r.Trust.Security, &r.Trust.Volumes, &r.Trust.Network,
		&r.Trust.Metadata, &r.PipelineFile, &r.Runtime, &r.UserNS, &created)
	r.CreatedAt = fromMS(created)
	return err
}

// UpsertRepo stores what a delivery says of its repository and returns the row.
// Its settings are not touched. A repository that took over the name of another
// one (deleted or renamed without our hearing of it) pushes the other's name aside.
func (s *Store) UpsertRepo(ctx context.Context, r Repo) (Repo, error) {
	err := s.update(ctx, func(tx *tx) error {
		if err := tx.exec(`UPDATE repos SET name = name || '~' || remote_id
			WHERE owner = ? AND name = ? AND remote_id <> ?`, r.Owner, r.Name, r.RemoteID); err != nil {
			return err
		}
		shown, err := tx.changed(`UPDATE repos SET private = ?1 WHERE remote_id = ?2 AND private <> ?1`, r.Private, r.RemoteID)
		if err != nil {
			return err
		}
		if err := tx.exec(`INSERT INTO repos
			(remote_id, owner, name, private, default_branch, clone_url, html_url, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (remote_id) DO UPDATE SET owner = excluded.owner, name = excluded.name,
				private = excluded.private, default_branch = excluded.default_branch,
				clone_url = excluded.clone_url, html_url = excluded.html_url`,
			r.RemoteID, r.Owner, r.Name, r.Private, r.DefaultBranch, r.CloneURL, r.HTMLURL, ms(s.Now())); err != nil {
			return err
		}
		err = r.scan(tx.row(`SELECT `+repoColumns+` FROM repos r WHERE r.remote_id = ?`, r.RemoteID))
		if shown {
			tx.publish(Event{Kind: RepoChanged, RepoID: r.ID})
		}
		return err
	})
	return r, wrap("store repository", err)
}

// Repo returns the repository with this owner and name, in any case of letters.
func (s *Store) Repo(ctx context.Context, owner, name string) (Repo, error) {
	var r Repo
	err := r.scan(s.read.QueryRowContext(ctx, `SELECT `+repoColumns+` FROM repos r
		WHERE r.owner = ? AND r.name = ?`, owner, name))
	return r, wrap("read repository", err)
}

// RepoByID returns a repository.
func (s *Store) RepoByID(ctx context.Context, id int64) (Repo, error) {
	var r Repo
	err := r.scan(s.read.QueryRowContext(ctx, `SELECT `+repoColumns+` FROM repos r WHERE r.id = ?`, id))
	return r, wrap("read repository", err)
}

// RepoSummary is a repository with its newest build.
type RepoSummary struct {
	Repo
	// Latest is nil while there is no build.
	Latest *Build
}

// Repos returns the repositories, the one with the newest build first. Private
// ones are left out unless private is set.
func (s *Store) Repos(ctx context.Context, private bool) ([]RepoSummary, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+repoColumns+` FROM repos r
		LEFT JOIN builds b ON b.repo_id = r.id AND b.number = r.last_number
		WHERE ? OR NOT r.private ORDER BY b.id DESC NULLS LAST, r.owner, r.name`, private)
	repos, err := collect(rows, err, (*Repo).scan)
	if err != nil {
		return nil, wrap("list repositories", err)
	}
	// CROSS JOIN keeps SQLite from going through all builds.
	rows, err = s.read.QueryContext(ctx, `SELECT `+buildColumns+` FROM repos r CROSS JOIN builds b
		WHERE b.repo_id = r.id AND b.number = r.last_number AND (? OR NOT r.private)`, private)
	builds, err := collect(rows, err, (*Build).scan)
	if err != nil {
		return nil, wrap("list newest builds", err)
	}
	latest := make(map[int64]*Build, len(builds))
	for i := range builds {
		latest[builds[i].RepoID] = &builds[i]
	}
	out := make([]RepoSummary, len(repos))
	for i, r := range repos {
		out[i] = RepoSummary{Repo: r, Latest: latest[r.ID]}
	}
	return out, nil
}
