package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v62/github"
)

// Access is what the token may do in a repository.
type Access struct {
	See      bool // it exists for the token; if not, the others are false
	Contents bool // read files, which fetching takes
	Statuses bool // write commit statuses
}

// nowhere is the SHA of no commit. GitHub looks at the permissions first, so
// what it answers about this commit tells whether they are there, for
// fine-grained tokens as well, whose permissions it does not list.
var nowhere = strings.Repeat("5117", 10)

// CheckAccess asks GitHub what the token may do in a repository. Nothing is
// changed there: what is asked for is refused in any case, and the question is
// with what words. Its error is only of questions that were not answered.
func (c *Client) CheckAccess(ctx context.Context, owner, name string) (Access, error) {
	var a Access
	if err := checkRepo(owner, name); err != nil {
		return a, err
	}
	var err error
	a.See, err = c.allowed(ctx, "get repository", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		_, resp, err := g.Repositories.Get(ctx, owner, name)
		return resp, err
	})
	if err != nil || !a.See {
		return a, err
	}
	a.Contents, err = c.allowed(ctx, "read a commit", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		_, resp, err := g.Repositories.GetCommit(ctx, owner, name, nowhere, nil)
		return resp, err
	})
	if err != nil {
		return a, err
	}
	a.Statuses, err = c.allowed(ctx, "create status", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		_, resp, err := g.Repositories.CreateStatus(ctx, owner, name, nowhere,
			&gh.RepoStatus{State: gh.String(string(StateSuccess)), Context: gh.String("slipway/doctor")})
		return resp, err
	})
	return a, err
}

// allowed reports whether a request was refused for another reason than a
// missing permission, if it was refused.
func (c *Client) allowed(ctx context.Context, what string, do func(context.Context, *gh.Client) (*gh.Response, error)) (bool, error) {
	err := c.call(ctx, what, do)
	var refused *RefusedError
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &refused):
		return false, err
	}
	switch refused.Status {
	case http.StatusForbidden, http.StatusNotFound: // 404 hides what is private
		return false, nil
	case http.StatusUnprocessableEntity, http.StatusConflict: // no such commit; no commit at all
		return true, nil
	default:
		return false, fmt.Errorf("check access: %w", err)
	}
}
