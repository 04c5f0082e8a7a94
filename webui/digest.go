package webui

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// digestView is the view of templates/digest.html: why a step failed, and
// whether that is news.
type digestView struct {
	Title string
	// Link leads to the row of the log that says so; "" if there is none.
	Link    string
	Command string
	Rows    []digestRow
	News    []newsView
	Changes *changesView // nil while they are not known
}

// digestRow is a row of the excerpt; Why is the one that says why.
type digestRow struct {
	logRow
	Why bool
}

// newsView is a sentence with a link to a run of the step: "Fails since" "#12".
type newsView struct {
	Text, Run, Path string
	After           string
}

// changesView is what changed since the last build that passed.
type changesView struct {
	store.Changes
	Since   string // "#12", or "#12 of main"
	Path    string // of that build
	Compare string // address of the comparison on GitHub
	repo    store.Repo
}

// addDigest adds to a build's page the digest of the selected step, if it failed
// and has one.
func (u *UI) addDigest(ctx context.Context, p *buildPage) error {
	p.Digest = nil
	if p.Step == nil || p.Step.Status != store.Failure && p.Step.Status != store.Error {
		return nil
	}
	d, err := u.store.Digest(ctx, p.Step.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is being written
	}
	if err != nil {
		return err
	}
	v := newDigestView(d, p.Step)
	key := store.StepKey{RepoID: p.Repo.ID, Workflow: p.Job.Name, Step: p.Step.Name}
	h, err := u.store.StepHistory(ctx, p.Build, key, p.Repo.DefaultBranch)
	if err != nil {
		return err
	}
	v.News = newsOf(p.Repo, p.Build, h)
	changes, err := u.store.BuildChanges(ctx, p.Build.ID)
	switch {
	case err == nil:
		v.Changes = newChangesView(p.Repo, p.Build, changes)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	p.Digest = v
	return nil
}

func newDigestView(d store.Digest, st *stepView) *digestView {
	v := &digestView{Title: d.Title, Command: firstCommandLine(d.Command)}
	m := rowMaker{path: st.Path, raw: "/api" + st.Path + "/log"}
	for _, l := range d.Excerpt {
		row := m.row(&logs.Line{N: l.N, Kind: logs.Output, Text: []byte(l.Text), End: true})
		v.Rows = append(v.Rows, digestRow{row, l.N == d.Line})
		if l.N == d.Line {
			v.Link = row.Link
		}
	}
	if len(d.Excerpt) == 1 && d.Excerpt[0].Text == d.Title {
		v.Rows = nil
	}
	return v
}

// firstCommandLine shows a command in one line, and that it goes on.
func firstCommandLine(command string) string {
	first, _, more := strings.Cut(continued.ReplaceAllString(command, " "), "\n")
	if more {
		return first + " …"
	}
	return first
}

// continued is where a line of a command goes on in the next one.
var continued = regexp.MustCompile(`\s*\\\n\s*`)

// newsOf says what the history of a failed step tells.
func newsOf(r store.Repo, b store.Build, h store.StepHistory) (news []newsView) {
	add := func(text string, run *store.StepRun, after string) {
		news = append(news, newsView{text, fmt.Sprintf("#%d", run.BuildNumber), stepPath(r, run.BuildNumber, run.JobNumber, run.StepNumber), after})
	}
	if h.Flaky != nil {
		add("Flaky: it passed on this very commit in", h.Flaky, "")
	}
	switch {
	case h.Since == nil:
	case h.Since.BuildNumber != b.Number && h.Longer:
		add("Fails since", h.Since, "or earlier")
	case h.Since.BuildNumber != b.Number:
		add("Fails since", h.Since, "")
	case len(h.Runs) > 1:
		add("A new failure: it passed in", &h.Runs[1], "")
	}
	if h.OnDefault != nil {
		add("Also fails on "+r.DefaultBranch+" in", h.OnDefault, "")
	}
	return news
}

func newChangesView(r store.Repo, b store.Build, c store.Changes) *changesView {
	v := &changesView{Changes: c, repo: r, Since: fmt.Sprintf("#%d", c.Number), Path: buildPath(r, c.Number)}
	if c.Branch != "" {
		v.Since += " of " + c.Branch
	}
	v.Compare = r.HTMLURL + "/compare/" + c.SHA + "..." + b.SHA
	return v
}

// Same reports whether nothing changed at all.
func (c *changesView) Same() bool { return len(c.Commits) == 0 && len(c.Files) == 0 }

// Summary counts: "3 commits by Ada and Grace, 2 files".
func (c *changesView) Summary() string {
	parts := []string{count(len(c.Commits)+c.MoreCommits, "commit")}
	if by := c.authors(); by != "" {
		parts[0] += " by " + by
	}
	return strings.Join(append(parts, count(len(c.Files)+c.MoreFiles, "file")), ", ")
}

const maxAuthors = 3 // that are named

// authors names who wrote the commits, each once, the last commit's first.
func (c *changesView) authors() string {
	var names []string
	seen := map[string]bool{}
	for _, commit := range c.Commits {
		if !seen[commit.Author] {
			seen[commit.Author] = true
			names = append(names, commit.Author)
		}
	}
	if n := len(names); n > maxAuthors {
		names = append(names[:maxAuthors], fmt.Sprintf("%d others", n-maxAuthors))
	}
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// CommitURL is the address of a commit on GitHub.
func (c *changesView) CommitURL(sha string) string { return c.repo.HTMLURL + "/commit/" + sha }
