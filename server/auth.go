package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/slipway-ci/slipway/store"
)

// access is who may use a route. Its zero value is nobody, so that a route
// whose access was forgotten is closed.
type access int

const (
	_ access = iota // nobody
	// anyone: the handler shows what the caller may see.
	anyone
	// admin: the caller has shown the admin token.
	admin
)

type adminKey struct{}

// isAdmin reports whether the request of ctx has shown the admin token.
func isAdmin(ctx context.Context) bool {
	v, _ := ctx.Value(adminKey{}).(bool)
	return v
}

// authenticate reads the Authorization header of a request below /api. A wrong
// token is an error and not taken for none, so that its owner hears of it.
// Elsewhere the header is none of ours: a proxy before the webhook may ask for a
// password and hand it on.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		header := r.Header.Get(echo.HeaderAuthorization)
		if header == "" || !strings.HasPrefix(r.URL.Path, "/api/") {
			return next(c)
		}
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") || !equalToken(s.AdminToken, strings.TrimSpace(token)) {
			c.Response().Header().Set(echo.HeaderWWWAuthenticate, "Bearer")
			return newError(http.StatusUnauthorized, "the token is not the admin token: send Authorization: Bearer <admin token>")
		}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), adminKey{}, true)))
		return next(c)
	}
}

// equalToken compares in a time that tells nothing of the tokens. An empty
// token equals none.
func equalToken(want, got string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// visibleRepo returns a repository if the caller may see it. A private one does
// not exist for anyone else, on any route.
func (s *Server) visibleRepo(ctx context.Context, owner, name string) (store.Repo, error) {
	r, err := s.Store.Repo(ctx, owner, name)
	if err == nil && r.Private && !isAdmin(ctx) {
		return store.Repo{}, store.ErrNotFound
	}
	return r, err
}

// allow checks the access of a route before its handler runs. Who asks for a
// private repository without the token is told that there is none.
func (s *Server) allow(ctx context.Context, a access, owner, name string) error {
	switch {
	case a == admin && !isAdmin(ctx):
		if owner != "" {
			if _, err := s.visibleRepo(ctx, owner, name); err != nil {
				return err
			}
		}
		return newError(http.StatusUnauthorized, "this needs the admin token: send Authorization: Bearer <admin token>")
	case a == admin || a == anyone:
		return nil
	default:
		return newError(http.StatusForbidden, "forbidden")
	}
}
