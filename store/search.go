package store

import (
	"context"
	"strconv"
	"strings"
)

// Found is what a search found besides failures (SearchFailures), each list the
// newest first.
type Found struct {
	Repos []Repo
	// Numbers are builds of that number, Commits of commits that begin so.
	Numbers, Commits []RepoBuild
	// Branches and Authors are the newest builds of each.
	Branches, Authors []RepoBuild
}

// Search looks for a text among the repositories, build numbers, commits,
// branches and authors, and returns at most limit of each kind. Private
// repositories are left out unless private is set.
func (s *Store) Search(ctx context.Context, text string, private bool, limit int) (Found, error) {
	var f Found
	text = strings.TrimSpace(text)
	if text == "" {
		return f, nil
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+repoColumns+` FROM repos r
		WHERE (? OR NOT r.private) AND instr(lower(r.owner || '/' || r.name), lower(?)) > 0
		ORDER BY r.owner, r.name LIMIT ?`, private, text, limit)
	if f.Repos, err = collect(rows, err, (*Repo).scan); err != nil {
		return f, wrap("search repositories", err)
	}
	builds := func(to *[]RepoBuild, where string, args ...any) {
		if err != nil {
			return
		}
		*to, err = s.withRepos(ctx, `SELECT `+buildColumns+` FROM builds b JOIN repos r ON r.id = b.repo_id
			WHERE (? OR NOT r.private) AND `+where+` ORDER BY b.id DESC LIMIT ?`, append(append([]any{private}, args...), limit)...)
	}
	if n, e := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 64); e == nil {
		builds(&f.Numbers, `b.number = ?`, n)
	}
	if commitPrefix(text) {
		builds(&f.Commits, `b.sha >= ? AND b.sha < ?`, text, text+"g")
	}
	names := func(to *[]RepoBuild, column string) {
		builds(to, `(b.repo_id, b.number) IN (`+namesSQL(column)+`)`, private, text)
	}
	names(&f.Branches, "branch")
	names(&f.Authors, "author COLLATE NOCASE")
	return f, wrap("search builds", err)
}

// namesSQL finds the values of a column of builds that have a text in them, with
// the newest build of each in its repository. Like headsSQL it hops from value to
// value on the index of the column, so its cost grows with the values and not with
// the builds.
func namesSQL(column string) string {
	return `WITH RECURSIVE names (repo_id, name) AS (
			SELECT id, (SELECT ` + column + ` FROM builds WHERE repo_id = r.id ORDER BY ` + column + ` LIMIT 1)
			FROM repos r WHERE ? OR NOT r.private
			UNION ALL
			SELECT repo_id, (SELECT ` + column + ` FROM builds WHERE repo_id = names.repo_id AND ` + column + ` > names.name
				ORDER BY ` + column + ` LIMIT 1)
			FROM names WHERE name IS NOT NULL
		)
		SELECT repo_id, (SELECT max(number) FROM builds WHERE repo_id = names.repo_id AND ` + column + ` = names.name)
		FROM names WHERE instr(lower(name), lower(?)) > 0`
}
