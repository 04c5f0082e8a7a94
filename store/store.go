package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the row is not in the state that the change needs, or
	// somebody else was faster.
	ErrConflict = errors.New("conflict")
)

// Options are what Open can be told.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store is the database. All methods may be called concurrently.
type Store struct {
	read  *sql.DB // many connections, query_only
	write *sql.DB // one connection
	now   func() time.Time

	group  groupCommit
	events hub
}

// Open opens or creates the database file at path and brings its schema up to
// date. The caller makes sure that no other process has it open.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate %s: %w", path, err), write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "_pragma=query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	s := &Store{read: read, write: write, now: o.Now}
	s.group.db = write
	s.group.after = s.events.publish
	if err := s.init(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// createPrivate makes an empty file, unless there is one, that nobody else may
// read, wherever the directory stands: passwords for registries are in it. SQLite
// would let everybody, and gives its other files the mode of this one.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn puts the pragmas into the data source name, so that every pooled
// connection has them.
func dsn(path, extra string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return u.String() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-8192)&" + extra
}

// Close closes the database. No method may be running.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ping reports whether the database answers and can be written.
func (s *Store) Ping(ctx context.Context) error {
	return s.update(ctx, func(tx *tx) error { return nil })
}

// Now returns the store's clock, cut to the milliseconds that it keeps.
func (s *Store) Now() time.Time { return s.now().Truncate(time.Millisecond) }

// ServerID returns the ID that was made when the database was created. It is in
// the label of everything this server makes.
func (s *Store) ServerID(ctx context.Context) (string, error) {
	var id string
	err := s.read.QueryRowContext(ctx, `SELECT server_id FROM meta`).Scan(&id)
	return id, wrap("read server ID", err)
}

func (s *Store) init(ctx context.Context) error {
	return wrap("initialise database", s.update(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO meta (id, server_id, change, created_at) VALUES (1, ?, 0, ?)
			ON CONFLICT DO NOTHING`, newServerID(), ms(s.Now()))
	}))
}

// wrap adds what was done to an error and maps the driver's "no rows" to ours.
func wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// ms and fromMS are how times are kept: Unix milliseconds, 0 for the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}
