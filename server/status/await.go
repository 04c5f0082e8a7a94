package status

import (
	"context"
	"fmt"
)

// Await returns when nothing is left that GitHub could be told before ctx ends:
// it has all that is wanted, or will be asked again later only, such as about
// what it refused. It returns how many statuses GitHub lacks then, also with the
// error of a ctx that ended. Somebody else Runs the outbox meanwhile.
func (o *Outbox) Await(ctx context.Context) (lacking int, err error) {
	sub := o.Store.Subscribe()
	defer sub.Close()
	for {
		unknown, err := o.Store.DirtyCommits(ctx, 1)
		if err != nil {
			return lacking, err
		}
		rows, err := o.Store.UnsentStatuses(ctx, batch)
		if err != nil {
			return lacking, err
		}
		lacking = len(unknown) + len(rows)
		// Rows come in the order in which they are due.
		end, bounded := ctx.Deadline()
		later := len(rows) == 0 || bounded && rows[0].NextAt.After(end)
		if len(unknown) == 0 && later {
			return lacking, nil
		}
		if _, err := sub.Next(ctx); err != nil {
			return lacking, fmt.Errorf("wait until GitHub has what it is told: %w", err)
		}
	}
}
