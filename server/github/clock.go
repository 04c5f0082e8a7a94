package github

import (
	"context"
	"errors"
	"net/http"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// Clock returns GitHub's time, which it tells in whole seconds. The token need
// not be right, since a refusal tells the time as well.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := c.call(ctx, "ask for the time", func(ctx context.Context, g *gh.Client) (*gh.Response, error) {
		_, resp, err := g.RateLimit.Get(ctx) // costs nothing of the limit
		if resp != nil {
			// What cannot be read is as good as none.
			now, _ = http.ParseTime(resp.Header.Get("Date"))
		}
		return resp, err
	})
	if !now.IsZero() {
		return now, nil
	}
	if err == nil {
		err = errors.New("ask for the time: GitHub's answer has no Date")
	}
	return time.Time{}, err
}
