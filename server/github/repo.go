package github

import (
	"context"
	"fmt"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// Repo reads a repository. Its Owner and Name may differ from those asked for
// if it was renamed.
func (c *Client) Repo(ctx context.Context, owner, name string) (Repo, error) {
	if err := checkRepo(owner, name); err != nil {
		return Repo{}, err
	}
	var got *gh.Repository
	err := c.call(ctx, "get repository", func(ctx context.Context, g *gh.Client) (resp *gh.Response, err error) {
		got, resp, err = g.Repositories.Get(ctx, owner, name)
		return resp, err
	})
	if err != nil {
		return Repo{}, err
	}
	r := &repository{
		ID:            got.GetID(),
		Name:          got.GetName(),
		Owner:         &account{Login: got.GetOwner().GetLogin()},
		Private:       got.GetPrivate(),
		DefaultBranch: got.GetDefaultBranch(),
		CloneURL:      got.GetCloneURL(),
		HTMLURL:       got.GetHTMLURL(),
	}
	repo, err := r.repo("repository")
	if err != nil {
		return Repo{}, fmt.Errorf("get repository: %w", err)
	}
	return repo, nil
}

// TokenInfo is what GitHub tells of a token.
type TokenInfo struct {
	Login string // whose it is
	// Scopes of a classic token, possibly none; nil for a fine-grained one,
	// whose permissions GitHub does not tell.
	Scopes  []string
	Expires time.Time // zero if it does not expire
}

// CheckToken asks GitHub whose token this is. A wrong or expired one is a
// *RefusedError with Status 401.
func (c *Client) CheckToken(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	err := c.call(ctx, "check token", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		user, resp, err := g.Users.Get(ctx, "")
		if err != nil {
			return resp, err
		}
		info.Login = user.GetLogin()
		info.Scopes = scopes(resp.Header.Values("X-Oauth-Scopes"))
		info.Expires = resp.TokenExpiration.Time
		return resp, nil
	})
	return info, err
}

func scopes(header []string) []string {
	if len(header) == 0 {
		return nil
	}
	out := []string{}
	for s := range strings.SplitSeq(header[0], ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
