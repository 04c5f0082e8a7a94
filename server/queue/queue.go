package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// Options are what a Queue works with. All but the limits are required.
type Options struct {
	Store   *store.Store
	Logs    *logs.Store
	Engine  runner.Engine
	Mirrors *source.Mirrors
	// Remote says where a repository's source is, with the credential for it.
	Remote func(context.Context, store.Repo) (source.Remote, error)
	Logger *slog.Logger

	ServerID  string
	MaxJobs   int              // jobs at once
	MaxSteps  int              // steps of a job at once
	Timeout   time.Duration    // of a job
	Grace     time.Duration    // between SIGTERM and SIGKILL
	MaxOutput int64            // bytes a step may write
	Limits    runner.Limits    // of each container
	Isolation runner.Isolation // of repositories that have no setting of their own
	Secrets   []string         // values that no log may show
	// Login returns the logins for image registries that every repository may use,
	// beside its own; nil: there are none.
	Login runner.LoginFunc

	// Disk is watched while the queue runs, unless its Floor is 0.
	Disk Disk

	// RetryAfter is the wait after the store failed; 0 means 1 s.
	RetryAfter time.Duration
	// SettleAfter is how long after its start what an earlier process asked of the
	// engine may still come about; 0 means 30 s.
	SettleAfter time.Duration
}

// Queue runs the jobs that the store holds.
type Queue struct {
	Options

	ends chan end // from job goroutines to Run
	// held are the IDs of the jobs that a goroutine has: it removes what they leave.
	held sync.Map
	left chan struct{} // has a value when a job could not remove all that it had
	disk diskWatch
	full bool // Run's: nothing is claimed, for want of room on the disk
	// told is what tellRest said last, at toldAt. They are Run's.
	told   string
	toldAt time.Time
	wg     sync.WaitGroup
}

// New returns a queue that does nothing before Run.
func New(o Options) *Queue {
	if o.RetryAfter <= 0 {
		o.RetryAfter = time.Second
	}
	if o.SettleAfter <= 0 {
		o.SettleAfter = 30 * time.Second
	}
	if o.Disk.Every <= 0 {
		o.Disk.Every = 2 * time.Second
	}
	return &Queue{Options: o, ends: make(chan end), left: make(chan struct{}, 1), disk: diskWatch{low: make(chan bool), stop: make(chan diskStop)}}
}

// Run claims jobs until claim ends, and returns when those that run have ended.
// When work ends they are left to their containers and picked up by the next
// Run, of this process or another. It returns an error only if it could not start.
func (q *Queue) Run(claim, work context.Context) error {
	sub := q.Store.Subscribe()
	defer sub.Close()
	if q.Disk.Floor <= 0 { // a process before this one may have watched
		if err := q.Store.ExplainWait(work, ""); err != nil {
			return err
		}
	}
	running := map[int64]*active{}
	adopted, err := q.Store.RunningJobs(work)
	if err != nil {
		return err
	}
	for _, j := range adopted {
		q.Logger.Info("adopting job", "job", j.ID, "build", j.BuildID)
		q.start(work, running, j)
	}
	defer q.wg.Wait()
	caring, stop := context.WithCancel(work)
	defer stop()
	q.wg.Go(func() { q.sweep(caring) })
	q.wg.Go(func() { q.tidy(caring) })
	if q.Disk.Floor > 0 {
		q.full = true // until the first look
		q.wg.Go(func() { q.watchDisk(caring) })
	}

	for {
		retry := q.fill(claim, work, running)
		retry = q.passOnCancels(work, running) || retry
		if claim.Err() != nil && len(running) == 0 {
			return nil
		}
		if claim.Err() != nil && work.Err() == nil {
			q.tellRest(work, running)
		}
		q.wait(claim, sub, running, retry)
	}
}

// wait returns when there may be something to do.
func (q *Queue) wait(claim context.Context, sub *store.Subscription, running map[int64]*active, retry bool) {
	var later <-chan time.Time
	if retry {
		t := time.NewTimer(q.RetryAfter)
		defer t.Stop()
		later = t.C
	}
	var stop <-chan struct{}
	if claim.Err() == nil {
		stop = claim.Done()
	} else if later == nil {
		later = time.After(tellEvery)
	}
	select {
	case e := <-q.ends:
		e.note(running)
	case <-sub.Wake():
		sub.Take()
	case q.full = <-q.disk.low:
	case s := <-q.disk.stop:
		q.stopForDisk(running, s)
	case <-later:
	case <-stop:
	}
}

// tellEvery is how often the operator is told at least what is waited for.
const tellEvery = 30 * time.Second

// tellRest says which jobs still run when no more are claimed, as often as that
// changes or tellEvery has passed.
func (q *Queue) tellRest(ctx context.Context, running map[int64]*active) {
	var jobs []string
	for _, a := range running {
		if a.ended {
			continue
		}
		b, err := q.Store.BuildByID(ctx, a.job.BuildID)
		r, rerr := q.Store.RepoByID(ctx, a.job.RepoID)
		if err != nil || rerr != nil {
			return // what is said is a courtesy
		}
		jobs = append(jobs, fmt.Sprintf("%s #%d %s", r.FullName(), b.Number, a.job.Name))
	}
	slices.Sort(jobs)
	text := strings.Join(jobs, ", ")
	if text == "" || text == q.told && time.Since(q.toldAt) < tellEvery {
		return
	}
	q.told, q.toldAt = text, time.Now()
	q.Logger.Info("claiming no more jobs; these still run", "count", len(jobs), "jobs", text)
}

// fill claims jobs while there is room, and reports whether to try again soon
// because the store failed.
func (q *Queue) fill(claim, work context.Context, running map[int64]*active) (retry bool) {
	for claim.Err() == nil && q.room(running) && !q.full {
		j, err := q.Store.Claim(claim)
		switch {
		case errors.Is(err, store.ErrNotFound), claim.Err() != nil && err != nil:
			return false
		case err != nil:
			q.Logger.Error("cannot claim a job, trying again", "error", err)
			return true
		}
		q.start(work, running, j)
	}
	return false
}

// passOnCancels tells running jobs that they are to stop: the first request to
// cancel, or a newer build of their group, stops them, the second request ends
// their grace period.
func (q *Queue) passOnCancels(ctx context.Context, running map[int64]*active) (retry bool) {
	for _, a := range running {
		if a.ended || a.cancels >= 2 {
			continue
		}
		stop, err := q.Store.StopRequest(ctx, a.job.ID)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			q.Logger.Error("cannot read what was asked of a job, trying again", "job", a.job.ID, "error", err)
			return true
		}
		switch {
		case a.cancels > 0:
		case stop.Cancels > 0:
			a.cancels = 1
			a.cancel(fmt.Errorf("%w by %s", runner.ErrCancel, stop.CanceledBy))
		case stop.Superseded != "":
			a.cancels = 1
			a.cancel(supersededError(stop.Superseded))
		}
		if stop.Cancels >= 2 {
			a.cancels = 2
			close(a.kill)
		}
	}
	return false
}

// supersededError cancels a job that makes room for a newer build's, and says so.
type supersededError string

func (e supersededError) Error() string { return string(e) }
func (e supersededError) Unwrap() error { return runner.ErrCancel }
