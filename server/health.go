package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// readyTimeout bounds each check of /readyz.
const readyTimeout = 5 * time.Second

// A Notice is the error of a check for what people should know of and does not
// keep the server from answering. It is shown as it is.
type Notice string

func (n Notice) Error() string { return string(n) }

// healthz says that the process answers.
func (s *Server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
}

// readyz says whether what the server needs is there: for each check "ok",
// "failing", whose cause goes to the log, or a Notice.
func (s *Server) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
	defer cancel()
	var mu sync.Mutex // guards result and status
	result, status := map[string]string{}, http.StatusOK
	var wg sync.WaitGroup
	for name, check := range s.Checks {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			result[name] = "ok"
			var notice Notice
			if errors.As(err, &notice) {
				result[name] = string(notice)
			} else if err != nil {
				s.Logger.Warn("not ready", "check", name, "error", err)
				result[name], status = "failing", http.StatusServiceUnavailable
			}
		})
	}
	wg.Wait()
	return c.JSON(status, map[string]any{"ready": status == http.StatusOK, "checks": result})
}
