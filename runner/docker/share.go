package docker

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// sharedPulls does a piece of work once for all who ask for it meanwhile. The
// zero value is ready.
type sharedPulls struct {
	mu      sync.Mutex // guards running and the callers of each
	running map[string]*sharedPull
}

// sharedPull is work under way. It ends with the work or with its last caller.
type sharedPull struct {
	callers int
	cancel  context.CancelFunc
	done    chan struct{} // closed at the end; err is set before
	err     error

	mu      sync.Mutex // guards what follows
	line    string     // the newest
	count   int        // lines so far
	changed chan struct{}
}

// do calls work, or joins a call for the same key that is under way, and writes
// to w the lines that it says: all of them, or the newest where w is slow. It
// returns work's error, or earlier that of ctx or w. work's own context ends
// when every caller has left.
func (s *sharedPulls) do(ctx context.Context, key string, w io.Writer, work func(ctx context.Context, say func(string)) error) error {
	p := s.join(ctx, key, work)
	defer s.leave(key, p)
	for seen := 0; ; {
		line, count, changed := p.latest()
		if count != seen {
			seen = count
			if _, err := fmt.Fprintln(w, line); err != nil {
				return fmt.Errorf("write progress: %w", err)
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			if _, count, _ := p.latest(); count != seen {
				continue
			}
			return p.err
		}
	}
}

func (s *sharedPulls) join(ctx context.Context, key string, work func(context.Context, func(string)) error) *sharedPull {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.running[key]; p != nil {
		p.callers++
		return p
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &sharedPull{callers: 1, cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
	if s.running == nil {
		s.running = map[string]*sharedPull{}
	}
	s.running[key] = p
	go func() {
		defer close(p.done)
		p.err = work(ctx, p.say)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(key, p)
	}()
	return p
}

// leave counts a caller out; the last one ends the work and waits for its end.
func (s *sharedPulls) leave(key string, p *sharedPull) {
	s.mu.Lock()
	p.callers--
	last := p.callers == 0
	if last {
		s.forget(key, p)
	}
	s.mu.Unlock()
	if last {
		p.cancel()
		<-p.done
	}
}

// forget makes the next caller start anew. It is called with mu held.
func (s *sharedPulls) forget(key string, p *sharedPull) {
	if s.running[key] == p {
		delete(s.running, key)
	}
}

func (p *sharedPull) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = line
	p.count++
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *sharedPull) latest() (line string, count int, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line, p.count, p.changed
}
