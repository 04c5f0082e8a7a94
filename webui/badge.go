package webui

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/slipway-ci/slipway/store"
)

// badgeColors are those of the badges, which stand on pages of others and know
// no theme: white text is readable on each.
var badgeColors = map[store.Status]string{
	store.Success: "#1a7f37", store.Failure: "#c8202c", store.Error: "#a04100", store.Running: "#0b5fc1",
}

const badgeGrey = "#56616d"

// badge draws the state of a branch, the default one unless the query names
// another, or of one workflow of it.
func (u *UI) badge(c *request) error {
	status, err := u.branchStatus(c)
	if err != nil {
		return err
	}
	label := cmp.Or(c.QueryParam("workflow"), "build")
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache") // GitHub's image proxy keeps what may be kept
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Blob(http.StatusOK, "image/svg+xml", []byte(drawBadge(label, status)))
}

// branchStatus is the newest verdict on a branch, or what it says of one workflow;
// "" if there is none. A build that runs or was canceled changes nothing.
func (u *UI) branchStatus(c *request) (store.Status, error) {
	ctx := c.Request().Context()
	builds, err := u.store.Builds(ctx, c.repo.ID, store.BuildFilter{
		Ref: "refs/heads/" + cmp.Or(c.QueryParam("branch"), c.repo.DefaultBranch), Verdict: true, Limit: 1})
	if err != nil || len(builds) == 0 {
		return "", err
	}
	workflow := c.QueryParam("workflow")
	if workflow == "" {
		return builds[0].Status, nil
	}
	jobs, err := u.store.Jobs(ctx, builds[0].ID)
	var worst store.Status
	for _, j := range jobs {
		if j.Name != workflow && j.Base != workflow {
			continue
		}
		if worst == "" {
			worst = j.Status
		} else {
			worst = worst.Worse(j.Status)
		}
	}
	return worst, err
}

// drawBadge returns the picture. The widths are guesses at a common font, which
// the picture then keeps by textLength.
func drawBadge(label string, status store.Status) string {
	state, color := "unknown", badgeGrey
	if status != "" {
		state, color = strings.ToLower(word(status)), cmp.Or(badgeColors[status], badgeGrey)
	}
	if r := []rune(label); len(r) > 40 {
		label = string(r[:39]) + "…"
	}
	width := func(s string) int { return len([]rune(s))*13/2 + 12 }
	left, right := width(label), width(state)
	text := func(s string, from, width int) string {
		return fmt.Sprintf(`<text x="%d" y="14" textLength="%d">%s</text>`, from+6, width-12, template.HTMLEscapeString(s))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="20" role="img" aria-label="%[2]s: %[3]s">`+
		`<title>%[2]s: %[3]s</title><clipPath id="r"><rect width="%[1]d" height="20" rx="3"/></clipPath>`+
		`<g clip-path="url(#r)"><rect width="%[1]d" height="20" fill="#333b45"/><rect x="%[4]d" width="%[5]d" height="20" fill="%[6]s"/></g>`+
		`<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">%[7]s%[8]s</g></svg>`,
		left+right, template.HTMLEscapeString(label), state, left, right, color, text(label, 0, left), text(state, left, right))
}
