package github

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	gh "github.com/google/go-github/v62/github"
)

func TestClassify(t *testing.T) {
	now := time.Now()
	in := func(d time.Duration) string { return now.Add(d).UTC().Format(http.TimeFormat) }
	unix := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	const never, unknown = -2, -1 // wait: refused; to be retried at no certain time
	tests := []struct {
		name   string
		status int
		msg    string
		header map[string]string
		wait   time.Duration
	}{
		{"unauthorized", 401, "Bad credentials", nil, never},
		{"forbidden", 403, "Resource not accessible by personal access token", map[string]string{"X-Ratelimit-Remaining": "4999"}, never},
		{"not found", 404, "Not Found", nil, never},
		{"gone", 410, "", nil, never},
		{"unprocessable", 422, "Validation Failed", nil, never},
		{"legal", 451, "", nil, never},
		{"moved", 301, "Moved Permanently", nil, never},
		{"request timeout", 408, "", nil, unknown},
		{"server error", 500, "", nil, unknown},
		{"bad gateway", 502, "", nil, unknown},
		{"unavailable for 30 s", 503, "", map[string]string{"Retry-After": "30"}, 30 * time.Second},
		{"too many", 429, "", nil, time.Minute},
		{"too many, 90 s", 429, "", map[string]string{"Retry-After": "90"}, 90 * time.Second},
		{"too many until a date", 429, "", map[string]string{"Retry-After": in(2 * time.Minute)}, 2 * time.Minute},
		{"too many, gibberish", 429, "", map[string]string{"Retry-After": "soon"}, time.Minute},
		{"too many, for years", 429, "", map[string]string{"Retry-After": "99999999999999"}, time.Hour},
		{"too many, negative", 429, "", map[string]string{"Retry-After": "-5"}, unknown},
		{"primary limit", 403, "API rate limit exceeded", map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": unix(10 * time.Minute)}, 10 * time.Minute},
		{"primary limit, 429", 429, "", map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": unix(10 * time.Minute)}, 10 * time.Minute},
		{"primary limit, clocks apart", 403, "", map[string]string{
			"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": unix(26 * time.Hour), "Date": in(26*time.Hour - 5*time.Minute),
		}, 5 * time.Minute},
		{"primary limit, past", 403, "", map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": unix(-time.Minute)}, unknown},
		{"primary limit, no reset", 403, "", map[string]string{"X-Ratelimit-Remaining": "0"}, time.Minute},
		{"secondary limit", 403, "You have exceeded a secondary rate limit.", nil, time.Minute},
		{"secondary limit, 60 s", 403, "", map[string]string{"Retry-After": "60"}, time.Minute},
	}
	c := &Client{token: "sesame"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range tt.header {
				h.Set(k, v)
			}
			resp := &http.Response{StatusCode: tt.status, Header: h}
			err := c.classify(&gh.Response{Response: resp}, &gh.ErrorResponse{Response: resp, Message: tt.msg})
			var refused *RefusedError
			var retry *RetryError
			switch {
			case errors.As(err, &refused):
				if tt.wait != never || refused.Status != tt.status || refused.Message == "" {
					t.Errorf("got %#v", refused)
				}
			case errors.As(err, &retry):
				checkWait(t, retry.After, now, tt.wait)
			default:
				t.Errorf("got %T", err)
			}
		})
	}
}

// checkWait allows for the second that HTTP's times are rounded to and for the
// time the test takes.
func checkWait(t *testing.T, after, now time.Time, want time.Duration) {
	t.Helper()
	if want < 0 {
		if want == -2 || !after.IsZero() {
			t.Errorf("got a RetryError with After %v", after)
		}
		return
	}
	if d := after.Sub(now) - want; d < -3*time.Second || d > 30*time.Second {
		t.Errorf("After is in %v, want %v", after.Sub(now), want)
	}
}

func TestWords(t *testing.T) {
	err := &gh.ErrorResponse{Message: "Validation\nFailed", Errors: []gh.Error{
		{Message: "description is too long"}, {Resource: "Status", Field: "state", Code: "missing"},
	}}
	if got, want := words(422, err), "Validation Failed: description is too long; Status state missing"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := words(502, &gh.ErrorResponse{}); got != "Bad Gateway" {
		t.Errorf("got %q", got)
	}
}
