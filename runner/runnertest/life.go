package runnertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/slipway-ci/slipway/runner"
)

// errDead is what a process gets from everything that it tries once it is dead.
var errDead = errors.New("the process is dead")

// A life is one process that runs a job. It counts the transitions that it comes
// to, and ends at one of them: each effect on the engine or on what is recorded
// has a point before it and one after it.
type life struct {
	ctx    context.Context // of Run: ends with the life, in order or not
	cancel context.CancelCauseFunc
	alive  context.Context // ends with the process
	die    context.CancelFunc

	mu     sync.Mutex // guards what follows
	at     string     // the point at which it ends; "" for none
	detach error      // it ends in order there: with this cause, alive
	dead   bool
	told   bool // it was detached
	counts map[string]int
	passed []string // points
	late   []string // containers of a job under way that were stopped after it was detached
}

func newLife(ctx context.Context, at string, detach error) *life {
	l := &life{at: at, detach: detach, counts: map[string]int{}}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.alive, l.die = context.WithCancel(ctx)
	return l
}

// do makes one transition.
func (l *life) do(ctx context.Context, name string, effect func(ctx context.Context) error) error {
	name = l.number(name)
	if err := l.pass(name + " before"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.alive, cancel)()
	err := effect(ctx)
	if perr := l.pass(name + " after"); perr != nil {
		return perr
	}
	return err
}

func (l *life) number(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[name]++
	return fmt.Sprintf("%s %d", name, l.counts[name])
}

// pass ends the life at its point, and fails if it has ended.
func (l *life) pass(point string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead {
		l.passed = append(l.passed, point)
	}
	if point == l.at {
		l.dead, l.told = l.detach == nil, l.detach != nil
		cause := l.detach
		if l.dead {
			cause = runner.ErrDetach // so that it notices
			l.die()
		}
		l.cancel(cause)
	}
	if l.dead {
		return errDead
	}
	return nil
}

func (l *life) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// stop notes that a container is stopped. ending tells that the job comes to its
// end: its services are stopped then, be it by a process that has yet to notice
// that it is to go down.
func (l *life) stop(id string, ending bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told && !l.dead && !ending {
		l.late = append(l.late, id)
	}
}
