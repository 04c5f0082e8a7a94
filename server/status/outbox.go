package status

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

// Options are what an Outbox works with.
type Options struct {
	Store  *store.Store
	GitHub *github.Client
	Logger *slog.Logger
	// URL is the public URL of this server, where a status links to.
	URL string
	// RetryBase is the wait after the first failed try; it doubles with every
	// further one up to five minutes. 0 means 1 s.
	RetryBase time.Duration
}

// Outbox sends statuses.
type Outbox struct {
	Options

	wg sync.WaitGroup
	// What follows belongs to the goroutine of Run.
	done     chan int64     // the ID of a row whose request has ended
	inFlight map[int64]bool // by the row's ID

	limits   sync.Mutex // guards notUntil
	notUntil time.Time  // GitHub's rate limit
}

const (
	maxInFlight = 4 // GitHub asks for few requests at once
	batch       = 200
	maxWait     = time.Minute // between looks at the rows, though nothing woke us

	// patience is how long a verdict waits for the digest of the step that decided
	// it, which is there after a few milliseconds unless the log is a huge one. A
	// title that comes later is sent when it does.
	patience = 100 * time.Millisecond
)

// New returns an outbox that does nothing before Run.
func New(o Options) *Outbox {
	if o.RetryBase <= 0 {
		o.RetryBase = time.Second
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return &Outbox{Options: o, done: make(chan int64), inFlight: map[int64]bool{}}
}

// Run works until ctx ends, and returns when no request is under way.
func (o *Outbox) Run(ctx context.Context) {
	sub := o.Store.Subscribe()
	defer sub.Close()
	defer o.wg.Wait()
	for {
		wait := o.round(ctx)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			o.drain()
			return
		case id := <-o.done:
			delete(o.inFlight, id)
		case <-sub.Wake():
			sub.Take()
		case <-t.C:
		}
		t.Stop()
	}
}

// drain waits for the requests that were cut off or just ended.
func (o *Outbox) drain() {
	for len(o.inFlight) > 0 {
		delete(o.inFlight, <-o.done)
	}
}

// round works out what is to be said, starts what is due, and returns how long
// there is nothing to do but for events.
func (o *Outbox) round(ctx context.Context) time.Duration {
	wait, err := o.compute(ctx)
	if err == nil {
		var sending time.Duration
		sending, err = o.send(ctx)
		wait = min(wait, sending)
	}
	if err != nil && ctx.Err() == nil {
		o.Logger.Error("cannot work out statuses, trying again", "error", err)
		return o.RetryBase
	}
	return wait
}

// compute stores what the statuses of changed commits should say, and returns
// how long there is nothing to do but for events: 0 if there are more.
func (o *Outbox) compute(ctx context.Context) (time.Duration, error) {
	commits, err := o.Store.DirtyCommits(ctx, batch)
	if err != nil {
		return 0, err
	}
	wait := maxWait
	held := 0
	for _, c := range commits {
		hold, err := o.computeCommit(ctx, c)
		if err != nil {
			return 0, err
		}
		if hold > 0 {
			wait = min(wait, hold)
			held++
		}
	}
	if len(commits) == batch && held < batch {
		return 0, nil
	}
	return wait, nil
}

// computeCommit stores a commit's statuses, or returns how long to wait for more
// to be known.
func (o *Outbox) computeCommit(ctx context.Context, c store.Commit) (hold time.Duration, err error) {
	repo, err := o.Store.RepoByID(ctx, c.RepoID)
	if err != nil {
		return 0, err
	}
	builds, err := o.Store.CommitRuns(ctx, c.RepoID, c.SHA)
	if err != nil {
		return 0, err
	}
	runs := make([]run, len(builds))
	for i, b := range builds {
		runs[i].Build = b
		if runs[i].jobs, err = o.Store.Jobs(ctx, b.ID); err != nil {
			return 0, err
		}
		if runs[i].culprits, err = o.Store.Culprits(ctx, b.ID); err != nil {
			return 0, err
		}
		hold = max(hold, undigested(runs[i].culprits, o.Store.Now()))
	}
	if hold > 0 {
		return hold, nil
	}
	return 0, o.Store.SetStatuses(ctx, c, verdict(runs, o.URL, "/repos/"+repo.FullName()))
}

// undigested returns how long the digests of steps are still worth waiting for.
func undigested(culprits map[int]store.Culprit, now time.Time) (hold time.Duration) {
	for _, c := range culprits {
		// A clock that was set back makes nothing wait.
		if age := now.Sub(c.JobFinishedAt); !c.Digested && age >= 0 {
			hold = max(hold, patience-age)
		}
	}
	return hold
}
