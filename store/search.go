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
	// Both are read from an index alone. The newest build of each is the one with
	// the greatest number in its repository.
	newest := func(column string) string {
		return `(b.repo_id, b.number) IN (SELECT repo_id, max(number) FROM builds
			WHERE instr(lower(` + column + `), lower(?)) > 0 GROUP BY repo_id, ` + column + `)`
	}
	builds(&f.Branches, newest("branch"), text)
	builds(&f.Authors, newest("author COLLATE NOCASE"), text)
	return f, wrap("search builds", err)
}
