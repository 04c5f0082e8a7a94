package server_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/server"
)

// dial opens a connection and sends what is given.
func (w *world) dial(request string) net.Conn {
	w.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	w.ok(err)
	w.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, request)
	w.ok(err)
	return conn
}

// Who asks for much and takes nothing is given up.
func TestReaderWhoTakesNothing(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.WriteTimeout = 50 * time.Millisecond })
	ended := make(chan error, 1)
	w.server.Echo().GET("/flood", func(c echo.Context) error {
		for b := make([]byte, 64<<10); ; {
			if _, err := c.Response().Write(b); err != nil {
				ended <- err
				return nil
			}
			c.Response().Flush()
		}
	})
	w.dial("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-ended:
	case <-w.ctx.Done():
		t.Error("it is written for still")
	}
}

// A form whose rest does not come holds nothing for long.
func TestBodyThatDoesNotCome(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.BodyTimeout = 50 * time.Millisecond })
	ended := make(chan error, 1)
	w.server.Echo().POST("/form", func(c echo.Context) error {
		_, err := io.ReadAll(c.Request().Body)
		ended <- err
		return err
	})
	w.dial("POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("half a form was taken for a whole one")
		}
	case <-w.ctx.Done():
		t.Error("it is waited for still")
	}
}
