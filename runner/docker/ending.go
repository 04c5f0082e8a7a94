package docker

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/events"

	"github.com/slipway-ci/slipway/runner"
)

// maxEvents is how many events an engine remembers (eventsLimit in moby's
// daemon/events).
const maxEvents = 256

// Ending implements runner.Engine. An engine forgets its events when it ends, so
// that what it remembers of a container tells whether it is the one that started
// it. Measured on 20.10:
//
//   - killed and started again, it stops the containers that it finds running:
//     a kill and a die without a start, and whatever exit code SIGTERM brings;
//   - with live-restore they run on, and end with a die alone;
//   - ended in order it stops them before, with 143 or 137, and knows nothing of
//     that when it is back, as of those that ended while it was away;
//   - after a crash of the machine they have the exit code 255;
//   - of 480 that ran out of memory at once on a busy machine, the state of 17 did
//     not say so. Of 13 of these the event came after the one of their end, of 4 never.
func (e *Engine) Ending(ctx context.Context, containerID string) (end runner.Ending, err error) {
	c, err := e.Inspect(ctx, containerID)
	if err != nil || !c.Started || c.Running || c.OOMKilled {
		return runner.Ending{OOMKilled: c.OOMKilled}, err
	}
	// The engine tells of an end a little after it shows it. Where that would make
	// the difference it gets more time.
	for _, slack := range []int64{1, 3} {
		h, err := e.history(ctx, c, slack)
		if err != nil {
			return end, wrap("read events of", "container", containerID, err)
		}
		end = runner.Ending{Interrupted: h.interrupted(c.ExitCode), OOMKilled: h.oom}
		if end.Interrupted == "" || h.died {
			break
		}
	}
	return end, nil
}

// history is what an engine remembers of a container.
type history struct {
	started, killed, died, oom bool
	full                       bool // it may have forgotten some
}

// history returns what it remembers up to so many seconds after the end, for which
// it waits unless there is nothing left to learn.
func (e *Engine) history(ctx context.Context, c runner.ContainerState, slack int64) (h history, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// By the engine's own clock, in full seconds.
	until := strconv.FormatInt(c.FinishedAt.Unix()+slack, 10)
	messages, failed := e.cli.Events(ctx, events.ListOptions{Since: "0", Until: until})
	for n := 0; ; {
		select {
		case m := <-messages:
			n++
			h.full = n >= maxEvents
			if m.Type == events.ContainerEventType && m.Actor.ID == c.ID {
				h.note(m.Action)
			}
			if h.oom && h.died {
				return h, nil
			}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return h, err
		}
	}
}

func (h *history) note(a events.Action) {
	switch a {
	case events.ActionStart:
		h.started = true
	case events.ActionKill, events.ActionStop:
		h.killed = true
	case events.ActionDie:
		h.died = true
	case events.ActionOOM:
		h.oom = true
	}
}

func (h history) interrupted(exitCode int) string {
	const killed, terminated, lost = 137, 143, 255
	const restarted = "the Docker engine restarted"
	switch {
	case h.killed && (h.started || h.full):
		return "its container was stopped from outside, or the Docker engine was"
	case h.started, h.full, h.died && !h.killed:
		return ""
	case h.killed, exitCode == killed, exitCode == terminated, exitCode == lost:
		return restarted
	default:
		return ""
	}
}
