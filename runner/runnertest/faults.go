package runnertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// A Call is one call of a method of an Engine.
type Call struct {
	Method string // "CreateContainer"
	// Subject is the name for Create methods, the image for PullImage and the ID
	// for the others.
	Subject string
}

// Fail makes the nth call of a method from now on, counted from 1, fail with
// err and have no effect.
func (e *Engine) Fail(method string, nth int, err error) {
	e.faults.add(method, nth, &fault{err: err})
}

// Lose makes the nth call of a method from now on take effect and then fail
// with err: the answer was lost.
func (e *Engine) Lose(method string, nth int, err error) {
	e.faults.add(method, nth, &fault{err: err, late: true})
}

// Hang makes the nth call of a method from now on wait before it takes effect,
// until release is called or its context ends. reached is closed when the call
// is there. release may be called more than once.
func (e *Engine) Hang(method string, nth int) (reached <-chan struct{}, release func()) {
	f := &fault{reached: make(chan struct{}), released: make(chan struct{})}
	e.faults.add(method, nth, f)
	return f.reached, sync.OnceFunc(func() { close(f.released) })
}

// Down makes the engine go away: every call fails with err, those that wait and
// outputs that are read included, until Up. Containers run on meanwhile.
func (e *Engine) Down(err error) { e.faults.down(err) }

// Up ends Down.
func (e *Engine) Up() { e.faults.up() }

// Restart is Down, the end of every container that runs, and Up.
func (e *Engine) Restart() {
	e.Down(errRestart)
	e.mu.Lock()
	all := slices.Collect(maps.Values(e.containers))
	e.mu.Unlock()
	for _, c := range all {
		if c.snapshot().Running {
			c.interrupt()
		}
	}
	e.Up()
}

// errRestart is what calls fail with while the engine restarts.
var errRestart = errors.New("the engine restarts")

// Calls returns all calls so far, in the order in which they began.
func (e *Engine) Calls() []Call {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	return slices.Clone(e.faults.calls)
}

// Count returns how often a method has been called.
func (e *Engine) Count(method string) int {
	n := 0
	for _, c := range e.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

// A fault is what happens to one call.
type fault struct {
	err      error
	late     bool          // after the call took effect
	reached  chan struct{} // not nil: the call waits for released
	released chan struct{}
}

// faults decides what becomes of each call.
type faults struct {
	mu      sync.Mutex // guards what follows
	calls   []Call
	planned map[string]map[int]*fault // by method and calls to come
	counts  map[string]int            // calls so far, by method
	away    bool                      // the engine went away
	cause   error                     // why it did when it last did
	leaving chan struct{}             // closed when it goes away, made anew when it is back
}

func (f *faults) init() {
	f.planned = map[string]map[int]*fault{}
	f.counts = map[string]int{}
	f.leaving = make(chan struct{})
}

// methods are those of runner.Engine.
var methods = []string{"Ping", "PullImage", "CreateNetwork", "CreateSandbox", "CreateVolume", "CreateContainer", "FillVolume",
	"Attach", "Start", "Open", "Logs", "Inspect", "Wait", "Ending", "Stop", "Exec", "Listening", "Usage", "DiskUsage", "RemoveContainer", "RemoveNetwork", "RemoveVolume", "List"}

func (f *faults) add(method string, nth int, ft *fault) {
	if !slices.Contains(methods, method) {
		panic("runnertest: an Engine has no method " + method)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planned[method] == nil {
		f.planned[method] = map[int]*fault{}
	}
	f.planned[method][f.counts[method]+nth] = ft
}

// call does the work of one call, or what was planned for it.
func (f *faults) call(ctx context.Context, method, subject string, work func() error) error {
	ft, down := f.enter(method, subject)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	switch {
	case down != nil:
		return fmt.Errorf("%s: %w", method, down)
	case ft == nil:
		return work()
	case ft.reached != nil:
		if err := f.wait(ctx, ft); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		return work()
	case ft.late:
		if err := work(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", method, ft.err)
}

// enter records a call and returns what was planned for it.
func (f *faults) enter(method, subject string) (*fault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, Call{method, subject})
	f.counts[method]++
	ft := f.planned[method][f.counts[method]]
	delete(f.planned[method], f.counts[method])
	if f.away {
		return nil, f.cause
	}
	return ft, nil
}

func (f *faults) wait(ctx context.Context, ft *fault) error {
	close(ft.reached)
	gone := f.gone()
	select {
	case <-ft.released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-gone:
		return f.why()
	}
}

// gone returns a channel that is closed when the engine next goes away.
func (f *faults) gone() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaving
}

// why returns the error with which the engine last went away.
func (f *faults) why() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

func (f *faults) down(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cause = err
	if !f.away {
		f.away = true
		close(f.leaving)
	}
}

func (f *faults) up() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		f.away = false
		f.leaving = make(chan struct{})
	}
}
