package webui

import (
	"net/http"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// foundPerKind is how much of each kind a search shows.
const foundPerKind = 10

// searchPage is the view of templates/search.html.
type searchPage struct {
	frame
	store.Found
	Failures []store.FoundFailure
	Docs     []docHit
	Now      time.Time
}

// Nothing reports whether nothing was found.
func (p *searchPage) Nothing() bool {
	return len(p.Repos)+len(p.Numbers)+len(p.Commits)+len(p.Branches)+len(p.Authors)+len(p.Failures)+len(p.Docs) == 0
}

// FailurePath is the address of a step that failed.
func (*searchPage) FailurePath(f store.FoundFailure) string {
	return stepPath(store.Repo{Owner: f.Owner, Name: f.Name}, f.BuildNumber, f.JobNumber, f.StepNumber)
}

// Kinds are the lists of builds with their headings.
func (p *searchPage) Kinds() []searchKind {
	return []searchKind{{"Builds", p.Numbers}, {"Commits", p.Commits}, {"Branches", p.Branches}, {"Authors", p.Authors}}
}

type searchKind struct {
	Heading string
	Builds  []store.RepoBuild
}

func (u *UI) search(c *request) error {
	ctx := c.Request().Context()
	p := &searchPage{frame: u.frame(c), Now: u.store.Now()}
	p.Query = strings.TrimSpace(c.QueryParam("q"))
	p.Title, p.Section, p.Styles = "Search · slipway", "", []string{"pages.css"}
	if p.Query != "" {
		p.Title = p.Query + " · " + p.Title
	}
	var err error
	if p.Found, err = u.store.Search(ctx, p.Query, c.session.admin, foundPerKind); err != nil {
		return err
	}
	q := store.FailureQuery{Text: p.Query, Private: c.session.admin, Limit: foundPerKind}
	if p.Failures, err = u.store.SearchFailures(ctx, q); err != nil {
		return err
	}
	p.Docs = u.manual.search(p.Query, foundPerKind)
	return u.render(c, http.StatusOK, "search", p)
}
