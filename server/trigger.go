package server

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

// TriggerOptions are what a Trigger works with. What has no meaning for its zero
// value is required.
type TriggerOptions struct {
	Store   *store.Store
	Mirrors *source.Mirrors
	// Remote says where a repository's source is, with the credential for it.
	Remote    func(context.Context, store.Repo) (source.Remote, error)
	GitHubURL string // web address, without a slash at its end
	Logger    *slog.Logger
	URL       string // public URL of this server
	Version   string
	// Instance is what `when: instance` is compared with; "" for URL's host.
	Instance string
	// Platform is what the steps run on, "linux/amd64"; "" if it is not known.
	Platform string
	// PrivilegedImages run privileged where the repository has the trust; see
	// pipeline.Facts.
	PrivilegedImages []string
	// RetryBase is the wait after the first failed try to fetch a commit; it
	// doubles with every further one. 0 means 2 s.
	RetryBase time.Duration
}

// Trigger turns deliveries into builds, and plans restarted builds. What comes
// from one repository is worked out in the order it came in, repositories
// beside each other, so that a slow fetch of one does not hold up another.
type Trigger struct {
	TriggerOptions
	wg   sync.WaitGroup
	done chan string
}

const (
	// maxTriggers bounds the fetches at once.
	maxTriggers = 8
	// maxTries to fetch a commit, over about half an hour, before its verdict
	// is that it cannot be fetched.
	maxTries    = 12
	maxRetry    = 5 * time.Minute
	triggerIdle = time.Minute
)

// NewTrigger returns a trigger that does nothing before Run.
func NewTrigger(o TriggerOptions) *Trigger {
	if o.RetryBase <= 0 {
		o.RetryBase = 2 * time.Second
	}
	return &Trigger{TriggerOptions: o, done: make(chan string)}
}

// task is one thing to work out. At most one of each key runs.
type task struct {
	key  string
	due  time.Time
	work func(context.Context)
}

// Run works until ctx ends and returns when nothing is under way.
func (t *Trigger) Run(ctx context.Context) {
	sub := t.Store.Subscribe()
	defer sub.Close()
	busy := map[string]bool{}
	for {
		wait := t.round(ctx, busy)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			for len(busy) > 0 {
				delete(busy, <-t.done)
			}
			t.wg.Wait()
			return
		case key := <-t.done:
			delete(busy, key)
		case <-sub.Wake():
			sub.Take()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round starts what is due and returns how long there is nothing to do but for
// events and ends.
func (t *Trigger) round(ctx context.Context, busy map[string]bool) time.Duration {
	tasks, err := t.tasks(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.Logger.Error("cannot read what is to be built, trying again", "error", err)
		}
		return t.RetryBase
	}
	wait := triggerIdle
	now := t.Store.Now()
	for _, task := range tasks {
		if busy[task.key] {
			continue
		}
		if later := task.due.Sub(now); later > 0 {
			wait = min(wait, later)
			continue
		}
		if len(busy) >= maxTriggers {
			break
		}
		busy[task.key] = true
		t.wg.Go(func() {
			task.work(ctx)
			t.done <- task.key
		})
	}
	return wait
}

func (t *Trigger) tasks(ctx context.Context) ([]task, error) {
	deliveries, err := t.Store.NextDeliveries(ctx)
	if err != nil {
		return nil, err
	}
	builds, err := t.Store.UnplannedBuilds(ctx)
	if err != nil {
		return nil, err
	}
	var tasks []task
	for _, b := range builds {
		tasks = append(tasks, task{key: fmt.Sprintf("build %d", b.ID), due: b.NextAt,
			work: func(ctx context.Context) { t.planRestart(ctx, b) }})
	}
	for _, d := range deliveries {
		tasks = append(tasks, task{key: "repo " + d.Repo, due: d.NextAt,
			work: func(ctx context.Context) { t.handle(ctx, d.GUID) }})
	}
	return tasks, nil
}

// backoff returns when to try again after this many failed tries.
func (t *Trigger) backoff(failed int) time.Time {
	return t.Store.Now().Add(min(t.RetryBase<<min(failed, 16), maxRetry))
}
