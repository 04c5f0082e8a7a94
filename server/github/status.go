package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v62/github"
)

// State is a commit status's state.
type State string

const (
	StatePending State = "pending"
	StateSuccess State = "success"
	StateFailure State = "failure"
	StateError   State = "error"
)

// MaxDescription is the most characters that GitHub takes in a description.
const MaxDescription = 140

// Status is a commit status to be posted.
type Status struct {
	State   State
	Context string // "slipway"
	// Description is cut to MaxDescription characters.
	Description string
	TargetURL   string // where "Details" leads; empty for none
}

// CreateStatus posts a status on a commit. A *RetryError may mean that it was
// posted and only the answer lost; posting it again is harmless.
func (c *Client) CreateStatus(ctx context.Context, owner, name, sha string, s Status) error {
	if err := checkRepo(owner, name); err != nil {
		return err
	}
	if !validSHA(sha) {
		return &RefusedError{Message: fmt.Sprintf("%s is not a commit's SHA", quote(sha))}
	}
	body := &gh.RepoStatus{
		State:       gh.String(string(s.State)),
		Context:     gh.String(s.Context),
		Description: gh.String(cut(s.Description, MaxDescription)),
	}
	if s.TargetURL != "" {
		body.TargetURL = gh.String(s.TargetURL)
	}
	return c.call(ctx, "create status", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		_, resp, err := g.Repositories.CreateStatus(ctx, owner, name, sha, body)
		return resp, err
	})
}
