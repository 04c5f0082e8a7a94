package digest

import (
	"context"
	"log/slog"
	"time"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// Options are what a Digester works with; all are required, but RetryAfter.
type Options struct {
	Store   *store.Store
	Logs    *logs.Store
	Mirrors *source.Mirrors
	Logger  *slog.Logger
	// RetryAfter is the wait after the database failed; 0 means 1 s.
	RetryAfter time.Duration
}

// Digester writes digests.
type Digester struct{ Options }

// batch is how many steps are read at once.
const batch = 20

// New returns a digester that does nothing before Run.
func New(o Options) *Digester {
	if o.RetryAfter <= 0 {
		o.RetryAfter = time.Second
	}
	return &Digester{o}
}

// Run works until ctx ends.
func (d *Digester) Run(ctx context.Context) {
	sub := d.Store.Subscribe()
	defer sub.Close()
	for {
		more, err := d.round(ctx)
		var retry <-chan time.Time
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.Logger.Error("cannot digest a failed step, trying again", "error", err)
			retry = time.After(d.RetryAfter)
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-sub.Wake():
			sub.Take()
		case <-retry:
		}
	}
}

// round digests what there is, and reports whether there may be more. The logs
// come first: who waits for a commit's status is to know why it failed.
func (d *Digester) round(ctx context.Context) (more bool, err error) {
	steps, err := d.Store.UndigestedSteps(ctx, batch)
	if err != nil {
		return false, err
	}
	found := make([]store.Digest, len(steps))
	for i, st := range steps {
		if found[i], err = d.find(ctx, st); err != nil {
			return false, err
		}
	}
	for i, st := range steps {
		changes, err := d.changes(ctx, st.Build)
		if err != nil {
			return false, err
		}
		if err := d.Store.SaveDigest(ctx, found[i], changes); err != nil {
			return false, err
		}
	}
	return len(steps) == batch, nil
}

// find works out and stores what the log of a step says.
func (d *Digester) find(ctx context.Context, st store.FailedStep) (store.Digest, error) {
	out, err := d.read(ctx, st)
	if err != nil {
		if ctx.Err() != nil {
			return out, err
		}
		// A log that cannot be read now cannot be read later.
		d.Logger.Error("cannot read the log of a failed step", "build", st.Build.ID, "job", st.JobNumber, "step", st.Number, "error", err)
		out = store.Digest{Title: st.Reason}
	}
	out.StepID, out.BuildID, out.RepoID = st.ID, st.Build.ID, st.Build.RepoID
	return out, d.Store.SaveFinding(ctx, out)
}
