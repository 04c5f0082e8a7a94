package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
)

// Inspection is what Inspect found.
type Inspection struct {
	// Damage is what SQLite's own check says is wrong, a sentence each; none if
	// the file is sound.
	Damage []string
	// Dangling are the tables that have rows which refer to no row.
	Dangling []string
	// Schema is the newest migration that was applied, and Newest the newest
	// that this program knows.
	Schema, Newest int64
	// Repos are "owner/name" of the repositories with the newest builds, the
	// newest first, as many as Inspect was asked for.
	Repos []string
	Bytes int64 // size of the file, without its write-ahead log
}

// maxDamage bounds Inspection.Damage; SQLite says more than anyone reads.
const maxDamage = 10

// Inspect looks at the database file at path and changes nothing in it: a server
// may have it open, of another version too. It reads the whole file, and as any
// reader may leave an empty write-ahead log beside it, which belongs to whom the
// database does. A file that is not there is an fs.ErrNotExist. One that is no
// database, or too broken to be read, is an error as well; all other damage is in
// the Inspection.
func Inspect(ctx context.Context, path string, repos int) (_ Inspection, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return Inspection{}, err
	}
	found := Inspection{Bytes: info.Size()}
	db, err := sql.Open("sqlite", readOnly(path))
	if err != nil {
		return found, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if found.Damage, err = list(ctx, db, fmt.Sprintf(`PRAGMA integrity_check(%d)`, maxDamage)); err != nil {
		return found, fmt.Errorf("check integrity: %w", err)
	}
	found.Damage = slices.DeleteFunc(found.Damage, func(s string) bool { return s == "ok" })
	if len(found.Damage) > 0 {
		return found, nil // what a broken file says beyond that is not to be trusted
	}
	if found.Dangling, err = list(ctx, db, `SELECT DISTINCT "table" FROM pragma_foreign_key_check ORDER BY 1`); err != nil {
		return found, fmt.Errorf("check references: %w", err)
	}
	p, err := provider(db)
	if err != nil {
		return found, err
	}
	sources := p.ListSources()
	found.Newest = sources[len(sources)-1].Version
	if found.Schema, err = schemaVersion(ctx, db); err != nil || found.Schema == 0 {
		return found, err
	}
	found.Repos, err = list(ctx, db, `SELECT owner || '/' || name FROM repos r
		ORDER BY (SELECT max(id) FROM builds b WHERE b.repo_id = r.id) DESC NULLS LAST LIMIT ?`, repos)
	return found, wrap("list repositories", err)
}

// readOnly is the data source name for reading beside a server.
func readOnly(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(10000)"}
	return u.String()
}

// schemaVersion returns the newest migration that was applied; 0 if the
// database has never been opened by a server.
func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var tables int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, wrap("read schema", err)
	}
	var version int64
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version, wrap("read schema version", err)
}

func list(ctx context.Context, db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	return collect(rows, err, func(s *string, row scanner) error { return row.Scan(s) })
}
