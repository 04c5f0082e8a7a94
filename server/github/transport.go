package github

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer is the most bytes that are read of one answer.
const maxAnswer = 4 << 20

var errAnswerTooLong = errors.New("GitHub's answer is longer than 4 MiB")

// transport authenticates requests, bounds their answers and logs them.
type transport struct {
	next  http.RoundTripper
	api   *url.URL
	token string
	log   *slog.Logger
}

// RoundTrip adds the token only to requests that go to the API's own host:
// a redirect (a renamed repository's, say) must not carry it elsewhere.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == t.api.Scheme && req.URL.Host == t.api.Host {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+t.token)
	}
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	log := t.log.With("method", req.Method, "path", req.URL.Path, "took", time.Since(start))
	if err != nil {
		log.Debug("github request failed", "error", err)
		return nil, err
	}
	log.Debug("github request", "status", resp.StatusCode, "remaining", resp.Header.Get("X-Ratelimit-Remaining"))
	resp.Body = &boundedBody{body: resp.Body, left: maxAnswer}
	return resp, nil
}

// boundedBody fails once more than left bytes are read.
type boundedBody struct {
	body io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	// One byte more than allowed is asked for, to tell the end from the bound.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		return int(b.left), errAnswerTooLong
	}
	b.left -= int64(n)
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }
