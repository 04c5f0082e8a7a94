package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// provider returns what knows the migrations, in order.
func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// migrate brings the schema up to date, each migration in a transaction. A
// database of a newer slipway is refused: nobody knows what it has.
func migrate(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version of the schema: %w", err)
	}
	if has > knows {
		return fmt.Errorf("it is of a newer slipway (its schema is %d, this version knows up to %d): start that version, or restore the backup made before the upgrade", has, knows)
	}
	_, err = p.Up(ctx)
	return err
}
