package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// tx is one caller's part of a transaction.
type tx struct {
	ctx    context.Context
	sql    *sql.Tx
	events []Event
	change int64 // this part's change number, 0 until one was drawn
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.sql.ExecContext(t.ctx, query, args...)
	return err
}

// changed runs an UPDATE and reports whether it touched a row.
func (t *tx) changed(query string, args ...any) (bool, error) {
	r, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.sql.QueryRowContext(t.ctx, query, args...)
}

// publish hands an event to the subscribers once the transaction is committed.
func (t *tx) publish(e Event) { t.events = append(t.events, e) }

// nextChange draws the next number of the database's change counter; a second
// draw in the same part returns the same number.
func (t *tx) nextChange() (int64, error) {
	if t.change != 0 {
		return t.change, nil
	}
	err := t.row(`UPDATE meta SET change = change + 1 RETURNING change`).Scan(&t.change)
	return t.change, err
}

// groupCommit joins the writes of concurrent callers into transactions: while
// one commits, the others queue, and whoever gets the connection next takes all
// along that wait, and those that come before the commit. A part that fails is
// rolled back to its savepoint and hurts nobody else. There is no goroutine: one
// of the waiting callers does the work.
type groupCommit struct {
	db    *sql.DB
	after func([]Event)

	turn sync.Mutex // held by the caller who commits

	mu      sync.Mutex // guards waiting
	waiting []*part
}

type part struct {
	fn   func(*tx) error
	err  error
	done bool // guarded by groupCommit.turn
}

// run calls fn. Its panic is its own error: the others of the transaction wait
// for an end, and so does whoever comes after.
func (p *part) run(t *tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", r, debug.Stack())
		}
	}()
	return p.fn(t)
}

// maxParts bounds a transaction, and with it the wait of its first caller.
const maxParts = 256

// update runs fn in a transaction and returns once it is durable. fn may run on
// another goroutine; it must do nothing but its statements on tx.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.group.run(&part{fn: fn})
}

func (g *groupCommit) run(p *part) error {
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	g.mu.Unlock()

	g.turn.Lock()
	defer g.turn.Unlock()
	for !p.done { // more than maxParts may have queued before p
		g.commit()
	}
	return p.err
}

// take returns the first that wait, at most n.
func (g *groupCommit) take(n int) []*part {
	g.mu.Lock()
	defer g.mu.Unlock()
	n = min(len(g.waiting), n)
	parts := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	return parts
}

func (g *groupCommit) commit() {
	// Not the callers' contexts: one that gives up must not undo the others.
	parts, events, err := g.try(context.Background())
	for _, p := range parts {
		p.done = true
		if err != nil {
			p.err = err
		}
	}
	if err == nil && len(events) > 0 {
		g.after(events)
	}
}

// try returns the parts that it took, which have come to an end, whatever the
// error.
func (g *groupCommit) try(ctx context.Context) (parts []*part, events []Event, err error) {
	parts = g.take(maxParts)
	sqlTx, err := g.db.BeginTx(ctx, nil)
	if err != nil {
		return parts, nil, fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(sqlTx.Rollback()))
		}
	}()
	for next := parts; len(next) > 0; {
		more, err := runParts(ctx, sqlTx, next)
		if err != nil {
			return parts, nil, err
		}
		events = append(events, more...)
		next = g.take(maxParts - len(parts))
		parts = append(parts, next...)
	}
	if err := sqlTx.Commit(); err != nil {
		return parts, nil, fmt.Errorf("commit: %w", err)
	}
	return parts, events, nil
}

// runParts runs parts in a transaction. The error is that of the transaction.
func runParts(ctx context.Context, sqlTx *sql.Tx, parts []*part) (events []Event, err error) {
	for _, p := range parts {
		t := &tx{ctx: ctx, sql: sqlTx}
		if err := t.exec(`SAVEPOINT part`); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
		if p.err = p.run(t); p.err != nil {
			if err := t.exec(`ROLLBACK TO part`); err != nil {
				return nil, fmt.Errorf("roll back: %w", err)
			}
		} else {
			events = append(events, t.events...)
		}
		if err := t.exec(`RELEASE part`); err != nil {
			return nil, fmt.Errorf("release: %w", err)
		}
	}
	return events, nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
