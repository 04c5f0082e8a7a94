package main

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// quiet is how long nothing has happened when memory is given back.
const quiet = 5 * time.Second

// giveBackMemory returns what a build took to the machine, which the build's
// containers and others can use, each time that nothing has happened for so long.
// By itself Go takes minutes for that. It returns when ctx ends.
func giveBackMemory(ctx context.Context, events *store.Subscription, quiet time.Duration, giveBack func()) {
	defer events.Close()
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, quiet)
		_, err := events.Next(wait)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		giveBack()
		_, _ = events.Next(ctx) // there is no more to give before
	}
}
