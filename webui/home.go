package webui

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// homeLimit is how many active builds and red branches the first page shows.
const homeLimit = 20

// homeLists are what the first page shows.
type homeLists struct {
	Repos  []store.RepoSummary
	Active []store.RepoBuild // builds that have not ended
	Red    []store.RedBranch
	Wait   string // why nothing is claimed
}

// homePage is the view of templates/home.html.
type homePage struct {
	frame
	homeLists
	Now     time.Time
	Webhook string // where GitHub is to send webhooks
}

func (u *UI) readHome(ctx context.Context, private bool) (l homeLists, err error) {
	if l.Repos, err = u.store.Repos(ctx, private); err != nil {
		return l, err
	}
	if l.Active, err = u.store.ActiveBuilds(ctx, private, homeLimit); err != nil {
		return l, err
	}
	if l.Red, err = u.store.RedBranches(ctx, private, homeLimit); err != nil {
		return l, err
	}
	l.Wait, err = u.store.WaitReason(ctx)
	return l, err
}

func (u *UI) home(c *request) error {
	lists, err := u.readHome(c.Request().Context(), c.session.admin)
	if err != nil {
		return err
	}
	for i := range lists.Red {
		latest := &lists.Red[i].Latest
		if latest.Reason, err = u.whyFailed(c.Request().Context(), *latest); err != nil {
			return err
		}
	}
	p := homePage{frame: u.frame(c), homeLists: lists, Now: u.store.Now(), Webhook: u.webhookURL(c)}
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	p.Title = "Repositories · slipway"
	p.Styles = []string{"pages.css"}
	p.Live = "/events?since=" + lists.mark()
	return u.render(c, http.StatusOK, "home", p)
}

// mark names the state of the lists: what they show has changed if it has.
func (l homeLists) mark() string {
	var change int64
	for _, r := range l.Repos {
		if r.Latest != nil {
			change = max(change, r.Latest.Change)
		}
	}
	for _, b := range l.Active {
		change = max(change, b.Build.Change)
	}
	for _, b := range l.Red {
		change = max(change, b.Latest.Change)
	}
	return fmt.Sprintf("%d.%d.%d.%d.%t", change, len(l.Repos), len(l.Active), len(l.Red), l.Wait != "")
}

// webhookURL is the address to be entered at GitHub.
func (u *UI) webhookURL(c *request) string {
	return u.base(c) + "/webhook"
}

// base is how browsers reach the server, without a slash at its end.
func (u *UI) base(c *request) string {
	if u.public.Host != "" {
		return strings.TrimSuffix(u.public.String(), "/")
	}
	return c.Scheme() + "://" + c.Request().Host
}

func (u *UI) homeEvents(c *request) error {
	return u.liveList(c, 0, func(ctx context.Context) (string, error) {
		lists, err := u.readHome(ctx, c.session.admin)
		return lists.mark(), err
	})
}
