package webui

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"
)

// loginLimit bounds how often tokens are tried: from one address, and by all
// together so that many addresses don't help.
type loginLimit struct {
	each *middleware.RateLimiterMemoryStore
	all  *rate.Limiter
}

func newLoginLimit() *loginLimit {
	return &loginLimit{
		each: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
			Rate: 0.2, Burst: 10, ExpiresIn: 10 * time.Minute,
		}),
		all: rate.NewLimiter(5, 50),
	}
}

func (l *loginLimit) allow(address string) bool {
	ok, err := l.each.Allow(address)
	return ok && err == nil && l.all.Allow()
}

// loginPage is the view of templates/login.html.
type loginPage struct {
	frame
	Next     string
	Problem  string // what was wrong with the last try
	Disabled bool   // no admin token is configured
}

func (u *UI) loginForm(c *request) error {
	if c.session.admin {
		return c.Redirect(http.StatusSeeOther, localPath(c.QueryParam("next")))
	}
	return u.showLogin(c, http.StatusOK, c.QueryParam("next"), "")
}

func (u *UI) showLogin(c *request, code int, next, problem string) error {
	p := loginPage{frame: u.frame(c), Next: localPath(next), Problem: problem, Disabled: !u.admin.set}
	p.Title, p.Section = "Log in", ""
	return u.render(c, code, "login", p)
}

// login takes the admin token. Its form needs no token against forgery: who
// could forge it would have to know the admin token.
func (u *UI) login(c *request) error {
	next := c.FormValue("next")
	if !u.logins.allow(c.RealIP()) {
		c.Response().Header().Set("Retry-After", "30")
		return u.showLogin(c, http.StatusTooManyRequests, next, "Too many tries. Wait half a minute.")
	}
	if !u.admin.matches(c.FormValue("token")) {
		u.log.Warn("login refused", "address", c.RealIP())
		return u.showLogin(c, http.StatusForbidden, next, "That is not the admin token.")
	}
	if err := u.openSession(c); err != nil {
		return err
	}
	u.log.Info("admin logged in", "address", c.RealIP())
	return c.Redirect(http.StatusSeeOther, localPath(next))
}

func (u *UI) logout(c *request) error {
	if err := u.closeSession(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

// localPath returns next if it is a path on this server, else "/". Browsers
// take "//host" and "/\host" for another server.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	target, err := url.Parse(next)
	if err != nil || target.IsAbs() || target.Host != "" {
		return "/"
	}
	return target.String()
}
