package github

import "fmt"

// PullRequest is a pull request whose head is new (opened, synchronize,
// reopened) or that was closed.
type PullRequest struct {
	Number int
	Title  string
	Action string
	// HeadSHA is the commit to build. In the base repository it can be fetched
	// as refs/pull/<Number>/head, also when it is a fork's.
	HeadSHA string
	HeadRef string // the branch in the head repository, "feature"
	// HeadRepo and HeadCloneURL are the head repository's "owner/name" and
	// URL; empty if it was deleted.
	HeadRepo, HeadCloneURL string
	// Fork: the head repository is not the base repository, or is gone.
	Fork    bool
	BaseRef string // the target branch, "main"
	BaseSHA string
	Draft   bool
	// Merged: it was closed by merging it.
	Merged    bool
	Labels    []string
	Milestone string
	URL       string // web page
	Author    User
}

// closed is the action of a pull request that is open no more.
const closed = "closed"

// Closed reports whether the pull request is open no more.
func (p *PullRequest) Closed() bool { return p.Action == closed }

type pullRequestPayload struct {
	envelope
	Action      string `json:"action"`
	PullRequest *pull  `json:"pull_request"`
}

type pull struct {
	Number  int      `json:"number"`
	Title   string   `json:"title"`
	HTMLURL string   `json:"html_url"`
	Draft   bool     `json:"draft"`
	User    *account `json:"user"`
	Labels  []struct {
		Name string `json:"name"`
	} `json:"labels"`
	Merged    bool       `json:"merged"`
	Milestone *milestone `json:"milestone"`
	Head      pullSide   `json:"head"`
	Base      pullSide   `json:"base"`
}

type milestone struct {
	Title string `json:"title"`
}

type pullSide struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"`
}

func parsePullRequest(body []byte) (Event, error) {
	var p pullRequestPayload
	if err := decode(body, &p); err != nil {
		return Event{}, err
	}
	e, err := p.event()
	if err != nil {
		return Event{}, err
	}
	switch p.Action {
	case "opened", "synchronize", "reopened", closed:
	case "":
		return Event{}, missing("action")
	default:
		e.Kind, e.Reason = KindIgnored, fmt.Sprintf("pull request action %s", cut(p.Action, 100))
		return e, nil
	}
	if p.PullRequest == nil {
		return Event{}, missing("pull_request")
	}
	if err := p.PullRequest.check(); err != nil {
		return Event{}, err
	}
	e.Kind, e.PullRequest = KindPullRequest, p.PullRequest.convert(p.Action, e.Repo.ID)
	return e, nil
}

func (p *pull) check() error {
	if p.Number <= 0 {
		return missing("pull_request.number")
	}
	if err := checkSHA("pull_request.head.sha", p.Head.SHA); err != nil {
		return err
	}
	if p.Head.Ref == "" {
		return missing("pull_request.head.ref")
	}
	if p.Base.Ref == "" {
		return missing("pull_request.base.ref")
	}
	return checkSHA("pull_request.base.sha", p.Base.SHA)
}

func (p *pull) convert(action string, baseID int64) *PullRequest {
	out := &PullRequest{
		Number:  p.Number,
		Title:   p.Title,
		Action:  action,
		HeadSHA: p.Head.SHA,
		HeadRef: p.Head.Ref,
		// Compared by ID: a name can be given to another repository.
		Fork:    p.Head.Repo == nil || p.Head.Repo.ID != baseID,
		BaseRef: p.Base.Ref,
		BaseSHA: p.Base.SHA,
		Draft:   p.Draft,
		Merged:  action == closed && p.Merged,
		URL:     p.HTMLURL,
		Author:  p.User.user(),
	}
	if r := p.Head.Repo; r != nil {
		out.HeadRepo, out.HeadCloneURL = r.FullName, r.CloneURL
	}
	if p.Milestone != nil {
		out.Milestone = p.Milestone.Title
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.Name)
	}
	return out
}
