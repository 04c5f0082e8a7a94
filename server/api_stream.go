package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// heartbeat keeps connections through proxies open, and lets us notice that a
// client is gone.
const heartbeat = 15 * time.Second

type watchInput struct {
	BuildPath
	LastEventID int64 `header:"Last-Event-ID" doc:"Of the last event that was received; sent by browsers when they reconnect"`
}

// watchBuild sends the whole build whenever it changed, and ends with it. The
// ID of an event is the build's change number, so a client that reconnects gets
// the newest state if it has not seen it, and nothing twice.
func (s *Server) watchBuild(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
	_, b, err := s.find(ctx, in.BuildPath)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		if b.Status.Final() && b.Change <= in.LastEventID {
			c.Response().WriteHeader(http.StatusNoContent) // tells a browser to stop reconnecting
			return
		}
		if !s.streams.TryAcquire(1) {
			s.handleError(errTooManyStreams(), c)
			return
		}
		defer s.streams.Release(1)
		if err := s.sendBuild(ctx, startEvents(c), in); err != nil && ctx.Err() == nil {
			s.Logger.Debug("build stream ended", "error", err)
		}
	}}, nil
}

func errTooManyStreams() error {
	return newError(http.StatusServiceUnavailable, "too many builds and logs are followed at once; try again later")
}

// startEvents begins a stream of server-sent events.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func startEvents(c echo.Context) *echo.Response {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Flush()
	return c.Response()
}

func (s *Server) sendBuild(ctx context.Context, w *echo.Response, in *watchInput) error {
	sub := s.Store.Subscribe()
	defer sub.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	seen := in.LastEventID
	for {
		// The repository too: it may have become private meanwhile.
		r, b, err := s.find(ctx, in.BuildPath)
		if err != nil {
			return err
		}
		if b.Change > seen {
			seen = b.Change
			whole, err := s.wholeBuild(ctx, r, b)
			if err != nil {
				return err
			}
			data, err := json.Marshal(whole)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "event: build\nid: %d\ndata: %s\n\n", seen, data); err != nil {
				return err
			}
			w.Flush()
		}
		if b.Status.Final() {
			return nil
		}
		if err := s.waitForBuild(ctx, w, sub, beat.C, b); err != nil {
			return err
		}
	}
}

var errShutdown = errors.New("the server is shutting down")

// concerns reports whether an event is of a build, or of who may see it.
func concerns(e store.Event, b store.Build) bool {
	return e.BuildID == b.ID || e.Kind == store.RepoChanged && e.RepoID == b.RepoID
}

// waitForBuild returns when the build changed, beating meanwhile.
func (s *Server) waitForBuild(ctx context.Context, w *echo.Response, sub *store.Subscription, beat <-chan time.Time, b store.Build) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.Done:
			return errShutdown
		case <-beat:
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return err
			}
			w.Flush()
		case <-sub.Wake():
			if slices.ContainsFunc(sub.Take(), func(e store.Event) bool { return concerns(e, b) }) {
				return nil
			}
		}
	}
}

type logInput struct {
	StepPath
	From   int64 `query:"from" minimum:"1" doc:"Row to begin with, from 1"`
	Lines  int64 `query:"lines" minimum:"1" maximum:"1000000" doc:"Rows to return at most; all if left out"`
	Follow bool  `query:"follow" doc:"Go on until the step has ended"`
}

// getLog answers with the whole text (with HTTP ranges), some rows of it, or a
// stream that goes on until the step has ended.
func (s *Server) getLog(ctx context.Context, in *logInput) (*huma.StreamResponse, error) {
	b, st, err := s.step(ctx, in.StepPath)
	if err != nil {
		return nil, err
	}
	key := store.LogKey(b.ID, in.Job, in.Step)
	if in.Follow {
		return stream(func(c echo.Context) error { return s.followLog(ctx, c, key, in) }, s), nil
	}
	text, err := s.Logs.Text(ctx, key)
	if errors.Is(err, logs.ErrNotFound) {
		return stream(func(c echo.Context) error { return nil }, s), nil // a step without a log has an empty one
	}
	if err != nil {
		return nil, err
	}
	if in.From == 0 && in.Lines == 0 {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			c := humaecho.Unwrap(hc)
			plainText(c)
			http.ServeContent(c.Response(), c.Request(), "", st.FinishedAt, text)
		}}, nil
	}
	n := in.Lines
	if n == 0 {
		n = -1
	}
	return stream(func(c echo.Context) error {
		var buf []byte
		for batch, err := range s.Logs.Read(ctx, key, max(in.From, 1), n) {
			if err != nil {
				return err
			}
			if buf, err = writeRows(c.Response(), buf, batch); err != nil {
				return err
			}
		}
		return nil
	}, s), nil
}

// followLog streams rows as they come. Text of a line that has not ended is
// left out until it has.
func (s *Server) followLog(ctx context.Context, c echo.Context, key string, in *logInput) error {
	if !s.streams.TryAcquire(1) {
		return errTooManyStreams()
	}
	defer s.streams.Release(1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	ended := make(chan struct{}) // the watcher's goroutine ended
	go func() {
		defer close(ended)
		s.watchStep(ctx, cancel, in.StepPath, done)
	}()
	defer func() { cancel(); <-ended }()
	c.Response().Header().Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Flush()
	left := in.Lines
	var buf []byte
	for batch, err := range s.Logs.Follow(ctx, key, max(in.From, 1), done) {
		if err != nil {
			return err
		}
		if len(batch) > 0 && batch[0].Open { // such rows come in batches of their own
			continue
		}
		if in.Lines > 0 && int64(len(batch)) > left {
			batch = batch[:left]
		}
		if buf, err = writeRows(c.Response(), buf, batch); err != nil {
			return err
		}
		c.Response().Flush()
		if left -= int64(len(batch)); in.Lines > 0 && left <= 0 {
			return nil
		}
	}
	return nil
}

// watchStep closes done when the step has ended, and cancels when the server
// shuts down or the caller may not see the step any more.
func (s *Server) watchStep(ctx context.Context, cancel context.CancelFunc, p StepPath, done chan<- struct{}) {
	sub := s.Store.Subscribe()
	defer sub.Close()
	for {
		b, st, err := s.step(ctx, p)
		if err != nil {
			cancel()
			return
		}
		if st.Status.Final() {
			close(done)
			return
		}
		for changed := false; !changed; {
			select {
			case <-ctx.Done():
				return
			case <-s.Done:
				cancel()
				return
			case <-sub.Wake():
				changed = slices.ContainsFunc(sub.Take(), func(e store.Event) bool { return concerns(e, b) })
			}
		}
	}
}

func writeRows(w io.Writer, buf []byte, rows []logs.Line) ([]byte, error) {
	buf = buf[:0]
	for i := range rows {
		if !rows[i].Open {
			buf = rows[i].AppendText(buf)
		}
	}
	_, err := w.Write(buf)
	return buf, err
}

// stream answers with plain text that f writes. What fails on its way is cut off
// as broken connections are: nobody takes the part for the whole.
func stream(f func(echo.Context) error, s *Server) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		plainText(c)
		err := f(c)
		switch {
		case err == nil || hc.Context().Err() != nil: // the end, or the client is gone
		case !c.Response().Committed:
			c.Response().Header().Del(echo.HeaderContentType) // an error is JSON
			s.handleError(err, c)
		default:
			s.Logger.Debug("log stream cut off", "path", c.Request().URL.Path, "bytes", c.Response().Size, "error", err)
			panic(http.ErrAbortHandler)
		}
	}}
}

func plainText(c echo.Context) {
	c.Response().Header().Set(echo.HeaderContentType, "text/plain; charset=utf-8")
	c.Response().Header().Set(echo.HeaderCacheControl, "private, no-cache")
}
