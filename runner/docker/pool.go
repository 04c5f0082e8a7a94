package docker

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
)

const (
	// labelPool is on networks and sandboxes that were made ahead: the name of
	// the pair.
	labelPool = "slipway.pool"
	// refillPause is how long after a network was taken the next is made, since
	// the job that took it is about to start. An empty pool does not wait.
	refillPause = 500 * time.Millisecond
	// refillRetry is the time until a failed creation is tried again.
	refillRetry = 10 * time.Second
	// makeTime bounds the making of a pair, which the end of the pool does not
	// cut off: the engine would go on with what it was asked for.
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

// A Pool keeps job networks ready, each with one sandbox on it, since making the
// two takes longer than running a short step.
//
// A pair is taken by giving the sandbox the job's name for it, which the engine
// does for one only. Neither labels nor a network's name can be changed, so what
// a pair belongs to is always read from the sandbox's name: to the pool, or to
// the job that it names. That holds over the death of the process: the next one
// adopts what belongs to the pool.
type Pool struct {
	e    *Engine
	o    PoolOptions
	wake chan struct{} // receives when a pair was taken; has room for one

	mu      sync.Mutex // guards what follows
	adopted bool       // what an earlier process left has been looked at
	ready   []pair     // the oldest first
	// held are the pool's pairs by name, those in the making included; taken are
	// those that jobs took from this process.
	held  map[string]bool
	taken map[string]claim
}

// pair is a network and the sandbox on it, by their IDs.
type pair struct{ name, network, sandbox string }

// claim is who took a pair, and its network's ID.
type claim struct{ job, network string }

// NewPool makes a pool that the engine's CreateNetwork takes from. It is called
// before the engine is used, and does nothing before Run.
func NewPool(e *Engine, o PoolOptions) *Pool {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Pool{e: e, o: o, wake: make(chan struct{}, 1), held: map[string]bool{}, taken: map[string]claim{}}
	e.pool = p
	return p
}

// Run fills the pool, and fills it again, until ctx ends. Then it removes what
// nobody took.
func (p *Pool) Run(ctx context.Context) {
	p.adopt(ctx)
	for ctx.Err() == nil {
		if p.Ready() < p.o.Size {
			if err := p.add(ctx); err != nil && ctx.Err() == nil {
				p.o.Logger.WarnContext(ctx, "cannot make a network for jobs to come, trying again", "error", err)
				sleep(ctx, refillRetry)
			}
			continue
		}
		select {
		case <-p.wake:
			if p.Ready() > 0 {
				sleep(ctx, refillPause)
			}
		case <-ctx.Done():
		}
	}
	p.drain(context.WithoutCancel(ctx))
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

// add makes a pair and puts it into the pool.
func (p *Pool) add(ctx context.Context) error {
	name := p.prefix() + strings.ToLower(ulid.Make().String())
	p.mu.Lock()
	p.held[name] = true
	p.mu.Unlock()
	making, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeTime)
	defer cancel()
	made, err := p.make(making, name)
	if err != nil {
		p.remove(context.WithoutCancel(ctx), pair{name: name, network: name, sandbox: name})
		return err
	}
	p.put(made)
	return nil
}

// prefix begins the names of what belongs to the pool; no job has such an ID.
func (p *Pool) prefix() string { return runner.NetworkName(p.o.Server, "pool-") }

// put makes a pair one that can be taken.
func (p *Pool) put(made pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[made.name] = true
	p.ready = append(p.ready, made)
}

func (p *Pool) make(ctx context.Context, name string) (made pair, err error) {
	made.name = name
	labels := map[string]string{runner.LabelServer: p.o.Server, labelPool: name}
	if made.network, err = p.e.createNetwork(ctx, runner.NetworkSpec{Name: name, Labels: labels}); err != nil {
		return made, err
	}
	made.sandbox, err = p.e.CreateSandbox(ctx, runner.SandboxSpec{Name: name, Labels: labels, NetworkID: made.network})
	return made, err
}

// remove removes a pair. What cannot be removed is left to who looks for what
// nobody owns.
func (p *Pool) remove(ctx context.Context, old pair) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	err := p.e.RemoveContainer(ctx, old.sandbox)
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
