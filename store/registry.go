package store

import (
	"context"
	"log/slog"
	"strconv"
)

// RegistryLogin is a repository's login for an image registry. It is never logged
// whole: printed, it is its user and registry.
type RegistryLogin struct {
	Registry string // as in an image's name: "ghcr.io", "registry.example:5000"; Docker Hub is "docker.io"
	Username string
	Password string
}

// String names the login without what is secret.
func (l RegistryLogin) String() string { return l.Username + " at " + l.Registry }

// GoString is String.
func (l RegistryLogin) GoString() string { return l.String() }

// LogValue implements slog.LogValuer.
func (l RegistryLogin) LogValue() slog.Value { return slog.StringValue(l.String()) }

// LoginHolder names the logins of a repository among the holders of image grants.
func LoginHolder(repoID int64) string { return "repo/" + strconv.FormatInt(repoID, 10) }

// RegistryLogins returns the logins of a repository, by registry.
func (s *Store) RegistryLogins(ctx context.Context, repoID int64) ([]RegistryLogin, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT registry, username, password FROM registry_logins
		WHERE repo_id = ? ORDER BY registry`, repoID)
	out, err := collect(rows, err, func(l *RegistryLogin, row scanner) error {
		return row.Scan(&l.Registry, &l.Username, &l.Password)
	})
	return out, wrap("list registry logins", err)
}

// SetRegistryLogin gives a repository a login, in place of the one that it has
// for that registry. What was granted to its logins has to be asked for again.
func (s *Store) SetRegistryLogin(ctx context.Context, repoID int64, l RegistryLogin) error {
	return wrap("set registry login", s.update(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO registry_logins (repo_id, registry, username, password) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET username = excluded.username, password = excluded.password`,
			repoID, l.Registry, l.Username, l.Password); err != nil {
			return err
		}
		return s.withdrawGrants(tx, repoID)
	}))
}

// RemoveRegistryLogin takes a login from a repository; ErrNotFound if it has none
// for that registry.
func (s *Store) RemoveRegistryLogin(ctx context.Context, repoID int64, registry string) error {
	return wrap("remove registry login", s.update(ctx, func(tx *tx) error {
		removed, err := tx.changed(`DELETE FROM registry_logins WHERE repo_id = ? AND registry = ?`, repoID, registry)
		if err != nil {
			return err
		}
		if !removed {
			return ErrNotFound
		}
		return s.withdrawGrants(tx, repoID)
	}))
}

func (s *Store) withdrawGrants(tx *tx, repoID int64) error {
	return tx.exec(`DELETE FROM image_grants WHERE holder = ? AND image_id <> ''`, LoginHolder(repoID))
}

// Guard records that images of a name need a login, whoever asks.
func (s *Store) Guard(ctx context.Context, name string) error {
	return wrap("guard image", s.update(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO image_grants (name, image_id, holder) VALUES (?, '', '') ON CONFLICT DO NOTHING`, name)
	}))
}

// Grant records that a registry gave an image to the holder of a login; "" is
// everyone.
func (s *Store) Grant(ctx context.Context, name, imageID, holder string) error {
	return wrap("grant image", s.update(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO image_grants (name, image_id, holder) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, name, imageID, holder)
	}))
}

// Granted reports whether an image's name is not guarded, or the image was
// granted to the holder or to everyone.
func (s *Store) Granted(ctx context.Context, name, imageID, holder string) (bool, error) {
	var granted bool
	err := s.read.QueryRowContext(ctx, `SELECT
		NOT EXISTS (SELECT 1 FROM image_grants WHERE name = ? AND image_id = '')
		OR EXISTS (SELECT 1 FROM image_grants WHERE name = ? AND image_id = ? AND holder IN (?, ''))`,
		name, name, imageID, holder).Scan(&granted)
	return granted, wrap("read image grants", err)
}
