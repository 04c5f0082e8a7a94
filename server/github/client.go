package github

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// DefaultTimeout is how long one request may take, its answer included.
const DefaultTimeout = 15 * time.Second

// Options configure a Client.
type Options struct {
	// BaseURL is a GitHub Enterprise's address, with or without /api/v3; empty
	// means github.com.
	BaseURL string
	// Token is a personal access token; required.
	Token string
	// Transport carries the requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout of one request; 0 means DefaultTimeout.
	Timeout   time.Duration
	UserAgent string       // empty means "slipway"
	Logger    *slog.Logger // nil means none
}

// A Client calls GitHub's REST API with a token. Its methods may be called
// concurrently. They neither retry nor wait for a rate limit to pass, and
// remember nothing from one call to the next: the caller decides.
//
// The error of a method that calls GitHub is a *RefusedError, a *RetryError or,
// when the caller's context ended, that context's error, all wrapped.
type Client struct {
	api, web  *url.URL
	token     string
	userAgent string
	timeout   time.Duration
	http      *http.Client
}

// New makes a Client. It sends nothing; CheckToken tells whether it works.
func New(o Options) (*Client, error) {
	if o.Token == "" {
		return nil, errors.New("no GitHub token is given: set SLIPWAY_GITHUB_TOKEN")
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the GitHub token has blanks or other characters in it that no token has")
	}
	api, web, err := endpoints(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{api: api, web: web, token: o.Token, userAgent: o.UserAgent, timeout: o.Timeout}
	if c.userAgent == "" {
		c.userAgent = "slipway"
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	t := &transport{next: o.Transport, api: api, token: o.Token, log: o.Logger}
	if t.next == nil {
		t.next = http.DefaultTransport
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	c.http = &http.Client{Transport: t, CheckRedirect: checkRedirect}
	return c, nil
}

// WebURL returns the root of the web site, "https://github.com", without a
// slash at its end.
func (c *Client) WebURL() string { return strings.TrimSuffix(c.web.String(), "/") }

// Credentials returns what git authenticates with to fetch a repository over
// HTTP. They may expire within the hour: ask again for every fetch.
func (c *Client) Credentials(_ context.Context, owner, name string) (username, password string, err error) {
	if err := checkRepo(owner, name); err != nil {
		return "", "", err
	}
	return "x-access-token", c.token, nil
}

// call makes one request through do and classifies its error. do gets a
// go-github client of its own, since that remembers rate limits and from then
// on makes up answers instead of asking.
func (c *Client) call(ctx context.Context, what string, do func(context.Context, *gh.Client) (*gh.Response, error)) error {
	reqCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	g := gh.NewClient(c.http)
	g.BaseURL, g.UserAgent = c.api, c.userAgent
	resp, err := do(reqCtx, g)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && (resp == nil || resp.StatusCode < 300) {
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w", what, c.classify(resp, err))
}

// checkRedirect follows a redirect (of a renamed repository) only with the
// method kept: a POST that becomes a GET would pass for a success.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > 5 || req.Method != via[0].Method {
		return http.ErrUseLastResponse
	}
	return nil
}

// checkRepo keeps what is no name out of a request's path.
func checkRepo(owner, name string) error {
	if !validName(owner) || !validName(name) {
		return &RefusedError{Message: fmt.Sprintf("%s is not a repository's name", quote(owner+"/"+name))}
	}
	return nil
}
