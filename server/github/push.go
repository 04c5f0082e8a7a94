package github

import (
	"fmt"
	"strings"
	"time"
)

// Push is a branch or a tag that was created or moved.
type Push struct {
	// Ref is the full ref: "refs/heads/main" or "refs/tags/v1".
	Ref string
	// Before is what the ref pointed at, empty if it was new; After is what it
	// points at now, which for an annotated tag is the tag object. What is to
	// be built is Head.SHA.
	Before, After   string
	Created, Forced bool
	// Head is the commit the ref leads to.
	Head Commit
}

// Commit is a commit as a push describes it.
type Commit struct {
	SHA     string
	Message string
	// Author is who wrote it; the login is empty if GitHub knows no account
	// with that address.
	AuthorName, AuthorEmail, AuthorLogin string
	Timestamp                            time.Time // zero if not told
	URL                                  string
}

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// Branch returns the branch's name, empty for a tag.
func (p *Push) Branch() string { return after(p.Ref, branchPrefix) }

// Tag returns the tag's name, empty for a branch.
func (p *Push) Tag() string { return after(p.Ref, tagPrefix) }

func after(s, prefix string) string {
	if rest, ok := strings.CutPrefix(s, prefix); ok {
		return rest
	}
	return ""
}

type pushPayload struct {
	envelope
	Ref        string      `json:"ref"`
	Before     string      `json:"before"`
	After      string      `json:"after"`
	Created    bool        `json:"created"`
	Deleted    bool        `json:"deleted"`
	Forced     bool        `json:"forced"`
	HeadCommit *commitJSON `json:"head_commit"`
}

type commitJSON struct {
	ID        string `json:"id"`
	Message   string `json:"message"`
	Timestamp string `json:"timestamp"`
	URL       string `json:"url"`
	Author    struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Username string `json:"username"`
	} `json:"author"`
}

func parsePush(body []byte) (Event, error) {
	var p pushPayload
	if err := decode(body, &p); err != nil {
		return Event{}, err
	}
	e, err := p.event()
	if err != nil {
		return Event{}, err
	}
	if p.Ref == "" {
		return Event{}, missing("ref")
	}
	push := &Push{Ref: p.Ref, After: p.After, Created: p.Created, Forced: p.Forced}
	if e.Reason = p.ignored(push); e.Reason != "" {
		e.Kind = KindIgnored
		return e, nil
	}
	if err := p.fill(push); err != nil {
		return Event{}, err
	}
	e.Kind, e.Push = KindPush, push
	return e, nil
}

// ignored returns why the push makes no build, or nothing.
func (p *pushPayload) ignored(push *Push) string {
	what := "branch"
	switch {
	case push.Tag() != "":
		what = "tag"
	case push.Branch() == "":
		return fmt.Sprintf("ref %s is neither a branch nor a tag", cut(p.Ref, 100))
	}
	if p.Deleted || zeroRE.MatchString(p.After) {
		return what + " deleted"
	}
	if what == "tag" && p.HeadCommit == nil {
		return "the tag leads to no commit"
	}
	return ""
}

func (p *pushPayload) fill(push *Push) error {
	if err := checkSHA("after", p.After); err != nil {
		return err
	}
	if !zeroRE.MatchString(p.Before) {
		if err := checkSHA("before", p.Before); err != nil {
			return err
		}
		push.Before = p.Before
	}
	if p.HeadCommit == nil {
		// Only a branch gets here, and what a branch points at is a commit.
		push.Head = Commit{SHA: p.After}
		return nil
	}
	if err := checkSHA("head_commit.id", p.HeadCommit.ID); err != nil {
		return err
	}
	push.Head = p.HeadCommit.commit()
	return nil
}

func (c *commitJSON) commit() Commit {
	// A time that cannot be read is not worth a lost build: it stays zero.
	at, _ := time.Parse(time.RFC3339, c.Timestamp)
	return Commit{
		SHA:         c.ID,
		Message:     c.Message,
		AuthorName:  c.Author.Name,
		AuthorEmail: c.Author.Email,
		AuthorLogin: c.Author.Username,
		Timestamp:   at,
		URL:         c.URL,
	}
}
