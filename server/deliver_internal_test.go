package server

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

// Whatever keeps a build from being planned, the tries end with a verdict.
func TestTriesEnd(t *testing.T) {
	trigger := NewTrigger(TriggerOptions{Logger: slog.New(slog.DiscardHandler)})
	for _, tt := range []struct {
		err    error
		reason string
	}{
		{&temporaryError{errors.New("GitHub is down")}, "cannot fetch the commit: GitHub is down"},
		{errors.New("a bug"), "internal error: see the server's log"},
	} {
		for attempts := range maxTries {
			p, again := trigger.lastTry(trigger.Logger, attempts, tt.err)
			if again != (attempts < maxTries-1) || p.status != store.Error || p.reason != tt.reason {
				t.Errorf("try %d: %t, %s: %s", attempts+1, again, p.status, p.reason)
			}
		}
	}
}
