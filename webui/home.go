package webui

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// homePage is the view of templates/home.html.
type homePage struct {
	frame
	Repos   []store.RepoSummary
	Now     time.Time
	Webhook string // where GitHub is to send webhooks
}

// RepoPath and BuildPath are the addresses of a row.
func (homePage) RepoPath(r store.Repo) string                { return repoPath(r) }
func (homePage) BuildPath(r store.Repo, number int64) string { return buildPath(r, number) }
func (homePage) FirstLine(message string) string             { return firstLine(message) }

func (u *UI) home(c *request) error {
	repos, err := u.store.Repos(c.Request().Context(), c.session.admin)
	if err != nil {
		return err
	}
	p := homePage{frame: u.frame(c), Repos: repos, Now: u.store.Now(), Webhook: u.webhookURL(c)}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	p.Title = "Repositories"
	p.Live = "/events?since=" + homeMark(repos)
	return u.render(c, http.StatusOK, "home", p)
}

// webhookURL is the address to be entered at GitHub.
func (u *UI) webhookURL(c *request) string {
	if u.public.Host != "" {
		return strings.TrimSuffix(u.public.String(), "/") + "/webhook"
	}
	return c.Scheme() + "://" + c.Request().Host + "/webhook"
}

func (u *UI) homeEvents(c *request) error {
	return u.liveList(c, 0, func(ctx context.Context) (string, error) {
		repos, err := u.store.Repos(ctx, c.session.admin)
		return homeMark(repos), err
	})
}
