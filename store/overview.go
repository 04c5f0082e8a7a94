package store

import "context"

// RepoBuild is a build with its repository.
type RepoBuild struct {
	Repo  Repo
	Build Build
}

// withRepos reads builds with their repositories: query selects the columns of
// builds b.
func (s *Store) withRepos(ctx context.Context, query string, args ...any) ([]RepoBuild, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	builds, err := collect(rows, err, (*Build).scan)
	if err != nil {
		return nil, err
	}
	repos := map[int64]Repo{}
	out := make([]RepoBuild, len(builds))
	for i, b := range builds {
		r, ok := repos[b.RepoID]
		if !ok {
			if r, err = s.RepoByID(ctx, b.RepoID); err != nil {
				return nil, err
			}
			repos[b.RepoID] = r
		}
		out[i] = RepoBuild{r, b}
	}
	return out, nil
}

// ActiveBuilds returns builds that have not ended, those first that run, then
// the oldest. Those of private repositories are left out unless private is set.
func (s *Store) ActiveBuilds(ctx context.Context, private bool, limit int) ([]RepoBuild, error) {
	out, err := s.withRepos(ctx, `SELECT `+buildColumns+` FROM builds b INDEXED BY builds_active JOIN repos r ON r.id = b.repo_id
		WHERE b.status IN ('blocked', 'pending', 'running') AND (? OR NOT r.private)
		ORDER BY b.status <> 'running', b.id LIMIT ?`, private, limit)
	return out, wrap("list active builds", err)
}

// RedBranch is a default branch whose newest verdict is bad.
type RedBranch struct {
	Repo Repo
	// Latest is its newest build with a verdict, Since the first that failed after
	// the last one that passed.
	Latest, Since Build
}

// redSQL finds the default branches that are red, by the index builds_ref.
const redSQL = `
	WITH heads AS (
		SELECT r.id AS repo_id, r.private, 'refs/heads/' || r.default_branch AS ref,
			(SELECT b.number FROM builds b WHERE b.repo_id = r.id AND b.ref = 'refs/heads/' || r.default_branch
				AND b.status IN ('success', 'failure', 'error') ORDER BY b.number DESC LIMIT 1) AS last,
			(SELECT b.number FROM builds b WHERE b.repo_id = r.id AND b.ref = 'refs/heads/' || r.default_branch
				AND b.status = 'success' ORDER BY b.number DESC LIMIT 1) AS green
		FROM repos r
	)
	SELECT repo_id, last, (SELECT b.number FROM builds b WHERE b.repo_id = heads.repo_id AND b.ref = heads.ref
		AND b.number > coalesce(green, 0) AND b.status IN ('failure', 'error') ORDER BY b.number LIMIT 1)
	FROM heads WHERE last IS NOT NULL AND last > coalesce(green, 0) AND (? OR NOT private)
	ORDER BY last DESC LIMIT ?`

// RedBranches returns the default branches that are red.
func (s *Store) RedBranches(ctx context.Context, private bool, limit int) ([]RedBranch, error) {
	type numbers struct{ repo, last, since int64 }
	rows, err := s.read.QueryContext(ctx, redSQL, private, limit)
	found, err := collect(rows, err, func(n *numbers, row scanner) error { return row.Scan(&n.repo, &n.last, &n.since) })
	if err != nil {
		return nil, wrap("list red branches", err)
	}
	out := make([]RedBranch, len(found))
	for i, n := range found {
		if out[i].Repo, err = s.RepoByID(ctx, n.repo); err != nil {
			return nil, err
		}
		if out[i].Latest, err = s.Build(ctx, n.repo, n.last); err != nil {
			return nil, err
		}
		if out[i].Since, err = s.Build(ctx, n.repo, n.since); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// headsSQL hops from ref to ref on the index builds_ref, so its cost grows with
// the refs and not with the builds.
const headsSQL = `
	WITH RECURSIVE heads (ref) AS (
		SELECT (SELECT min(ref) FROM builds WHERE repo_id = ?1 AND ref >= ?2 AND ref < ?3)
		UNION ALL
		SELECT (SELECT min(ref) FROM builds WHERE repo_id = ?1 AND ref > heads.ref AND ref < ?3)
		FROM heads WHERE heads.ref IS NOT NULL
	)
	SELECT (SELECT max(number) FROM builds WHERE repo_id = ?1 AND ref = heads.ref) AS last
	FROM heads WHERE heads.ref IS NOT NULL ORDER BY last DESC LIMIT ?4`

// RefHeads returns the newest build of each ref that begins with prefix, such as
// "refs/pull/", the newest first.
func (s *Store) RefHeads(ctx context.Context, repoID int64, prefix string, limit int) ([]Build, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+buildColumns+` FROM builds b
		WHERE b.repo_id = ?1 AND b.number IN (`+headsSQL+`) ORDER BY b.number DESC`,
		repoID, prefix, prefix+"\U0010ffff", limit)
	out, err := collect(rows, err, (*Build).scan)
	return out, wrap("list refs", err)
}

// Verdicts returns the newest builds of a branch, of all if it is "", that ended
// in success, failure or error; the newest first.
func (s *Store) Verdicts(ctx context.Context, repoID int64, branch string, limit int) ([]Build, error) {
	query := `SELECT ` + buildColumns + ` FROM builds b WHERE b.repo_id = ?`
	args := []any{repoID}
	if branch != "" {
		query, args = query+` AND b.branch = ?`, append(args, branch)
	}
	rows, err := s.read.QueryContext(ctx, query+` AND `+isVerdict+`
		ORDER BY b.number DESC LIMIT ?`, append(args, limit)...)
	out, err := collect(rows, err, (*Build).scan)
	return out, wrap("list verdicts", err)
}
