// Package storetest gives tests a real database in a temporary directory, and
// breaks it where they ask for it.
package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// Open returns an empty store that is closed when the test ends. now is its
// clock; nil means time.Now.
func Open(tb testing.TB, now func() time.Time) *store.Store {
	tb.Helper()
	return OpenAt(tb, filepath.Join(tb.TempDir(), "slipway.db"), now)
}

// OpenAt is Open with a file of the caller's, which may exist, and may be given
// to Break.
func OpenAt(tb testing.TB, path string, now func() time.Time) *store.Store {
	tb.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		empty, err := template()
		if err != nil {
			tb.Fatalf("make template of a database: %v", err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, empty, 0o600)); err != nil {
			tb.Fatalf("copy template of a database: %v", err)
		}
	}
	s, err := store.Open(tb.Context(), path, store.Options{Now: now})
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return s
}

// Broken is what the error of a write says that Break has broken.
const Broken = "this table is broken for a test"

// Break makes the database at path refuse every write of a kind ("INSERT",
// "UPDATE" or "DELETE") to a table, for whoever has it open, until mend is
// called, which may be called more than once.
func Break(tb testing.TB, path, kind, table string) (mend func()) {
	tb.Helper()
	exec := func(statement string) {
		tb.Helper()
		Exec(tb, path, statement)
	}
	name := fmt.Sprintf("broken_%s_%s", kind, table)
	exec(fmt.Sprintf(`CREATE TRIGGER %s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, '%s'); END`, name, kind, table, Broken))
	var once sync.Once
	return func() {
		tb.Helper()
		once.Do(func() { exec("DROP TRIGGER " + name) })
	}
}

// fileURL is the data source name of the database at path.
func fileURL(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "_pragma=busy_timeout(10000)"}
	return u.String()
}

// Exec does to the database at path what the statements say, behind the back of
// whoever has it open.
func Exec(tb testing.TB, path, statements string) {
	tb.Helper()
	db, err := sql.Open("sqlite", fileURL(path))
	if err != nil {
		tb.Fatalf("open database: %v", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(tb.Context(), statements); err != nil {
		tb.Fatalf("%s: %v", statements, err)
	}
}
