package webui

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// A pageError is an error with a status and words for who made the request.
type pageError struct {
	code    int
	message string
}

func (e *pageError) Error() string { return e.message }

var errNotFound = &pageError{http.StatusNotFound,
	"There is no such page, or you have to log in to see it."}

// HandleError answers a request with an error page. It is made for
// echo.HTTPErrorHandler, for what no route of the API takes.
func (u *UI) HandleError(err error, c echo.Context) {
	req := &request{Context: c}
	setHeaders(c.Response().Header())
	if e := u.loadSession(req); e != nil {
		err = errors.Join(err, e)
	}
	if e := u.fail(req, err); e != nil {
		u.log.Warn("send error page", "error", e)
	}
}

// fail answers with the page for an error. What is not meant for the user goes
// to the log, with an ID that the page shows too.
func (u *UI) fail(c *request, err error) error {
	if c.Response().Committed || c.Request().Context().Err() != nil {
		u.logFailure(c, err)
		return nil
	}
	page := errorPage{frame: u.frame(c), Code: http.StatusInternalServerError}
	page.Section = "" // it is none of what the bar leads to
	var mine *pageError
	var echos *echo.HTTPError
	switch {
	case errors.As(err, &mine):
		page.Code, page.Message = mine.code, mine.message
	case errors.Is(err, store.ErrNotFound), errors.Is(err, logs.ErrNotFound):
		page.Code, page.Message = errNotFound.code, errNotFound.message
	case errors.As(err, &echos) && echos.Code < http.StatusInternalServerError:
		page.Code, page.Message = echos.Code, echoMessage(echos.Code)
	default:
		page.RequestID = requestID(c)
		page.Message = "Something went wrong on the server. It is in the server's log under this ID:"
		u.log.Error("serve page", "method", c.Request().Method, "path", c.Request().URL.Path,
			"request", page.RequestID, "error", err)
	}
	page.Heading = http.StatusText(page.Code)
	page.Title = page.Heading
	page.OfferLogin = !page.Admin && (page.Code == http.StatusNotFound || page.Code == http.StatusForbidden)
	return u.render(c, page.Code, "error", page)
}

// errorPage is the view of templates/error.html.
type errorPage struct {
	frame
	Code             int
	Heading, Message string
	RequestID        string // "" unless the error is in the log
	OfferLogin       bool
}

// logFailure logs an error that can no longer be shown. One who went away is
// not worth a line.
func (u *UI) logFailure(c *request, err error) {
	if errors.Is(err, context.Canceled) || c.Request().Context().Err() != nil {
		return
	}
	u.log.Error("serve page", "path", c.Request().URL.Path, "request", requestID(c), "error", err)
}

// echoMessage is what we say about an error that echo found.
func echoMessage(code int) string {
	switch code {
	case http.StatusNotFound:
		return errNotFound.message
	case http.StatusMethodNotAllowed:
		return "This address does not take that method."
	default:
		return "The server does not understand this request."
	}
}

// requestID returns the ID that a middleware gave the request, or a new one.
func requestID(c *request) string {
	h := c.Response().Header()
	if h.Get(echo.HeaderXRequestID) == "" {
		h.Set(echo.HeaderXRequestID, rand.Text())
	}
	return h.Get(echo.HeaderXRequestID)
}
