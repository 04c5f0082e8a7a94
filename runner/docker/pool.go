package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
)

const (
	// labelPool is on networks and sandboxes that were made ahead: the name of
	// the set.
	labelPool = "slipway.pool"
	// courtesy is how long after a network was taken the next is made, while jobs
	// run that took one: what makes it would slow them. An empty pool does not wait.
	courtesy = 5 * time.Second
	// refillRetry is the time until a failed creation is tried again.
	refillRetry = 10 * time.Second
	// makeTime bounds the making of a network or a sandbox.
	makeTime = time.Minute
	// drainTime bounds the removal of what is left at the end.
	drainTime = 20 * time.Second
)

// PoolOptions are those of a Pool. Server is required.
type PoolOptions struct {
	Server string // the server's ID, LabelServer of what is made
	Size   int    // networks to keep ready
	Logger *slog.Logger
}

// A Pool keeps job networks ready, each with a sandbox on it, since making the
// two takes longer than running a short step. Where recent jobs ran steps at the
// same time, there are as many sandboxes.
//
// Such a set is taken by giving its first sandbox the job's name for it, which
// the engine does for one only; the others follow as they are needed. Neither
// labels nor a network's name can be changed, so what a set belongs to is always
// read from its sandboxes' names: to the job that one of them names, or else to
// the pool. That holds over the death of the process: the next one adopts what
// belongs to the pool.
type Pool struct {
	e    *Engine
	o    PoolOptions
	wake chan struct{} // receives when a set was taken or removed; has room for one

	mu      sync.Mutex // guards what follows
	adopted bool       // what an earlier process left has been looked at
	ready   []set      // the oldest first
	// held are the pool's sets by name, those in the making included; taken are
	// those that jobs took from this process.
	held    map[string]bool
	taken   map[string]*claim
	takenAt time.Time   // when the last was
	wanted  recentWidth // by the jobs
}

// set is a network and the sandboxes on it, by their IDs or names.
type set struct {
	name, network string
	sandbox       string   // the first
	spares        []string // the others
}

// claim is who took a set, its network's ID, and what is left of its spares.
type claim struct {
	job, network string
	spares       []string
}

// NewPool makes a pool that the engine's CreateNetwork takes from. It is called
// before the engine is used, and does nothing before Run.
func NewPool(e *Engine, o PoolOptions) *Pool {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Pool{e: e, o: o, wake: make(chan struct{}, 1), held: map[string]bool{}, taken: map[string]*claim{}}
	e.pool = p
	return p
}

// Run fills the pool, and fills it again, until ctx ends. Then it removes what
// nobody took.
func (p *Pool) Run(ctx context.Context) {
	p.adopt(ctx)
	for ctx.Err() == nil {
		if p.Ready() >= p.o.Size {
			select {
			case <-p.wake:
			case <-ctx.Done():
			}
			continue
		}
		p.giveWay(ctx)
		if err := p.add(ctx); err != nil && ctx.Err() == nil {
			p.o.Logger.WarnContext(ctx, "cannot make a network for jobs to come, trying again", "error", err)
			sleep(ctx, refillRetry)
		}
	}
	p.drain(context.WithoutCancel(ctx))
}

// giveWay returns when what the pool makes holds up no job, or the next job has
// waited long enough for it.
func (p *Pool) giveWay(ctx context.Context) {
	for ctx.Err() == nil {
		left := p.haste()
		if left <= 0 {
			return
		}
		t := time.NewTimer(left)
		select {
		case <-p.wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// haste returns for how long the pool may give way.
func (p *Pool) haste() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ready) == 0 || len(p.taken) == 0 {
		return 0
	}
	return time.Until(p.takenAt.Add(courtesy))
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Ready returns how many networks stand ready.
func (p *Pool) Ready() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready)
}

// add makes a set and puts it into the pool.
func (p *Pool) add(ctx context.Context) error {
	name := p.prefix() + strings.ToLower(ulid.Make().String())
	p.mu.Lock()
	p.held[name] = true
	width := p.wanted.most()
	p.mu.Unlock()
	made, err := p.make(ctx, name, width)
	if err != nil {
		p.remove(context.WithoutCancel(ctx), made)
		return err
	}
	p.put(made)
	return nil
}

// prefix begins the names of what belongs to the pool; no job has such an ID.
func (p *Pool) prefix() string { return runner.NetworkName(p.o.Server, "pool-") }

// put makes a set one that can be taken.
func (p *Pool) put(made set) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[made.name] = true
	p.ready = append(p.ready, made)
}

// make makes a set of so many sandboxes, fewer if ctx ends. With an error it
// returns what there may be of it, by names.
func (p *Pool) make(ctx context.Context, name string, width int) (set, error) {
	made := set{name: name, network: name, sandbox: name}
	err := p.bounded(ctx, func(ctx context.Context) error {
		id, err := p.e.createNetwork(ctx, runner.NetworkSpec{Name: name, Labels: p.labels(name)})
		if err != nil {
			return err
		}
		made.network = id
		made.sandbox, err = p.makeSandbox(ctx, made, name)
		return err
	})
	for n := 2; n <= width && err == nil && ctx.Err() == nil; n++ {
		p.giveWay(ctx)
		spare := fmt.Sprintf("%s-%d", name, n)
		made.spares = append(made.spares, spare)
		err = p.bounded(ctx, func(ctx context.Context) error {
			made.spares[n-2], err = p.makeSandbox(ctx, made, spare)
			return err
		})
	}
	return made, err
}

// bounded calls f with a context that ends after makeTime, and not with ctx: the
// engine would go on with what it was asked for.
func (p *Pool) bounded(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeTime)
	defer cancel()
	return f(ctx)
}

func (p *Pool) labels(name string) map[string]string {
	return map[string]string{runner.LabelServer: p.o.Server, labelPool: name}
}

// makeSandbox returns the name if it fails.
func (p *Pool) makeSandbox(ctx context.Context, of set, name string) (string, error) {
	id, err := p.e.CreateSandbox(ctx, runner.SandboxSpec{Name: name, Labels: p.labels(of.name), NetworkID: of.network})
	if err != nil {
		return name, err
	}
	return id, nil
}

// remove removes a set. What cannot be removed is left to who looks for what
// nobody owns.
func (p *Pool) remove(ctx context.Context, old set) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var err error
	for _, sandbox := range append([]string{old.sandbox}, old.spares...) {
		err = errors.Join(err, p.e.RemoveContainer(ctx, sandbox))
	}
	if err == nil {
		err = p.e.RemoveNetwork(ctx, old.network)
	}
	if err != nil {
		p.o.Logger.WarnContext(ctx, "cannot remove a network that stood ready", "network", old.name, "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, old.name)
}

// drain removes what nobody took, and lets nobody take any more.
func (p *Pool) drain(ctx context.Context) {
	p.mu.Lock()
	left := p.ready
	p.ready = nil
	p.mu.Unlock()
	var removals sync.WaitGroup
	for _, old := range left {
		removals.Go(func() { p.remove(ctx, old) })
	}
	removals.Wait()
}
