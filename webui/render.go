package webui

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// frame is what every page has around its content.
type frame struct {
	Title string
	// Status colours the favicon; "" for none.
	Status  store.Status
	Admin   bool
	Form    string // token for forms
	Flash   string
	Path    string // of this page, to come back to after the login
	Version string
	// Live is the address of the stream that keeps the page current; "" if
	// nothing of it changes.
	Live string
	// Crumbs lead from the list of repositories to what this page is a part of;
	// the page itself has a heading.
	Crumbs []crumb
	// Section is the address of the section of the bar that the page is in.
	Section string
	// Feed is the address of an Atom feed of what the page shows, "" for none.
	Feed string
	// Query is what was searched for, for the field in the bar.
	Query string
	// Theme is what the reader chose, "" for what the system has.
	Theme string
	// Styles and Scripts are the assets that this page needs besides style.css
	// and app.js.
	Styles, Scripts []string
}

type crumb struct{ Text, URL string }

// Sections are what the bar leads to.
func (f frame) Sections() []crumb {
	all := []crumb{{"Repositories", "/"}, {"Queue", "/queue"}}
	if f.Admin {
		all = append(all, crumb{"Deliveries", "/deliveries"})
	}
	return append(all, crumb{"Docs", "/docs"})
}

// Themes are the choices of the switch in the footer.
func (frame) Themes() []theme { return themes }

// frame returns the frame of a page for who asked.
func (u *UI) frame(c *request) frame {
	path := c.Request().URL.Path
	if c.Request().Method != http.MethodGet {
		path = "/"
	} else if q := c.Request().URL.RawQuery; q != "" && path != "/login" {
		path += "?" + q
	}
	return frame{Admin: c.session.admin, Form: c.session.form, Version: u.version, Path: path,
		Theme: themeOf(c), Section: "/"}
}

func parseTemplates(a *assets) (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{
		"asset":     a.url,
		"icon":      icon,
		"word":      word,
		"status":    func(s string) store.Status { return store.Status(s) },
		"ticks":     ticks,
		"sentence":  sentence,
		"favicon":   func(s store.Status) (string, error) { return a.url(faviconName(s)) },
		"duration":  formatDuration,
		"ago":       ago,
		"stamp":     stamp,
		"clock":     clock,
		"short":     short,
		"lines":     lineCount,
		"at":        func(at, now time.Time) moment { return moment{at, now} },
		"took":      newSpan,
		"eventWord": eventWord,
		"firstLine": firstLine,
		"repoPath":  repoPath,
		"buildPath": buildPath,
		"stepPath":  stepPath,
		"queued": func(form string, j store.QueuedJob) queuedItem {
			return queuedItem{form, store.Repo{Owner: j.Owner, Name: j.Name}, j}
		},
		"inList": func(r store.RepoSummary, now time.Time) repoItem { return repoItem{r, now} },
		"inRepo": func(r store.Repo, b store.Build, now time.Time) buildItem { return buildItem{r, b, now} },
		"phases": legend,
		"row":    func(r logRow) template.HTML { return rowsMarkup(r) },
		"rows":   func(rows []logRow) template.HTML { return rowsMarkup(rows...) },
	}).Option("missingkey=error").ParseFS(templateFiles, "templates/*.html")
}

// A moment is what the template "when" is given.
type moment struct{ At, Now time.Time }

// repoItem, buildItem and queuedItem are what the rows of lists are given.
type (
	repoItem struct {
		Repo store.RepoSummary
		Now  time.Time
	}
	queuedItem struct {
		Form string // token for forms
		Repo store.Repo
		Job  store.QueuedJob
	}
	buildItem struct {
		Repo  store.Repo
		Build store.Build
		Now   time.Time
	}
)

// A span is what the template "took" is given: how long something took, or takes.
type span struct {
	D       time.Duration
	Running bool
	Since   string // when it began
}

func newSpan(from, to, now time.Time) span {
	if to.IsZero() {
		return span{D: now.Sub(from), Running: true, Since: from.UTC().Format(time.RFC3339Nano)}
	}
	return span{D: to.Sub(from)}
}

// render answers with a page. It is rendered whole before a byte is sent, so
// that a failing template ends in an error page and not in half a page.
func (u *UI) render(c *request, code int, name string, view any) error {
	var b bytes.Buffer
	if err := u.templates.ExecuteTemplate(&b, name, view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return sendPage(c, code, b.Bytes())
}

// fragment renders a part of a page.
func (u *UI) fragment(name string, view any) (string, error) {
	var b bytes.Buffer
	if err := u.templates.ExecuteTemplate(&b, name, view); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return b.String(), nil
}
