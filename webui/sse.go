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

// stream answers with events until produce returns, the browser goes away or
// the server shuts down. An idle stream is kept alive by comments.
func (u *UI) stream(c *request, produce func(context.Context, *events) error) error {
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
		u.beat(ctx, e)
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
func (u *UI) beat(ctx context.Context, e *events) {
	tick := time.NewTicker(u.heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.done:
			return
		case <-tick.C:
			if e.write(": still here\n\n") != nil {
				return
			}
		}
	}
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
