package github

import "fmt"

// Release is a release that was published. The payload does not say which
// commit its tag leads to.
type Release struct {
	Tag        string
	Name       string // may be empty
	Prerelease bool
	URL        string // web page
	Author     User
}

type releasePayload struct {
	envelope
	Action  string `json:"action"`
	Release *struct {
		TagName    string   `json:"tag_name"`
		Name       *string  `json:"name"`
		Prerelease bool     `json:"prerelease"`
		HTMLURL    string   `json:"html_url"`
		Author     *account `json:"author"`
	} `json:"release"`
}

func parseRelease(body []byte) (Event, error) {
	var p releasePayload
	if err := decode(body, &p); err != nil {
		return Event{}, err
	}
	e, err := p.event()
	if err != nil {
		return Event{}, err
	}
	switch p.Action {
	case "published":
	case "":
		return Event{}, missing("action")
	default: // released and prereleased come beside published
		e.Kind, e.Reason = KindIgnored, fmt.Sprintf("release action %s", cut(p.Action, 100))
		return e, nil
	}
	if p.Release == nil {
		return Event{}, missing("release")
	}
	if p.Release.TagName == "" {
		return Event{}, missing("release.tag_name")
	}
	r := &Release{Tag: p.Release.TagName, Prerelease: p.Release.Prerelease, URL: p.Release.HTMLURL, Author: p.Release.Author.user()}
	if p.Release.Name != nil {
		r.Name = *p.Release.Name
	}
	e.Kind, e.Release = KindRelease, r
	return e, nil
}
