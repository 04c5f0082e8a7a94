package runner

import (
	"context"
	"sync"
	"time"
)

// courtesyTime is how long a removal waits at most for starts to be over.
const courtesyTime = 2 * time.Second

// starts are the containers of a job that are being made warm. Removing one takes
// the engine about as long as starting one does, and nobody waits for it.
type starts struct {
	mu   sync.Mutex
	n    int           // guarded by mu
	over chan struct{} // guarded by mu; closed when n is 0 again, nil while it is
}

// begin counts one more, until end is called.
func (c *starts) begin() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == 1 {
		c.over = make(chan struct{})
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.n--; c.n == 0 {
			close(c.over)
			c.over = nil
		}
	}
}

// wait returns when none is being started, when ctx ends, or after courtesyTime.
func (c *starts) wait(ctx context.Context) {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if over == nil {
		return
	}
	late := time.NewTimer(courtesyTime)
	defer late.Stop()
	select {
	case <-over:
	case <-late.C:
	case <-ctx.Done():
	}
}
