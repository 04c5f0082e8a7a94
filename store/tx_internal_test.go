package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "slipway.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func addSession(tx *tx, token string) error {
	return tx.exec(`INSERT INTO sessions (token, data, expires_at) VALUES (?, '', 1)`, token)
}

func (s *Store) countSessions(t *testing.T) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM sessions`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// commitTogether makes one transaction of the parts, and returns their errors.
func (s *Store) commitTogether(fns ...func(*tx) error) []error {
	parts := make([]*part, len(fns))
	for i, fn := range fns {
		parts[i] = &part{fn: fn}
	}
	s.group.turn.Lock()
	defer s.group.turn.Unlock()
	s.group.waiting = append(s.group.waiting, parts...)
	s.group.commit()
	errs := make([]error, len(parts))
	for i, p := range parts {
		errs[i] = p.err
	}
	return errs
}

// A write that comes while others are being made goes with them.
func TestLatePartJoins(t *testing.T) {
	s := openTest(t)
	var first, second *sql.Tx
	ended := make(chan error)
	err := s.update(t.Context(), func(early *tx) error {
		first = early.sql
		go func() {
			ended <- s.update(t.Context(), func(late *tx) error {
				second = late.sql
				return addSession(late, "b")
			})
		}()
		for waits := false; !waits; runtime.Gosched() {
			s.group.mu.Lock()
			waits = len(s.group.waiting) > 0
			s.group.mu.Unlock()
		}
		return addSession(early, "a")
	})
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("it was committed by itself")
	}
	if n := s.countSessions(t); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func TestPartThatPanicsHurtsNoOther(t *testing.T) {
	s := openTest(t)
	errs := s.commitTogether(
		func(tx *tx) error { return addSession(tx, "a") },
		func(tx *tx) error { panic(errors.Join(addSession(tx, "b"), errors.New("no"))) },
	)
	if errs[0] != nil || errs[1] == nil {
		t.Errorf("errors: %v", errs)
	}
	if err := s.update(t.Context(), func(tx *tx) error { return addSession(tx, "c") }); err != nil {
		t.Errorf("the next write: %v", err)
	}
	if n := s.countSessions(t); n != 2 {
		t.Errorf("%d rows, want those of the parts that did not panic", n)
	}
}

func TestPartThatFailsHurtsNoOther(t *testing.T) {
	s := openTest(t)
	sub := s.Subscribe()
	defer sub.Close()
	failure := errors.New("no")
	errs := s.commitTogether(
		func(tx *tx) error {
			tx.publish(Event{Kind: BuildChanged, BuildID: 1})
			return addSession(tx, "a")
		},
		func(tx *tx) error {
			tx.publish(Event{Kind: BuildChanged, BuildID: 2})
			return errors.Join(addSession(tx, "b"), failure)
		},
		func(tx *tx) error { return addSession(tx, "a") }, // there is one already
		func(tx *tx) error {
			tx.publish(Event{Kind: BuildChanged, BuildID: 4})
			return addSession(tx, "d")
		},
	)
	if errs[0] != nil || !errors.Is(errs[1], failure) || errs[2] == nil || errs[3] != nil {
		t.Errorf("errors: %v", errs)
	}
	if n := s.countSessions(t); n != 2 {
		t.Errorf("%d rows were stored, want 2", n)
	}
	events := sub.Take()
	if len(events) != 2 || events[0].BuildID != 1 || events[1].BuildID != 4 {
		t.Errorf("events of what was stored: %v", events)
	}
}

// A transaction that cannot be committed stores nothing, says so to all of its
// parts and tells no subscriber.
func TestCommitThatFails(t *testing.T) {
	s := openTest(t)
	sub := s.Subscribe()
	defer sub.Close()
	errs := s.commitTogether(
		func(tx *tx) error {
			tx.publish(Event{Kind: BuildChanged})
			return addSession(tx, "a")
		},
		// A statement that ends the transaction, as a full disk may.
		func(tx *tx) error { return tx.exec(`ROLLBACK`) },
	)
	for i, err := range errs {
		if err == nil {
			t.Errorf("part %d was told that it is stored", i)
		}
	}
	if n := s.countSessions(t); n != 0 || len(sub.Take()) != 0 {
		t.Errorf("%d rows were stored", n)
	}
	if err := s.update(t.Context(), func(tx *tx) error { return addSession(tx, "b") }); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
}

func TestMoreWritersThanOneTransactionTakes(t *testing.T) {
	s := openTest(t)
	const writers = 3 * maxParts
	s.group.turn.Lock() // until all of them wait
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			err := s.update(context.Background(), func(tx *tx) error { return addSession(tx, string(rune('a'+i))) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < writers; {
		s.group.mu.Lock()
		waiting = len(s.group.waiting)
		s.group.mu.Unlock()
		runtime.Gosched()
	}
	s.group.turn.Unlock()
	wg.Wait()
	if n := s.countSessions(t); n != writers {
		t.Errorf("%d rows, want %d", n, writers)
	}
}

func TestWriteOfACallerWhoIsGone(t *testing.T) {
	s := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.update(ctx, func(tx *tx) error { return addSession(tx, "a") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := s.countSessions(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}
