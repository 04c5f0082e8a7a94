package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/sync/semaphore"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// Options are what a Server works with.
type Options struct {
	Store  *store.Store
	Logs   *logs.Store
	Logger *slog.Logger
	// WebhookSecret is the secret that GitHub signs deliveries with; required.
	WebhookSecret string
	// AdminToken allows what changes something, and private repositories. Empty
	// allows it to nobody.
	AdminToken string
	URL        string // public URL of this server, without a slash at its end
	Version    string
	// MaxStreams is how many streams are served at a time, of events and of logs
	// that are followed; 0 means 1000. Anybody may open them, and webhooks need
	// connections too.
	MaxStreams int
	// Checks say whether what the server needs is there, by name, for /readyz.
	Checks map[string]func(context.Context) error
	// Done ends streams when the server shuts down.
	Done <-chan struct{}
	// BodyTimeout is how long the body of a request may take to arrive; 0 means
	// 30 s.
	BodyTimeout time.Duration
	// WriteTimeout is how long a client may take for what is written at once; 0
	// means a minute.
	WriteTimeout time.Duration
	// PageError answers a request outside the API that failed, in HTML. nil
	// answers as the API does.
	PageError echo.HTTPErrorHandler
}

// Server answers HTTP requests. It starts nothing by itself.
type Server struct {
	Options
	echo *echo.Echo
	// bodies bounds the memory of webhooks that are being received.
	bodies *semaphore.Weighted
	// streams bounds those who follow something.
	streams *semaphore.Weighted
}

// New returns a server with the routes of the webhook, the API and the health
// checks. Pages are registered on its Echo by the caller.
func New(o Options) *Server {
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = bodyTimeout
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = writeTimeout
	}
	if o.MaxStreams <= 0 {
		o.MaxStreams = 1000
	}
	s := &Server{Options: o, echo: echo.New(), bodies: semaphore.NewWeighted(maxBodies), streams: semaphore.NewWeighted(int64(o.MaxStreams))}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.handleError
	e.IPExtractor = echo.ExtractIPDirect() // a header that anybody can send is not believed
	e.Pre(ownRequestID)
	e.Use(s.boundTransfers, s.logRequests(), middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: s.logPanic}), secureHeaders)
	s.routes()
	return s
}

// Echo returns the router, for routes to be added before serving.
func (s *Server) Echo() *echo.Echo { return s.echo }

// HTTPServer returns an http.Server that answers with this server's routes. What
// bounds the transfer of bodies is boundTransfers, since logs are streamed.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
	}
}

type requestIDKey struct{}

// ownRequestID gives every request an ID of ours. What a client sends is not
// believed, since the ID is for finding the request in the log.
func ownRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		b := make([]byte, 8)
		_, _ = rand.Read(b) // never fails, see crypto/rand
		id := hex.EncodeToString(b)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		r := c.Request()
		r.Header.Set(echo.HeaderXRequestID, id)
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
		return next(c)
	}
}

// secureHeaders sets what is right for every answer. Pages set a
// Content-Security-Policy of their own over this one, which allows nothing.
func secureHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		return next(c)
	}
}

// logRequests logs each request without its query, which may hold what a person
// searched for, and never its headers.
func (s *Server) logRequests() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogStatus: true, LogMethod: true, LogURIPath: true, LogLatency: true, LogRequestID: true, LogError: true,
		HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			level := slog.LevelDebug
			attrs := []slog.Attr{slog.String("method", v.Method), slog.String("path", v.URIPath),
				slog.Int("status", v.Status), slog.Duration("took", v.Latency), slog.String("request", v.RequestID)}
			if v.Status >= http.StatusInternalServerError {
				level = slog.LevelError
				attrs = append(attrs, slog.Any("error", v.Error))
			}
			s.Logger.LogAttrs(c.Request().Context(), level, "request", attrs...)
			return nil
		},
	})
}

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.Logger.Error("panic", "error", err, "path", c.Request().URL.Path, "stack", string(stack))
	return err
}
