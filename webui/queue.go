package webui

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// queueLimit is how many jobs of each kind the queue's page shows.
const queueLimit = 100

// queuePage is the view of templates/queue.html.
type queuePage struct {
	frame
	store.Queue
	// Approvals are builds that wait for somebody to approve them.
	Approvals []store.RepoBuild
	Wait      string // why nothing is claimed
	Now       time.Time
}

// More is how many jobs wait besides those that are shown.
func (p *queuePage) More() int { return max(0, p.Pending-len(p.Waiting)) }

// RepoOf is the repository of a job, as far as addresses need it.
func (*queuePage) RepoOf(j store.QueuedJob) store.Repo {
	return store.Repo{Owner: j.Owner, Name: j.Name}
}

// Never is the end of what has not ended.
func (*queuePage) Never() time.Time { return time.Time{} }

// Why says what a job waits for.
func (*queuePage) Why(j store.QueuedJob) string {
	switch {
	case j.Reason != "":
		return j.Reason
	case j.Place == 1:
		return "next: it starts when a place is free"
	default:
		return fmt.Sprintf("waits for a free place, %d before it", j.Place-1)
	}
}

func (u *UI) readQueue(ctx context.Context, private bool) (p queuePage, err error) {
	if p.Queue, err = u.store.Queue(ctx, private, queueLimit); err != nil {
		return p, err
	}
	if p.Wait, err = u.store.WaitReason(ctx); err != nil {
		return p, err
	}
	active, err := u.store.ActiveBuilds(ctx, private, queueLimit)
	for _, b := range active {
		if b.Build.NeedsApproval && b.Build.Status == store.Blocked {
			p.Approvals = append(p.Approvals, b)
		}
	}
	return p, err
}

func (u *UI) queue(c *request) error {
	p, err := u.readQueue(c.Request().Context(), c.session.admin)
	if err != nil {
		return err
	}
	p.frame, p.Now = u.frame(c), u.store.Now()
	if p.Flash, err = u.takeFlash(c); err != nil {
		return err
	}
	p.Title, p.Section, p.Styles = "Queue · slipway", "/queue", []string{"pages.css"}
	p.Live = "/queue/events?since=" + p.mark()
	return u.render(c, http.StatusOK, "queue", &p)
}

// mark names the state of the queue: what it shows has changed if it has.
func (p *queuePage) mark() string {
	h := fnv.New64a()
	for _, jobs := range [][]store.QueuedJob{p.Running, p.Waiting} {
		for _, j := range jobs {
			_, _ = fmt.Fprint(h, j.JobID, j.Status, j.Place, j.Reason, j.Cancels, ";") // never fails
		}
	}
	for _, b := range p.Approvals {
		_, _ = fmt.Fprint(h, b.Build.ID, ";")
	}
	_, _ = fmt.Fprint(h, p.Wait)
	return strconv.FormatUint(h.Sum64(), 36)
}

func (u *UI) queueEvents(c *request) error {
	return u.liveList(c, 0, func(ctx context.Context) (string, error) {
		p, err := u.readQueue(ctx, c.session.admin)
		return p.mark(), err
	})
}
