package webui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// buildsPerPage is how many builds a page lists.
const buildsPerPage = 30

// trendBuilds is how many verdicts the charts are drawn from at most.
const trendBuilds = 300

// buildsPage is the view of templates/builds.html.
type buildsPage struct {
	repoFrame
	Builds        []store.Build
	Filter        store.BuildFilter
	Events        []string
	Statuses      []store.Status
	Trend         *trend // nil if there are too few verdicts to show one
	Older, Newest string // addresses of other pages; "" if there is none
}

// Filtered reports whether the list is not of all builds.
func (p *buildsPage) Filtered() bool {
	f := p.Filter
	return f.Branch != "" || f.Event != "" || f.Status != "" || f.SHA != "" || f.Ref != "" || f.Author != ""
}

// BuildPath, BranchPath and AuthorPath are addresses that a row leads to.
func (p *buildsPage) BuildPath(number int64) string { return buildPath(p.Repo, number) }
func (p *buildsPage) BranchPath(branch string) string {
	return p.RepoPath() + "?" + url.Values{"branch": {branch}}.Encode()
}
func (p *buildsPage) AuthorPath(author string) string {
	return p.RepoPath() + "?" + url.Values{"author": {author}}.Encode()
}

// readBuilds reads the builds that the request asks for, and one more if there
// are more.
func (u *UI) readBuilds(ctx context.Context, c *request) ([]store.Build, store.BuildFilter, error) {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	f := store.BuildFilter{
		Branch: c.QueryParam("branch"), Event: c.QueryParam("event"), SHA: c.QueryParam("commit"),
		Ref: c.QueryParam("ref"), Author: c.QueryParam("author"),
		Status: store.Status(c.QueryParam("status")), Before: before, Limit: buildsPerPage + 1,
	}
	builds, err := u.store.Builds(ctx, c.repo.ID, f)
	return builds, f, err
}

func (u *UI) builds(c *request) error {
	ctx := c.Request().Context()
	builds, f, err := u.readBuilds(ctx, c)
	if err != nil {
		return err
	}
	if err := u.explain(ctx, builds); err != nil {
		return err
	}
	verdicts, err := u.store.Verdicts(ctx, c.repo.ID, f.Branch, trendBuilds)
	if err != nil {
		return err
	}
	head, err := u.repoFrame(c, "Builds")
	if err != nil {
		return err
	}
	p := &buildsPage{
		repoFrame: head, Builds: builds, Filter: f, Trend: newTrend(verdicts, u.store.Now()),
		Events: []string{string(pipeline.EventPush), string(pipeline.EventTag), string(pipeline.EventPullRequest),
			string(pipeline.EventPullRequestClosed), string(pipeline.EventRelease), string(pipeline.EventDeployment)},
		Statuses: []store.Status{store.Blocked, store.Pending, store.Running, store.Success, store.Failure,
			store.Error, store.Canceled, store.Skipped},
	}
	p.link(c.QueryParams())
	return u.render(c, http.StatusOK, "builds", p)
}

// link sets the addresses that a page with the query q leads to, and cuts off
// the build that says that there are more.
func (p *buildsPage) link(q url.Values) {
	q.Set("since", buildsMark(p.Builds))
	p.Live = p.RepoPath() + "/events?" + q.Encode()
	q.Del("since")
	if len(p.Builds) > buildsPerPage {
		p.Builds = p.Builds[:buildsPerPage]
		q.Set("before", strconv.FormatInt(p.Builds[buildsPerPage-1].Number, 10))
		p.Older = p.RepoPath() + "?" + q.Encode()
	}
	if p.Filter.Before > 0 {
		q.Del("before")
		p.Newest = p.RepoPath() + "?" + q.Encode()
	}
}
