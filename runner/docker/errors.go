package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/errdefs"

	"github.com/slipway-ci/slipway/runner"
)

// wrap adds to an error of the client what was done to what, and makes "not
// found" the runner's.
func wrap(verb, noun, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%s %s %s: %w: %w", verb, noun, id, runner.ErrNotFound, err)
	default:
		return fmt.Errorf("%s %s %s: %w", verb, noun, id, err)
	}
}

// words returns what the engine said, without the client's preface.
func words(err error) string {
	return strings.TrimPrefix(err.Error(), "Error response from daemon: ")
}

// patience bounds how long something that is still in the way is waited for.
const patience = time.Minute

// retry calls op until it succeeds, fails with an error that is not temporary,
// patience is over or ctx ends; then it returns op's last error.
func retry(ctx context.Context, temporary func(error) bool, op func() error) error {
	var last error
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 20*time.Millisecond, time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = op()
		if last != nil && !temporary(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(b), backoff.WithMaxElapsedTime(patience))
	if err != nil && last != nil {
		return last
	}
	return err
}

// says reports whether the engine's words contain one of the phrases. The API
// has no codes finer than HTTP's.
func says(err error, phrases ...string) bool {
	text := strings.ToLower(err.Error())
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
