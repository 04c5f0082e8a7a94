package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// RefusedError: GitHub understood the request and will not do it. Asking again
// changes nothing until a person has changed something.
type RefusedError struct {
	// Status is the HTTP status, 401, 403, 404, 422, …; 0 if the request was
	// not sent because it could only be refused.
	Status  int
	Message string // GitHub's words, at most 500 characters
}

func (e *RefusedError) Error() string {
	if e.Status == 0 {
		return "not sent to GitHub: " + e.Message
	}
	return fmt.Sprintf("GitHub refused (%d): %s", e.Status, e.Message)
}

// RetryError: the request may succeed later: the network, a timeout, GitHub's
// own failure or a rate limit.
type RetryError struct {
	// After is when GitHub wants to be asked again, at most an hour away; zero
	// if it did not say.
	After time.Time
	Err   error
}

func (e *RetryError) Error() string {
	if e.After.IsZero() {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (to be retried after %s)", e.Err, e.After.UTC().Format(time.RFC3339))
}

func (e *RetryError) Unwrap() error { return e.Err }

const (
	maxMessage = 500
	// maxDelay bounds RetryError.After: primary limits are reset hourly, so what
	// is further away is somebody's broken clock or proxy.
	maxDelay = time.Hour
	// secondaryDelay is what GitHub's documentation asks for when a secondary
	// limit is hit and the answer names no time.
	secondaryDelay = time.Minute
)

// classify turns an error of go-github into one of this package's. Rate limits
// are recognised here and not by go-github, which knows those with status 403
// only. resp is nil if there was no answer.
func (c *Client) classify(resp *gh.Response, err error) error {
	if resp == nil || resp.Response == nil {
		return &RetryError{Err: c.withoutToken("GitHub cannot be reached: ", err)}
	}
	status := resp.StatusCode
	if status < 300 {
		// Sent and accepted, but the answer could not be read.
		return &RetryError{Err: c.withoutToken("read GitHub's answer: ", err)}
	}
	message := c.redact(words(status, err))
	limited := status == http.StatusTooManyRequests || status == http.StatusForbidden && isLimit(resp.Header, message)
	if limited || status == http.StatusRequestTimeout || status >= 500 {
		return &RetryError{
			After: retryAfter(resp.Header, limited, time.Now()),
			Err:   fmt.Errorf("GitHub answered %d: %s", status, message),
		}
	}
	return &RefusedError{Status: status, Message: message}
}

// isLimit tells a 403 that means "later" from one that means "never".
func isLimit(h http.Header, message string) bool {
	return h.Get("Retry-After") != "" ||
		h.Get("X-Ratelimit-Remaining") == "0" ||
		strings.Contains(strings.ToLower(message), "rate limit")
}

// retryAfter returns the time that the headers name, zero if they name none.
func retryAfter(h http.Header, limited bool, now time.Time) time.Time {
	var wait time.Duration
	switch {
	case h.Get("Retry-After") != "":
		wait = parseRetryAfter(h.Get("Retry-After"), now)
	case h.Get("X-Ratelimit-Remaining") == "0":
		wait = untilReset(h, now)
	case limited:
		wait = secondaryDelay
	}
	if wait <= 0 {
		return time.Time{}
	}
	return now.Add(min(wait, maxDelay))
}

func parseRetryAfter(v string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.Duration(min(seconds, int64(maxDelay/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return at.Sub(now)
	}
	return secondaryDelay
}

// untilReset reckons by the clock of the answer, if it tells the time: this
// machine's may be wrong.
func untilReset(h http.Header, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		return secondaryDelay
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return time.Unix(seconds, 0).Sub(now)
}

// words returns what GitHub said, in one line.
func words(status int, err error) string {
	var message string
	var details []gh.Error
	var plain *gh.ErrorResponse
	var limit *gh.RateLimitError
	var abuse *gh.AbuseRateLimitError
	var otp *gh.TwoFactorAuthError
	switch {
	case errors.As(err, &plain):
		message, details = plain.Message, plain.Errors
	case errors.As(err, &limit):
		message = limit.Message
	case errors.As(err, &abuse):
		message = abuse.Message
	case errors.As(err, &otp):
		message = otp.Message
	}
	if message == "" {
		message = http.StatusText(status)
	}
	for i, d := range details {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		message += separator + detail(d)
	}
	return cut(strings.Join(strings.Fields(message), " "), maxMessage)
}

func detail(d gh.Error) string {
	if d.Message != "" {
		return d.Message
	}
	return strings.Join(strings.Fields(d.Resource+" "+d.Field+" "+d.Code), " ")
}

// redact takes the token out of a text that came from outside.
func (c *Client) redact(s string) string { return strings.ReplaceAll(s, c.token, "[token]") }

// withoutToken prefixes err, and flattens it only if the token is in its text.
func (c *Client) withoutToken(prefix string, err error) error {
	if text := err.Error(); strings.Contains(text, c.token) {
		return errors.New(prefix + c.redact(text))
	}
	return fmt.Errorf("%s%w", prefix, err)
}
