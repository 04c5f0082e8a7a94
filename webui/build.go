package webui

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// settled is how long after its end a build's page still hears of changes: its
// statuses are worked out and sent then.
const settled = 10 * time.Minute

// build shows a build and the log of one of its steps.
func (u *UI) build(c *request) error { return u.showBuild(c, viewSteps) }

func (u *UI) buildGraph(c *request) error    { return u.showBuild(c, viewGraph) }
func (u *UI) buildTimeline(c *request) error { return u.showBuild(c, viewTimeline) }
func (u *UI) buildPipeline(c *request) error { return u.showBuild(c, viewPipeline) }

// showBuild answers with one of the pages of a build.
func (u *UI) showBuild(c *request, view buildView) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	if p.frame = u.frame(c); c.Param("step") != "" && !p.chosen(c) {
		return errNotFound
	}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	p.View = view
	if err := u.fill(c.Request().Context(), c, p); err != nil {
		return err
	}
	p.Title, p.Status = p.fullTitle(), p.Build.Status
	p.Styles = []string{"build.css", "digest.css", "log.css", "terminal.css"}
	if view == viewSteps {
		p.Scripts = []string{"digest.js", "log.js"}
	}
	p.Crumbs = []crumb{{p.Repo.FullName(), p.RepoPath()}}
	if view == viewSteps && p.Step != nil {
		line, _ := strconv.ParseInt(c.QueryParam("line"), 10, 64)
		t := p.stepTarget()
		if p.Log, err = u.window(c.Request().Context(), &t, line); err != nil {
			return err
		}
	}
	if !p.Ended() || p.Unsent() || p.Now.Sub(p.Build.FinishedAt) < settled {
		p.Live = p.livePath(c)
	}
	return u.render(c, http.StatusOK, "build", p)
}

// fill works out what the view of a build shows, save the log.
func (u *UI) fill(ctx context.Context, c *request, p *buildPage) (err error) {
	if p.Why, err = u.whyFailed(ctx, p.Build); err != nil {
		return err
	}
	switch p.View {
	case viewGraph:
		p.Graph = newGraph(p)
	case viewTimeline:
		p.Timeline = newTimeline(p)
	case viewPipeline:
		files, err := u.store.PipelineFiles(ctx, p.Build.ID)
		if err != nil {
			return err
		}
		p.Pipeline = newPipelineView(p, files)
	default:
		p.choose(c)
		if err := u.addDigest(ctx, p); err != nil {
			return err
		}
		return u.readHistory(ctx, p)
	}
	return nil
}

// findBuild reads the build that the path names.
func (u *UI) findBuild(c *request) (*buildPage, error) {
	number, err := strconv.ParseInt(c.Param("number"), 10, 64)
	if err != nil {
		return nil, errNotFound
	}
	return u.readBuild(c.Request().Context(), c, number)
}

// readBuild reads a build with all that its page shows, save the log. What
// changes while it reads may be in the page although Build.Change is the one from
// before: the page is never older than that.
func (u *UI) readBuild(ctx context.Context, c *request, number int64) (*buildPage, error) {
	p := &buildPage{Repo: c.repo}
	p.Admin, p.Form = c.session.admin, c.session.form
	var err error
	if p.Build, err = u.store.Build(ctx, c.repo.ID, number); err != nil {
		return nil, err
	}
	p.Now = u.store.Now()
	jobs, err := u.store.Jobs(ctx, p.Build.ID)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		view, err := u.readJob(ctx, p, j)
		if err != nil {
			return nil, err
		}
		p.Jobs = append(p.Jobs, view)
	}
	if err := u.readWaiting(ctx, p); err != nil {
		return nil, err
	}
	if p.Statuses, err = u.store.CommitStatuses(ctx, p.Repo.ID, p.Build.SHA); err != nil {
		return nil, err
	}
	if err := p.decode(); err != nil {
		return nil, err
	}
	inOrder(p.Jobs)
	return p, nil
}

// readJob reads the steps of a job. Those of one that was carried over lead to
// the build that they ran in.
func (u *UI) readJob(ctx context.Context, p *buildPage, j store.Job) (jobView, error) {
	view := jobView{Job: j}
	steps, err := u.store.Steps(ctx, j.ID)
	if err != nil {
		return view, err
	}
	ranIn, number := p.Build, j.Number
	if j.CarriedFrom != 0 {
		if ranIn, err = u.store.Build(ctx, p.Repo.ID, j.CarriedFrom); err != nil {
			return view, err
		}
		number, view.CarriedPath = j.CarriedJob, buildPath(p.Repo, j.CarriedFrom)
	}
	for _, s := range steps {
		view.Steps = append(view.Steps, stepView{Step: s, Path: stepPath(p.Repo, ranIn.Number, number, s.Number),
			log: store.LogKey(ranIn.ID, number, s.Number)})
	}
	only := buildPage{Jobs: []jobView{view}}
	if _, step := only.focus(); step > 0 {
		view.Path = view.Steps[step-1].Path
	}
	return view, nil
}

// chosen selects the step that the request names, in its path or its query, and
// reports whether there is such a one.
func (p *buildPage) chosen(c *request) bool {
	name := func(key string) int {
		v := c.Param(key)
		if v == "" {
			v = c.QueryParam(key)
		}
		n, _ := strconv.Atoi(v)
		return n
	}
	p.find(name("job"), name("step"))
	return p.Step != nil
}

// choose selects the step that the request names, else the one worth looking at.
func (p *buildPage) choose(c *request) {
	if !p.chosen(c) {
		p.find(p.focus())
	}
}

// livePath is the address of the page's stream. It names the selected step, and
// says whether somebody chose it or the page may go on to another.
func (p *buildPage) livePath(c *request) string {
	q := fmt.Sprintf("/events?since=%d", p.Build.Change)
	if p.View != viewSteps {
		return p.Path() + q + "&view=" + string(p.View)
	}
	if p.Step != nil {
		q += fmt.Sprintf("&job=%d&step=%d", p.Job.Number, p.Step.Number)
	}
	if c.Param("step") == "" {
		q += "&auto=1"
	}
	return p.Path() + q
}

// reselect returns the address under which a page without a chosen step shows
// another one than the stream's address says; "" if that is the right one.
func (p *buildPage) reselect(c *request) string {
	job, step := p.focus()
	same := c.QueryParam("job") == strconv.Itoa(job) && c.QueryParam("step") == strconv.Itoa(step)
	if c.QueryParam("auto") == "" || step == 0 || same {
		return ""
	}
	return p.Path()
}

// target returns the log that the request names.
func (p *buildPage) target(c *request) (*logTarget, error) {
	if !p.chosen(c) {
		return nil, errNotFound
	}
	t := p.stepTarget()
	return &t, nil
}

func (p *buildPage) stepTarget() logTarget {
	return logTarget{
		key:  p.Step.log,
		path: p.Step.Path, build: p.Path(), step: p.Step.Step,
	}
}
