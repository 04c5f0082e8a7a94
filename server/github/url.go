package github

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// endpoints returns the roots of the REST API and of the web site that belong
// to base, which is empty for github.com or else what an operator knows as the
// address of a GitHub Enterprise: with or without /api/v3, or an api.… host.
// Both roots end in a slash.
func endpoints(base string) (api, web *url.URL, err error) {
	if base == "" {
		base = "https://github.com"
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, nil, fmt.Errorf("parse GitHub URL: %w", errors.Unwrap(err))
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, nil, errors.New("the GitHub URL must be http(s)://host")
	case u.User != nil:
		return nil, nil, errors.New("the GitHub URL must have no user or password in it: the token is given apart")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, nil, errors.New("the GitHub URL must end with its path")
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v3")
	root := url.URL{Scheme: u.Scheme, Host: u.Host, Path: path + "/"}
	api, web = &url.URL{}, &url.URL{}
	*api, *web = root, root
	host := strings.ToLower(u.Host)
	switch {
	case host == "github.com" || host == "www.github.com":
		api.Host, web.Host = "api.github.com", "github.com"
	case strings.HasPrefix(host, "api."):
		web.Host = strings.TrimPrefix(host, "api.")
	default:
		api.Path += "api/v3/"
	}
	return api, web, nil
}
