package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// writeTimeout is how long a client may take to take what is written at once, a
// few dozen KiB. A whole answer may take as long as it likes: logs are followed.
const writeTimeout = time.Minute

// boundTransfers ends requests whose body does not come, and answers that nobody
// takes: each holds a connection, a goroutine and what its handler has.
func (s *Server) boundTransfers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		control := http.NewResponseController(c.Response().Writer)
		if m := c.Request().Method; m != http.MethodGet && m != http.MethodHead {
			// Other writers than net/http's have no deadlines, and no slow clients.
			_ = control.SetReadDeadline(time.Now().Add(s.BodyTimeout))
		}
		w := &boundWriter{c.Response().Writer, control, s.WriteTimeout}
		w.allow() // what net/http itself sends, such as 100 Continue
		c.Response().Writer = w
		return next(c)
	}
}

// boundWriter gives each write a time of its own.
type boundWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

// Unwrap leads http.ResponseController to what is below.
func (w *boundWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *boundWriter) allow() { _ = w.control.SetWriteDeadline(time.Now().Add(w.limit)) }

// WriteHeader implements http.ResponseWriter. An answer without a body is sent
// when its handler has returned, and must not have the deadline of another one
// on the same connection.
func (w *boundWriter) WriteHeader(status int) {
	w.allow()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *boundWriter) Write(b []byte) (int, error) {
	w.allow()
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher, as the writer below does.
func (w *boundWriter) Flush() {
	w.allow()
	_ = w.control.Flush() // the next write tells
}
