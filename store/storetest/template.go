package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/slipway-ci/slipway/store"
)

// template returns the file of a database that has its tables and no row: to
// copy it takes a moment, to migrate a new one seconds on a busy machine.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	ctx := context.Background() // of no test, as all of them share it
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("close template: %w", err)
	}
	if err := forget(ctx, path); err != nil {
		return nil, fmt.Errorf("forget who made the template: %w", err)
	}
	return os.ReadFile(path)
})

// forget removes what store.Open makes for each database of its own.
func forget(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", fileURL(path))
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `DELETE FROM meta`); err != nil {
		_ = db.Close()
		return err
	}
	return db.Close()
}
