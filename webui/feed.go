package webui

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// feedEntries is how many builds a feed has.
const feedEntries = 30

// atomFeed is a feed as RFC 4287 has it.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  atomPerson  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomPerson struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string     `xml:"id"`
	Title   string     `xml:"title"`
	Updated string     `xml:"updated"`
	Author  atomPerson `xml:"author"`
	Link    atomLink   `xml:"link"`
	Summary string     `xml:"summary"`
}

// feed has the builds of a repository that have ended.
func (u *UI) feed(c *request) error {
	builds, err := u.store.Verdicts(c.Request().Context(), c.repo.ID, "", feedEntries)
	if err != nil {
		return err
	}
	base := u.base(c)
	f := atomFeed{
		ID: base + repoPath(c.repo), Title: c.repo.FullName() + ": builds", Author: atomPerson{"slipway"},
		Updated: stamp(c.repo.CreatedAt),
		Links:   []atomLink{{"", base + repoPath(c.repo)}, {"self", base + repoPath(c.repo) + "/feed.atom"}},
	}
	for i, b := range builds {
		if i == 0 {
			f.Updated = stamp(b.FinishedAt)
		}
		address := base + buildPath(c.repo, b.Number)
		name := b.Author
		if name == "" {
			name = "unknown"
		}
		f.Entries = append(f.Entries, atomEntry{
			ID: address, Link: atomLink{"", address}, Updated: stamp(b.FinishedAt), Author: atomPerson{printable(name)},
			Title:   printable(fmt.Sprintf("%s: #%d %s", word(b.Status), b.Number, firstLine(b.Message))),
			Summary: printable(b.Reason),
		})
	}
	return sendXML(c, "application/atom+xml; charset=utf-8", f)
}

// ccProjects is the format of cctray, which monitors and menu-bar programs read.
type ccProjects struct {
	XMLName  xml.Name    `xml:"Projects"`
	Projects []ccProject `xml:"Project"`
}

type ccProject struct {
	Name     string `xml:"name,attr"`
	Activity string `xml:"activity,attr"`
	Status   string `xml:"lastBuildStatus,attr"`
	Label    string `xml:"lastBuildLabel,attr"`
	Time     string `xml:"lastBuildTime,attr"`
	URL      string `xml:"webUrl,attr"`
}

// ccXML has the newest build of each repository that the reader may see.
func (u *UI) ccXML(c *request) error {
	repos, err := u.store.Repos(c.Request().Context(), c.session.admin)
	if err != nil {
		return err
	}
	var out ccProjects
	for _, r := range repos {
		if r.Latest == nil {
			continue
		}
		b := *r.Latest
		p := ccProject{Name: r.FullName(), Activity: "Sleeping", Status: ccStatus(b.Status), Label: fmt.Sprint(b.Number),
			Time: b.CreatedAt.UTC().Format(time.RFC3339), URL: u.base(c) + repoPath(r.Repo)}
		if !b.Status.Final() {
			p.Activity = "Building"
		}
		out.Projects = append(out.Projects, p)
	}
	return sendXML(c, "application/xml; charset=utf-8", out)
}

func ccStatus(s store.Status) string {
	switch s {
	case store.Success:
		return "Success"
	case store.Failure:
		return "Failure"
	case store.Error:
		return "Exception"
	default:
		return "Unknown"
	}
}

func sendXML(c *request, contentType string, v any) error {
	b, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	return c.Blob(http.StatusOK, contentType, append([]byte(xml.Header), b...))
}

// printable leaves out what XML cannot have, such as a control character in a
// commit message.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
