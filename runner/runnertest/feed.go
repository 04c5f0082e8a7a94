package runnertest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
)

// feed is a buffer in which text can be waited for.
type feed struct {
	mu      sync.Mutex // guards what follows
	buf     bytes.Buffer
	changed chan struct{}
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

func (f *feed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
	return f.buf.Write(p)
}

func (f *feed) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.buf.String()
}

// await returns when text has been written.
func (f *feed) await(ctx context.Context, text string) error {
	for {
		f.mu.Lock()
		got, changed := f.buf.String(), f.changed
		f.mu.Unlock()
		if strings.Contains(got, text) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%q was not written, only %q: %w", text, got, ctx.Err())
		}
	}
}
