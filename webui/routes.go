package webui

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// access is who may use a route. The zero value is nobody, so that a route
// whose access was forgotten is closed.
type access uint8

const (
	nobody     access = iota
	everybody         // needs nothing
	repoReader        // may see the repository in the path
	repoAdmin         // may see it, and has an admin session
	adminOnly         // has an admin session
)

type route struct {
	method, path string
	access       access
	handler      handler
}

// Paths that several routes share.
const (
	repoRoute  = "/repos/:owner/:name"
	buildRoute = repoRoute + "/builds/:number"
	stepRoute  = buildRoute + "/jobs/:job/steps/:step"
)

// routes are all routes of the UI.
func (u *UI) routes() []route {
	return []route{
		{http.MethodGet, "/", everybody, u.home},
		{http.MethodGet, "/events", everybody, u.homeEvents},
		{http.MethodGet, "/static/:hash/:file", everybody, u.static},

		{http.MethodPost, "/theme", everybody, u.setTheme},
		{http.MethodGet, "/login", everybody, u.loginForm},
		{http.MethodPost, "/login", everybody, u.login},
		{http.MethodPost, "/logout", adminOnly, u.logout},

		{http.MethodGet, "/queue", everybody, u.queue},
		{http.MethodGet, "/queue/events", everybody, u.queueEvents},
		{http.MethodGet, "/search", everybody, u.search},
		{http.MethodGet, "/docs", everybody, u.docs},
		{http.MethodGet, "/docs/:page", everybody, u.docs},
		{http.MethodGet, "/cc.xml", everybody, u.ccXML},

		{http.MethodGet, "/deliveries", adminOnly, u.deliveries},
		{http.MethodGet, "/deliveries/:guid", adminOnly, u.delivery},
		{http.MethodGet, "/deliveries/:guid/payload", adminOnly, u.payload},
		{http.MethodPost, "/deliveries/:guid/redeliver", adminOnly, u.redeliver},

		{http.MethodGet, repoRoute, repoReader, u.builds},
		{http.MethodGet, repoRoute + "/branches", repoReader, u.branches},
		{http.MethodGet, repoRoute + "/pulls", repoReader, u.pulls},
		{http.MethodGet, repoRoute + "/events", repoReader, u.repoEvents},
		{http.MethodGet, repoRoute + "/badge.svg", repoReader, u.badge},
		{http.MethodGet, repoRoute + "/feed.atom", repoReader, u.feed},
		{http.MethodGet, repoRoute + "/settings", repoAdmin, u.settings},
		{http.MethodPost, repoRoute + "/settings", repoAdmin, u.changeSettings},

		{http.MethodGet, buildRoute, repoReader, u.build},
		{http.MethodGet, buildRoute + "/events", repoReader, u.buildEvents},
		{http.MethodGet, buildRoute + "/graph", repoReader, u.buildGraph},
		{http.MethodGet, buildRoute + "/timeline", repoReader, u.buildTimeline},
		{http.MethodGet, buildRoute + "/pipeline", repoReader, u.buildPipeline},
		{http.MethodGet, stepRoute, repoReader, u.build},
		{http.MethodGet, buildRoute + "/logs.zip", repoReader, u.rawAll},
		{http.MethodGet, stepRoute + "/stream", repoReader, u.streamLog},
		{http.MethodGet, stepRoute + "/lines", repoReader, u.lines},
		{http.MethodGet, stepRoute + "/search", repoReader, u.searchLog},
		{http.MethodGet, stepRoute + "/raw", repoReader, u.raw},

		{http.MethodPost, buildRoute + "/cancel", repoAdmin, u.cancel},
		{http.MethodPost, buildRoute + "/restart", repoAdmin, u.restart},
		{http.MethodPost, buildRoute + "/approve", repoAdmin, u.approve},
		{http.MethodPost, buildRoute + "/retry-status", repoAdmin, u.retryStatus},
	}
}

// Register adds the routes to e. What e answers itself (an unknown path, a
// wrong method) looks like these pages if e.HTTPErrorHandler calls HandleError.
func (u *UI) Register(e *echo.Echo) {
	for _, r := range u.routes() {
		e.Add(r.method, r.path, u.guard(r))
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, u.guard(r))
		}
	}
}
