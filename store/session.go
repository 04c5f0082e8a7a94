package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// Sessions keeps web sessions. It is a store for github.com/alexedwards/scs/v2
// (scs.CtxStore). Tokens are kept hashed: who reads the database cannot use them.
type Sessions struct{ Store *Store }

// FindCtx returns a session's data, and false if there is none or it expired.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.Store.read.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = ? AND expires_at > ?`,
		hashToken(token), ms(s.Store.Now())).Scan(&data)
	err = wrap("read session", err)
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx stores a session, and forgets those that expired.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return wrap("store session", s.Store.update(ctx, func(tx *tx) error {
		if err := tx.exec(`DELETE FROM sessions WHERE expires_at <= ?`, ms(s.Store.Now())); err != nil {
			return err
		}
		return tx.exec(`INSERT INTO sessions (token, data, expires_at) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			hashToken(token), data, ms(expiry))
	}))
}

// DeleteCtx forgets a session, and says so to who still serves it.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	return wrap("delete session", s.Store.update(ctx, func(tx *tx) error {
		deleted, err := tx.changed(`DELETE FROM sessions WHERE token = ?`, hashToken(token))
		if deleted {
			tx.publish(Event{Kind: SessionEnded})
		}
		return err
	}))
}

// Find, Commit and Delete are what scs.Store asks for beside the Ctx methods,
// which scs calls instead.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

func hashToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
