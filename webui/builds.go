package webui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// buildsPerPage is how many builds a page lists.
const buildsPerPage = 30

// buildsPage is the view of templates/builds.html.
type buildsPage struct {
	frame
	Repo          store.Repo
	Builds        []store.Build
	Filter        store.BuildFilter
	Events        []string
	Statuses      []store.Status
	Now           time.Time
	Older, Newest string // addresses of other pages; "" if there is none
}

func (p *buildsPage) Filtered() bool {
	return p.Filter.Branch != "" || p.Filter.Event != "" || p.Filter.Status != "" || p.Filter.SHA != ""
}
func (p *buildsPage) RepoPath() string              { return repoPath(p.Repo) }
func (p *buildsPage) BuildPath(number int64) string { return buildPath(p.Repo, number) }
func (*buildsPage) FirstLine(message string) string { return firstLine(message) }
func (p *buildsPage) BranchPath(branch string) string {
	return p.RepoPath() + "?" + url.Values{"branch": {branch}}.Encode()
}

// readBuilds reads the builds that the request asks for, and one more if there
// are more.
func (u *UI) readBuilds(ctx context.Context, c *request) ([]store.Build, store.BuildFilter, error) {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	f := store.BuildFilter{
		Branch: c.QueryParam("branch"), Event: c.QueryParam("event"), SHA: c.QueryParam("commit"),
		Status: store.Status(c.QueryParam("status")), Before: before, Limit: buildsPerPage + 1,
	}
	builds, err := u.store.Builds(ctx, c.repo.ID, f)
	return builds, f, err
}

func (u *UI) builds(c *request) error {
	builds, f, err := u.readBuilds(c.Request().Context(), c)
	if err != nil {
		return err
	}
	p := &buildsPage{
		frame: u.frame(c), Repo: c.repo, Builds: builds, Filter: f, Now: u.store.Now(),
		Events: []string{string(pipeline.EventPush), string(pipeline.EventTag), string(pipeline.EventPullRequest),
			string(pipeline.EventPullRequestClosed), string(pipeline.EventRelease), string(pipeline.EventDeployment)},
		Statuses: []store.Status{store.Blocked, store.Pending, store.Running, store.Success, store.Failure,
			store.Error, store.Canceled, store.Skipped},
	}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	q := c.QueryParams()
	q.Set("since", buildsMark(builds))
	p.Live = p.RepoPath() + "/events?" + q.Encode()
	q.Del("since")
	if len(builds) > buildsPerPage {
		p.Builds = builds[:buildsPerPage]
		q.Set("before", strconv.FormatInt(p.Builds[buildsPerPage-1].Number, 10))
		p.Older = p.RepoPath() + "?" + q.Encode()
	}
	if f.Before > 0 {
		q.Del("before")
		p.Newest = p.RepoPath() + "?" + q.Encode()
	}
	p.Title = c.repo.FullName()
	p.Crumbs = []crumb{{c.repo.FullName(), p.RepoPath()}}
	return u.render(c, http.StatusOK, "builds", p)
}

func (u *UI) buildsEvents(c *request) error {
	return u.liveList(c, c.repo.ID, func(ctx context.Context) (string, error) {
		builds, _, err := u.readBuilds(ctx, c)
		return buildsMark(builds), err
	})
}
