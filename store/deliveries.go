package store

import (
	"context"
	"fmt"
	"strings"
)

// DeliveryFilter selects deliveries; an empty field selects all.
type DeliveryFilter struct {
	// Text is what a person typed to find some: a GUID, the repository's name, its
	// owner ("owner/"), or the first digits of a commit.
	Text   string
	Status DeliveryStatus
	Before int64 // deliveries with a smaller ID only, for paging; 0 means all
	Limit  int   // 0 means 50
}

// Deliveries returns deliveries without their bodies, the newest first.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	query := `SELECT ` + deliveryColumns + ` FROM deliveries d WHERE 1`
	var args []any
	where := func(set bool, cond string, values ...any) {
		if set {
			query += " AND " + cond
			args = append(args, values...)
		}
	}
	text := strings.TrimSpace(f.Text)
	switch {
	case strings.HasSuffix(text, "/"):
		where(true, "d.repo >= ? AND d.repo < ?", text, text+"\U0010ffff")
	case strings.Contains(text, "/"):
		where(true, "d.repo = ?", text)
	case commitPrefix(text):
		where(true, "d.sha >= ? AND d.sha < ? AND d.sha <> ''", text, text+"g")
	default:
		where(text != "", "d.guid = ?", text)
	}
	where(f.Status != "", "d.status = ?", f.Status)
	where(f.Before > 0, "d.id < ?", f.Before)
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := s.read.QueryContext(ctx, query+" ORDER BY d.id DESC LIMIT ?", append(args, f.Limit)...)
	out, err := collect(rows, err, (*Delivery).scan)
	return out, wrap("list deliveries", err)
}

// commitPrefix reports whether a text may be the beginning of a commit's SHA, as
// people copy it.
func commitPrefix(text string) bool {
	return len(text) >= 4 && len(text) <= 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// Redeliver lets a delivery that was worked out be worked out again, as if it
// came in now. What it makes is a new build, a run of the one it made before.
// ErrConflict if it is pending.
func (s *Store) Redeliver(ctx context.Context, guid string) error {
	return wrap("redeliver", s.update(ctx, func(tx *tx) error {
		var status DeliveryStatus
		if err := tx.row(`SELECT status FROM deliveries WHERE guid = ?`, guid).Scan(&status); err != nil {
			return err
		}
		if status == DeliveryPending {
			return fmt.Errorf("delivery %s is pending: %w", guid, ErrConflict)
		}
		tx.publish(Event{Kind: DeliveryChanged})
		return tx.exec(`UPDATE deliveries SET status = 'pending', outcome = '', build_id = 0, attempts = 0, next_at = ?, finished_at = 0
			WHERE guid = ?`, ms(s.Now()), guid)
	}))
}
