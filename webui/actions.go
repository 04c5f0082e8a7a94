package webui

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/slipway-ci/slipway/store"
)

// adminName is the name under which a session acts.
const adminName = "admin"

// back returns to the build's page, or the page that the form names, with a sentence on what was done. A conflict
// is no error: the build went on while the page was looked at.
func (u *UI) back(c *request, b store.Build, err error, done, conflict string) error {
	if errors.Is(err, store.ErrConflict) {
		err, done = nil, conflict
	}
	if err == nil {
		err = u.setFlash(c, done)
	}
	if err != nil {
		return err
	}
	if next := c.FormValue("next"); next != "" { // a page that lists builds
		return c.Redirect(http.StatusSeeOther, localPath(next))
	}
	return c.Redirect(http.StatusSeeOther, buildPath(c.repo, b.Number))
}

func (u *UI) cancel(c *request) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	done := "Canceling: its steps are asked to stop."
	if p.Build.Cancels > 0 {
		done = "Killing: its steps are stopped at once."
	}
	err = u.store.RequestCancel(c.Request().Context(), p.Build.ID, adminName)
	return u.back(c, p.Build, err, done, "The build has already ended.")
}

func (u *UI) restart(c *request) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	what, done := store.Rerun{FailedOnly: c.FormValue("what") == "failed"}, "This is a new run of build #%d."
	what.Job, _ = strconv.Atoi(c.FormValue("job"))
	what.Step, _ = strconv.Atoi(c.FormValue("step"))
	if what != (store.Rerun{}) {
		done = "This runs a part of build #%d again. The rest is carried over."
	}
	next, err := u.store.Restart(c.Request().Context(), p.Build.ID, adminName, what)
	if err != nil {
		next = p.Build
	}
	return u.back(c, next, err, fmt.Sprintf(done, p.Build.Number),
		"That cannot be restarted: the build has not ended yet, or nothing of it failed.")
}

// approve lets a build run. The form says which commit was looked at, so that
// nothing runs that was pushed meanwhile.
func (u *UI) approve(c *request) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	sha := c.FormValue("sha")
	err = u.store.Approve(c.Request().Context(), p.Build.ID, sha, adminName)
	return u.back(c, p.Build, err, "Approved: commit "+short(sha)+" runs.",
		"The build does not wait for an approval of that commit.")
}

func (u *UI) retryStatus(c *request) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	err = u.store.RetryStatuses(c.Request().Context(), p.Repo.ID, p.Build.SHA)
	return u.back(c, p.Build, err, "The statuses are sent again now.", "")
}
