package webui

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
)

// maxForm is the most bytes of a form that is read.
const maxForm = 64 << 10

// A request is what a handler is given: the request of somebody who may make it.
type request struct {
	echo.Context
	session session
	// repo is that of the path, where there is one.
	repo store.Repo
}

type handler func(*request) error

// guard makes a route's handler one of echo's: it checks who asks before
// anything is read, and renders the errors.
func (u *UI) guard(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := &request{Context: c}
		setHeaders(c.Response().Header())
		err := u.admit(req, r)
		if err == nil {
			err = r.handler(req)
		}
		if err != nil {
			return u.fail(req, err)
		}
		return nil
	}
}

// admit lets a request through, or returns the error that it gets.
func (u *UI) admit(c *request, r route) error {
	if err := u.loadSession(c); err != nil {
		return err
	}
	switch r.access {
	case everybody:
	case repoReader, repoAdmin:
		if err := u.findRepo(c); err != nil {
			return err
		}
	case adminOnly:
	default:
		return errNotFound
	}
	closed := r.access == adminOnly || r.access == repoAdmin
	if closed && !c.session.admin && r.method != http.MethodPost {
		return &pageError{http.StatusForbidden, "Log in to see that."}
	}
	if r.method != http.MethodPost {
		return nil
	}
	if err := u.origins.Check(c.Request()); err != nil {
		return &pageError{http.StatusForbidden, "This form was sent from another site."}
	}
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxForm)
	if r.access == everybody {
		return nil
	}
	if !c.session.admin {
		return &pageError{http.StatusForbidden, "Log in to do that."}
	}
	if !c.session.validForm(c.FormValue(formToken)) {
		return &pageError{http.StatusForbidden, "This form is too old. Go back, reload the page and try again."}
	}
	return nil
}

// findRepo reads the repository of the path. A private one does not exist for
// who has no session.
func (u *UI) findRepo(c *request) error {
	repo, err := u.store.Repo(c.Request().Context(), c.Param("owner"), c.Param("name"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errNotFound
	case err != nil:
		return err
	case repo.Private && !c.session.admin:
		return errNotFound
	}
	c.repo = repo
	return nil
}

// policy allows what the pages need and nothing from anywhere else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Pages differ by session; a shared or back-forward cache must not mix them.
	h.Set("Cache-Control", "no-store")
}
