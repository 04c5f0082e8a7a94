package webui

import (
	"context"
	"net/http"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// headsPerPage is how many branches or pull requests a page lists.
const headsPerPage = 100

// repoFrame is what the pages of a repository have in common: its name and the
// tabs that lead from one to another.
type repoFrame struct {
	frame
	Repo store.Repo
	Now  time.Time
	tab  string
}

// A tab leads to a view of a repository.
type tab struct {
	crumb
	Current bool
}

// Tabs are the views of the repository that the reader may see.
func (f *repoFrame) Tabs() []tab {
	path := repoPath(f.Repo)
	tabs := []tab{
		{crumb: crumb{"Builds", path}}, {crumb: crumb{"Branches", path + "/branches"}}, {crumb: crumb{"Pull requests", path + "/pulls"}},
	}
	if f.Admin {
		tabs = append(tabs, tab{crumb: crumb{"Settings", path + "/settings"}})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Text == f.tab
	}
	return tabs
}

// RepoPath is the address of the repository's builds.
func (f *repoFrame) RepoPath() string { return repoPath(f.Repo) }

// repoFrame returns the frame of the tab with that text.
func (u *UI) repoFrame(c *request, tab string) (repoFrame, error) {
	f := repoFrame{frame: u.frame(c), Repo: c.repo, Now: u.store.Now(), tab: tab}
	f.Title = c.repo.FullName() + " · " + tab + " · slipway"
	f.Styles = []string{"pages.css"}
	f.Feed = repoPath(c.repo) + "/feed.atom"
	var err error
	f.Flash, err = u.takeFlash(c)
	return f, err
}

// headsPage is the view of templates/heads.html: the newest build of each branch
// or pull request.
type headsPage struct {
	repoFrame
	Builds []store.Build
	Pulls  bool
	Full   bool // there may be more
}

func (u *UI) branches(c *request) error { return u.heads(c, "Branches", "refs/heads/") }
func (u *UI) pulls(c *request) error    { return u.heads(c, "Pull requests", "refs/pull/") }

func (u *UI) heads(c *request, tab, prefix string) error {
	ctx := c.Request().Context()
	builds, err := u.store.RefHeads(ctx, c.repo.ID, prefix, headsPerPage)
	if err != nil {
		return err
	}
	if err := u.explain(ctx, builds); err != nil {
		return err
	}
	f, err := u.repoFrame(c, tab)
	if err != nil {
		return err
	}
	p := &headsPage{repoFrame: f, Builds: builds, Pulls: prefix == "refs/pull/", Full: len(builds) == headsPerPage}
	p.Live = p.RepoPath() + "/events?refs=" + prefix + "&since=" + buildsMark(builds)
	return u.render(c, http.StatusOK, "heads", p)
}

// repoEvents keeps a list of a repository's builds current: the one that the
// query names.
func (u *UI) repoEvents(c *request) error {
	prefix := c.QueryParam("refs")
	return u.liveList(c, c.repo.ID, func(ctx context.Context) (string, error) {
		if prefix != "" {
			builds, err := u.store.RefHeads(ctx, c.repo.ID, prefix, headsPerPage)
			return buildsMark(builds), err
		}
		builds, _, err := u.readBuilds(ctx, c)
		return buildsMark(builds), err
	})
}
