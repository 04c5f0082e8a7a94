package docker

import (
	"context"
	"sync"
)

// keyedLock is one lock for each key. The zero value is ready.
type keyedLock struct {
	mu   sync.Mutex               // guards held
	held map[string]chan struct{} // closed when the key's lock is released
}

// lock waits for the key's lock until ctx ends.
func (l *keyedLock) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		released := l.try(key)
		if released == nil {
			return func() { l.unlock(key) }, nil
		}
		select {
		case <-released:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try takes the lock and returns nil, or returns what tells of its release.
func (l *keyedLock) try(key string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ch, ok := l.held[key]; ok {
		return ch
	}
	if l.held == nil {
		l.held = map[string]chan struct{}{}
	}
	l.held[key] = make(chan struct{})
	return nil
}

func (l *keyedLock) unlock(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.held[key])
	delete(l.held, key)
}
