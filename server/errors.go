package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
)

// apiError is the body of every answer of the API that is not a success.
type apiError struct {
	Status  int    `json:"-"`
	Code    string `json:"code" doc:"What went wrong, for programs: not_found, conflict, unauthorized, …"`
	Message string `json:"message" doc:"What went wrong, for people"`
}

func (e *apiError) Error() string  { return e.Message }
func (e *apiError) GetStatus() int { return e.Status }

// huma makes the errors of its own validation through this variable.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		for _, err := range errs {
			if err != nil {
				message += ": " + err.Error()
			}
		}
		return newError(status, message)
	}
}

func newError(status int, message string) *apiError {
	code := strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	return &apiError{Status: status, Code: code, Message: message}
}

// asAPIError maps an error to what a client may know of it. This is the only
// place that does; an unknown error is internal, and only its request's ID is told.
func asAPIError(err error, requestID string) *apiError {
	var known *apiError
	var he *echo.HTTPError
	var se huma.StatusError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrNotFound):
		return newError(http.StatusNotFound, "not found")
	case errors.Is(err, store.ErrConflict):
		return newError(http.StatusConflict, conflictMessage(err))
	case errors.As(err, &he) && he.Code < http.StatusInternalServerError:
		return newError(he.Code, http.StatusText(he.Code))
	case errors.As(err, &se) && se.GetStatus() < http.StatusInternalServerError:
		return newError(se.GetStatus(), se.Error())
	default:
		return newError(http.StatusInternalServerError, "internal error; the server's log has it under request "+requestID)
	}
}

// conflictMessage keeps what the store says of a conflict: "cancel build: the
// build has ended".
func conflictMessage(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+store.ErrConflict.Error())
}

// isAPI reports whether a path is answered in JSON.
func isAPI(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/webhook" || path == "/healthz" || path == "/readyz"
}

// handleError is echo's error handler.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if s.PageError != nil && !isAPI(c.Request().URL.Path) {
		s.PageError(err, c)
		return
	}
	id := c.Response().Header().Get(echo.HeaderXRequestID)
	e := asAPIError(err, id)
	if e.Status >= http.StatusInternalServerError {
		s.Logger.Error("request failed", "path", c.Request().URL.Path, "request", id, "error", err)
	}
	if c.Request().Method == http.MethodHead {
		err = c.NoContent(e.Status)
	} else {
		err = c.JSON(e.Status, e)
	}
	if err != nil {
		s.Logger.Debug("cannot answer", "error", err)
	}
}

// apiError maps the error of an API handler, and logs it if it is internal.
func (s *Server) apiError(ctx context.Context, err error) error {
	id, _ := ctx.Value(requestIDKey{}).(string)
	e := asAPIError(err, id)
	if e.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.Logger.Error("request failed", "request", id, "error", err)
	}
	return e
}
