package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"
)

const (
	// maxBody is GitHub's own limit of a payload.
	// https://docs.github.com/en/webhooks/webhook-events-and-payloads
	maxBody = 25 << 20
	// maxBodies bounds the memory for bodies that are larger than smallBody;
	// more wait, not for long.
	maxBodies  = 4 * maxBody
	smallBody  = 64 << 10 // nearly all are
	bodiesWait = 5 * time.Second
)

// readBody reads the body within its limits. release gives back its share of
// the memory for bodies.
func (s *Server) readBody(c echo.Context) (body []byte, release func(), err error) {
	r := c.Request()
	if r.ContentLength > maxBody {
		return nil, nil, errBodyTooLarge()
	}
	rc := http.NewResponseController(c.Response())
	if err := rc.SetReadDeadline(time.Now().Add(s.BodyTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, nil, err
	}
	b := &growingBody{share: s.bodies}
	defer func() {
		if err != nil {
			b.release()
		}
	}()
	if err := b.readAll(r.Context(), http.MaxBytesReader(c.Response(), r.Body, maxBody)); err != nil {
		var known *apiError
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &known):
			return nil, nil, err
		case errors.As(err, &tooLarge):
			return nil, nil, errBodyTooLarge()
		}
		return nil, nil, newError(http.StatusBadRequest, fmt.Sprintf("the body was cut off or took more than %v", s.BodyTimeout))
	}
	// The deadline is the body's; the connection goes on.
	if err := rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, nil, err
	}
	return b.buf, b.release, nil
}

func errBodyTooLarge() error {
	return newError(http.StatusRequestEntityTooLarge, "the body is larger than 25 MiB")
}

// growingBody is a body that takes memory as its bytes arrive, and not as they
// are announced: anybody can announce 25 MiB and send nothing.
type growingBody struct {
	share *semaphore.Weighted
	held  int64
	buf   []byte
}

func (b *growingBody) readAll(ctx context.Context, r io.Reader) error {
	b.buf = make([]byte, 0, smallBody)
	for {
		if len(b.buf) == cap(b.buf) {
			if err := b.grow(ctx); err != nil {
				return err
			}
		}
		n, err := r.Read(b.buf[len(b.buf):cap(b.buf)])
		b.buf = b.buf[:len(b.buf)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow doubles the buffer, once there is room for that.
func (b *growingBody) grow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bodiesWait)
	defer cancel()
	size := int64(2 * cap(b.buf))
	if err := b.share.Acquire(ctx, size-b.held); err != nil {
		return newError(http.StatusServiceUnavailable, "too many large bodies at once; send it again")
	}
	b.held = size
	b.buf = append(make([]byte, 0, size), b.buf...)
	return nil
}

func (b *growingBody) release() {
	b.share.Release(b.held)
	b.held = 0
}
