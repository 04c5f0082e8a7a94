package store

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// DeliveryStatus is what became of a delivery.
type DeliveryStatus string

const (
	DeliveryPending DeliveryStatus = "pending" // accepted, not worked out yet
	DeliveryDone    DeliveryStatus = "done"
	DeliveryIgnored DeliveryStatus = "ignored" // not for us; Outcome says why
	DeliveryFailed  DeliveryStatus = "failed"  // cannot be worked out; Outcome says why
)

// Delivery is one webhook as it was received: a row of the ledger.
type Delivery struct {
	ID      int64
	GUID    string // X-GitHub-Delivery
	Event   string // X-GitHub-Event
	Repo    string // "owner/name" as the body says, "" if it says none
	SHA     string // the commit that the body names, "" if it names none
	Headers http.Header
	Body    []byte // nil where a method says so
	Status  DeliveryStatus
	Outcome string
	// BuildID is the build that it made, or that covers it; 0 if there is none. A
	// delivery that is pending still has made one that could not be planned yet.
	BuildID int64

	Attempts   int       // failed tries to work it out
	NextAt     time.Time // when it is to be worked out
	ReceivedAt time.Time
	FinishedAt time.Time
}

// AddDelivery commits a delivery to the ledger as pending and reports whether it
// was new; a GUID that is there already changes nothing. When it returns, the
// delivery is on the disk.
func (s *Store) AddDelivery(ctx context.Context, d Delivery) (added bool, err error) {
	err = s.update(ctx, func(tx *tx) error {
		now := ms(s.Now())
		added, err = tx.changed(`INSERT INTO deliveries (guid, event, repo, sha, headers, body, status, next_at, received_at)
			VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT (guid) DO NOTHING`,
			d.GUID, d.Event, d.Repo, d.SHA, toJSON(d.Headers), d.Body, now, now)
		if added {
			tx.publish(Event{Kind: DeliveryChanged})
		}
		return err
	})
	return added, wrap("store delivery", err)
}

const deliveryColumns = `d.id, d.guid, d.event, d.repo, d.sha, d.headers, d.status, d.outcome, d.build_id,
	d.attempts, d.next_at, d.received_at, d.finished_at`

func (d *Delivery) scan(row scanner) error { return d.scanWith(row) }

func (d *Delivery) scanWith(row scanner, more ...any) error {
	var headers string
	var next, received, finished int64
	err := row.Scan(append([]any{&d.ID, &d.GUID, &d.Event, &d.Repo, &d.SHA, &headers, &d.Status, &d.Outcome, &d.BuildID,
		&d.Attempts, &next, &received, &finished}, more...)...)
	d.NextAt, d.ReceivedAt, d.FinishedAt = fromMS(next), fromMS(received), fromMS(finished)
	return scanJSON(err, headers, &d.Headers)
}

// DeliveryByGUID returns a delivery with its body.
func (s *Store) DeliveryByGUID(ctx context.Context, guid string) (Delivery, error) {
	var d Delivery
	err := d.scanWith(s.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+`, d.body FROM deliveries d
		WHERE d.guid = ?`, guid), &d.Body)
	return d, wrap("read delivery", err)
}

// NextDeliveries returns of each repository the pending delivery that came in
// first, without its body. It is to be worked out before those after it, also
// if its NextAt has not come.
func (s *Store) NextDeliveries(ctx context.Context) ([]Delivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d
		WHERE d.id IN (SELECT min(id) FROM deliveries WHERE status = 'pending' GROUP BY repo) ORDER BY d.id`)
	out, err := collect(rows, err, (*Delivery).scan)
	return out, wrap("list pending deliveries", err)
}

// FinishDelivery records what became of a pending delivery.
func (s *Store) FinishDelivery(ctx context.Context, guid string, status DeliveryStatus, outcome string, buildID int64) error {
	return wrap("finish delivery", s.update(ctx, func(tx *tx) error {
		return s.finishDelivery(tx, guid, status, outcome, buildID)
	}))
}

func (s *Store) finishDelivery(tx *tx, guid string, status DeliveryStatus, outcome string, buildID int64) error {
	ok, err := tx.changed(`UPDATE deliveries SET status = ?, outcome = ?, build_id = ?, finished_at = ?
		WHERE guid = ? AND status = 'pending'`, status, outcome, buildID, ms(s.Now()), guid)
	if err == nil && !ok {
		err = fmt.Errorf("delivery %s is not pending: %w", guid, ErrConflict)
	}
	tx.publish(Event{Kind: DeliveryChanged})
	return err
}

// RetryDelivery counts a failed try and sets when the next one is due.
func (s *Store) RetryDelivery(ctx context.Context, guid string, at time.Time, outcome string) error {
	return wrap("put off delivery", s.update(ctx, func(tx *tx) error { return retryDelivery(tx, guid, at, outcome) }))
}

func retryDelivery(tx *tx, guid string, at time.Time, outcome string) error {
	tx.publish(Event{Kind: DeliveryChanged})
	return tx.exec(`UPDATE deliveries SET attempts = attempts + 1, next_at = ?, outcome = ?
		WHERE guid = ? AND status = 'pending'`, ms(at), outcome, guid)
}
