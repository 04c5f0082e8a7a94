package webui

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// Changes that come in quick succession are shown together.
const (
	buildPause = 150 * time.Millisecond
	listPause  = time.Second
	// timelinePause is after how long a timeline is drawn again while nothing
	// changes but the time.
	timelinePause = 3 * time.Second
)

// buildsMark names the state of a list: what it shows has changed if its mark
// has.
func buildsMark(builds []store.Build) string {
	var change int64
	for _, b := range builds {
		change = max(change, b.Change)
	}
	return strconv.FormatInt(change, 10) + "." + strconv.Itoa(len(builds))
}

// liveList sends "reload" whenever the mark of a list is another one than the
// browser has: it then fetches its page again and takes the list out of it. The
// events of a repository that is not shown change no mark, so they stay hidden.
func (u *UI) liveList(c *request, repoID int64, mark func(context.Context) (string, error)) error {
	seen := lastEvent(c)
	return u.stream(c, func(ctx context.Context, e *events) error {
		sub := u.store.Subscribe()
		defer sub.Close()
		for {
			now, err := mark(ctx)
			if err != nil {
				return err
			}
			if now != seen {
				if err := e.send(now, "reload", ""); err != nil {
					return err
				}
				seen = now
			}
			wanted := func(ev store.Event) bool {
				return ev.Kind == store.BuildChanged && (repoID == 0 || ev.RepoID == repoID) || ev.Kind == store.WaitChanged
			}
			if err := nextOf(ctx, sub, wanted); err != nil {
				return err
			}
			if err := pause(ctx, listPause); err != nil {
				return err
			}
		}
	})
}

// lastEvent returns the ID of the last event that the browser has, or what its
// page was rendered from.
func lastEvent(c *request) string {
	if id := c.Request().Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return c.QueryParam("since")
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// liveUpdate is the data of the event "update" of a build's page.
type liveUpdate struct {
	// Parts are new contents of elements, by their data-part.
	Parts map[string]string `json:"parts"`
	Title string            `json:"title"`
	Icon  string            `json:"icon"`
	// Ended: the build has.
	Ended bool `json:"ended,omitempty"`
	// Select is the address of the step that a page without a chosen step is to
	// show now; "" if that stays.
	Select string `json:"select,omitempty"`
}

// buildParts are the parts of a build's pages that change, and their templates.
var buildParts = map[buildView][]string{
	viewSteps:    {"build-head", "build-notes", "build-steps", "build-statuses", "build-step"},
	viewGraph:    {"build-head", "build-notes", "build-graph"},
	viewTimeline: {"build-head", "build-notes", "build-timeline"},
	viewPipeline: {"build-head", "build-notes"},
}

// buildEvents keeps a build's page current. Its event "update" has as its ID
// Build.Change: a browser that has that one already is sent only what does not
// count as a change of the build, the statuses and what waits in the queue.
func (u *UI) buildEvents(c *request) error {
	v, err := u.findBuild(c)
	if err != nil {
		return err
	}
	seen := lastEvent(c)
	return u.stream(c, func(ctx context.Context, e *events) error {
		sub := u.store.Subscribe()
		defer sub.Close()
		sent := map[string]string{}
		for {
			if v, err = u.readBuild(ctx, c, v.Build.Number); err != nil {
				return err
			}
			if seen, err = u.sendBuild(ctx, c, e, v, sent, seen); err != nil {
				return err
			}
			if err := v.nextChange(ctx, sub); err != nil {
				return err
			}
		}
	})
}

// nextChange waits until the page may show something else. What waits in the
// queue moves up with any other build.
func (p *buildPage) nextChange(ctx context.Context, sub *store.Subscription) error {
	queued := p.queued()
	wanted := func(ev store.Event) bool {
		return ev.BuildID == p.Build.ID || ev.Kind == store.StatusChanged && ev.RepoID == p.Repo.ID ||
			queued && ev.Kind == store.BuildChanged
	}
	next, cancel := ctx, func() {}
	if p.View == viewTimeline && p.Build.Status == store.Running {
		next, cancel = context.WithTimeout(ctx, timelinePause)
	}
	err := nextOf(next, sub, wanted)
	cancel()
	if err != nil && (ctx.Err() != nil || next.Err() == nil) {
		return err
	}
	return pause(ctx, buildPause)
}

// queued reports whether a job waits in the queue.
func (p *buildPage) queued() bool {
	return slices.ContainsFunc(p.Jobs, func(j jobView) bool { return j.Status == store.Pending })
}

// sendBuild sends the parts that differ from those in sent, and returns the
// change that the browser now has.
func (u *UI) sendBuild(ctx context.Context, c *request, e *events, v *buildPage, sent map[string]string, seen string) (string, error) {
	v.View = buildView(c.QueryParam("view"))
	if err := u.fill(ctx, c, v); err != nil {
		return seen, err
	}
	up := liveUpdate{Parts: map[string]string{}, Title: v.fullTitle(), Ended: v.Ended()}
	change := strconv.FormatInt(v.Build.Change, 10)
	// The browser has these parts from its page, or from a stream before. What
	// waits in the queue is moved on by others.
	has := false
	if len(sent) == 0 && seen == change && !v.queued() {
		var err error
		if has, err = u.unchanged(ctx, v.Build); err != nil {
			return seen, err
		}
	}
	for _, name := range buildParts[v.View] {
		html, err := u.fragment(name, v)
		if err != nil {
			return seen, err
		}
		if known := has && name != "build-statuses"; !known && sent[name] != html {
			up.Parts[name] = html
		}
		sent[name] = html
	}
	if v.View == viewSteps {
		up.Select = v.reselect(c)
	}
	if len(up.Parts) == 0 && up.Select == "" {
		return seen, nil
	}
	icon, err := u.assets.url(faviconName(v.Build.Status))
	if err != nil {
		return seen, err
	}
	up.Icon = icon
	return change, e.sendJSON(change, "update", up)
}

// unchanged reports whether a build is still as it was read: what was read
// together with it is of the same state then.
func (u *UI) unchanged(ctx context.Context, b store.Build) (bool, error) {
	now, err := u.store.Build(ctx, b.RepoID, b.Number)
	return err == nil && now.Change == b.Change, err
}
