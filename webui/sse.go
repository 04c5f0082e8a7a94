package webui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// writeTimeout is how long a reader may take for what is sent at once. One that
// is slower is dropped; it comes back and goes on where it was.
const writeTimeout = 30 * time.Second

// events is a stream of server-sent events to one browser.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController

	mu sync.Mutex // guards writing
}

// stream answers with events until produce returns, the browser goes away, its
// reader may not see them any more or the server shuts down. An idle stream is
// kept alive by comments.
func (u *UI) stream(c *request, produce func(context.Context, *events) error) error {
	select {
	case u.streams <- struct{}{}:
		defer func() { <-u.streams }()
	default: // the page's script asks again
		return &pageError{http.StatusServiceUnavailable, "Too many pages are followed at once. Reload this one later."}
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	e := &events{w: c.Response(), control: http.NewResponseController(c.Response().Writer)}
	ctx, cancel := context.WithCancel(c.Request().Context())
	var beat sync.WaitGroup
	beat.Go(func() {
		defer cancel()
		u.beat(ctx, c, e)
	})
	err := e.write("retry: 1000\n\n")
	if err == nil {
		err = produce(ctx, e)
	}
	ended := ctx.Err() != nil
	cancel()
	beat.Wait()
	if ended {
		return nil
	}
	return err
}

// beat returns when the stream has to end.
func (u *UI) beat(ctx context.Context, c *request, e *events) {
	tick := time.NewTicker(u.heartbeat)
	defer tick.Stop()
	lost := u.store.Subscribe(store.SessionEnded, store.RepoChanged)
	defer lost.Close()
	for u.mayRead(ctx, c) {
		select {
		case <-ctx.Done():
			return
		case <-u.done:
			return
		case <-lost.Wake():
			lost.Take()
		case <-tick.C: // and the session may have expired
			if e.write(": still here\n\n") != nil {
				return
			}
		}
	}
}

// mayRead reports whether a stream's reader may see it still: since it was
// opened the session may have ended, or the repository become private. One that
// may comes back and is let in again.
func (u *UI) mayRead(ctx context.Context, c *request) bool {
	if c.session.admin {
		_, found, err := store.Sessions{Store: u.store}.FindCtx(ctx, u.sessions.Token(c.Request().Context()))
		return found && err == nil
	}
	if c.repo.ID == 0 {
		return true
	}
	repo, err := u.store.RepoByID(ctx, c.repo.ID)
	return err == nil && !repo.Private
}

// send sends an event; id is where a reader that comes back goes on, "" if that
// stays as it was.
func (e *events) send(id, event, data string) error {
	var b strings.Builder
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\n", event)
	for line := range strings.Lines(data) {
		b.WriteString("data: ")
		b.WriteString(strings.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	if data == "" {
		b.WriteString("data:\n")
	}
	b.WriteByte('\n')
	return e.write(b.String())
}

// sendJSON sends an event whose data is JSON, which has no newlines.
func (e *events) sendJSON(id, event string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode event %s: %w", event, err)
	}
	return e.send(id, event, b.String())
}

func (e *events) write(s string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	// A writer that has no deadlines has no slow readers either.
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := e.w.Write([]byte(s)); err != nil {
		return fmt.Errorf("send event: %w", err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("send event: %w", err)
	}
	return nil
}
