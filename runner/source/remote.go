package source

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Remote is where a repository is fetched from, and as whom. The credential
// is used for the one call it is given to and is not kept.
type Remote struct {
	// URL is http(s), without a credential in it.
	URL string
	// Username and Password are sent as basic authentication, unless Password
	// is empty.
	Username, Password string
	// AllowHTTP allows a URL that is not encrypted, credential included.
	AllowHTTP bool
}

// infoRefs is where a conversation with a smart HTTP remote begins.
const infoRefs = "/info/refs?service=git-upload-pack"

const (
	maxRedirects  = 3
	redirectLimit = 30 * time.Second
)

// authorization returns the header's value, "" without a credential.
func (r Remote) authorization() string {
	if r.Password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(r.Username+":"+r.Password))
}

// secrets returns every form in which the credential could show.
func (r Remote) secrets() []string {
	if r.Password == "" {
		return nil
	}
	return []string{
		strings.TrimPrefix(r.authorization(), "Basic "),
		r.Password,
		url.QueryEscape(r.Password),
		url.PathEscape(r.Password),
	}
}

// settings returns what git needs to reach the remote and nothing else. The
// credential is bound to the remote's scheme and host.
func (r Remote) settings(u *url.URL) []setting {
	var s []setting
	if r.AllowHTTP {
		s = append(s, setting{"protocol.http.allow", "always"})
	}
	if auth := r.authorization(); auth != "" {
		s = append(s, setting{"http." + u.Scheme + "://" + u.Host + "/.extraHeader", "Authorization: " + auth})
	}
	return s
}

// resolve returns the remote at the URL to which its own redirects: hosts do
// so for a repository that was renamed. Only a redirect to the same scheme and
// host is followed, since the credential goes with it.
func (r Remote) resolve(ctx context.Context) (Remote, error) {
	ctx, cancel := context.WithTimeout(ctx, redirectLimit)
	defer cancel()
	start, err := checkURL(r.URL, r.AllowHTTP)
	if err != nil {
		return Remote{}, err
	}
	for range maxRedirects {
		to, err := r.redirect(ctx)
		if err != nil {
			return Remote{}, fmt.Errorf("follow redirect: %w", err)
		}
		if to == "" {
			return r, nil
		}
		u, err := checkURL(to, r.AllowHTTP)
		if err != nil {
			return Remote{}, fmt.Errorf("follow redirect: %w", err)
		}
		if u.Scheme != start.Scheme || u.Host != start.Host {
			return Remote{}, fmt.Errorf("follow redirect: %s leads to another host, %s", start.Host, u.Host)
		}
		r.URL = to
	}
	return Remote{}, errors.New("follow redirect: too many")
}

// redirect returns the repository URL to which r's redirects, "" if it doesn't.
func (r Remote) redirect(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+infoRefs, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", "git/2 (slipway)") // hosts send browsers elsewhere
	if auth := r.authorization(); auth != "" {
		req.Header.Set("Authorization", auth)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 300 || resp.StatusCode > 399 {
		return "", nil
	}
	location, err := resp.Location()
	if err != nil {
		return "", err
	}
	base, ok := strings.CutSuffix(location.String(), infoRefs)
	if !ok {
		return "", errors.New("it does not lead to a repository")
	}
	return base, nil
}
