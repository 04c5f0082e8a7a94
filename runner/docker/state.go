package docker

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// Start implements runner.Engine. A container runs at most once: one that has
// ended is not started again. What the image makes impossible, such as a shell
// that is not in it, is runner.ErrStart.
func (e *Engine) Start(ctx context.Context, containerID string) error {
	c, err := e.cli.ContainerInspect(ctx, containerID)
	if err != nil {
		return wrap("start", "container", containerID, err)
	}
	if state(c).Started {
		return nil
	}
	if err := e.checkExecutable(ctx, c); err != nil {
		return err
	}
	err = e.cli.ContainerStart(ctx, containerID, container.StartOptions{})
	switch {
	case err == nil:
		return nil
	case errdefs.IsInvalidArgument(err), says(err, "unable to find user", "unable to find group"):
		return startError(c, words(err))
	case says(err, "error setting rlimit"):
		return fmt.Errorf("%w: the Docker engine may not raise a limit above its own: lower SLIPWAY_STEP_FILES or SLIPWAY_STEP_CORE: %s", runner.ErrStart, words(err))
	default:
		return wrap("start", "container", containerID, err)
	}
}

// checkExecutable reports an executable that the image lacks. The engine would
// start the init process, which then fails in the container's output only.
func (e *Engine) checkExecutable(ctx context.Context, c container.InspectResponse) error {
	if !path.IsAbs(c.Path) || c.Config == nil {
		return nil // looked up in the image's PATH by the init process
	}
	for _, m := range c.Mounts {
		if strings.HasPrefix(c.Path, m.Destination+"/") {
			return nil // not the image's; may still come
		}
	}
	key := c.Image + c.Path
	if _, seen := e.runnable.Load(key); seen {
		return nil
	}
	_, err := e.cli.ContainerStatPath(ctx, c.ID, c.Path)
	switch {
	case errdefs.IsNotFound(err):
		return startError(c, "no such file")
	case err != nil:
		return wrap("look into", "container", c.ID, err)
	}
	e.runnable.Store(key, true)
	return nil
}

// startError tells the user why their container cannot start.
func startError(c container.InspectResponse, why string) error {
	problem := "cannot run " + c.Path
	if strings.Contains(why, "no such file") || strings.Contains(why, "executable file not found") {
		problem = "has no " + c.Path
	}
	return fmt.Errorf("%w: image %s %s: %s", runner.ErrStart, c.Config.Image, problem, why)
}

// Inspect implements runner.Engine.
func (e *Engine) Inspect(ctx context.Context, containerID string) (runner.ContainerState, error) {
	c, err := e.cli.ContainerInspect(ctx, containerID)
	if err != nil {
		return runner.ContainerState{}, wrap("inspect", "container", containerID, err)
	}
	return state(c), nil
}

func state(c container.InspectResponse) runner.ContainerState {
	s := runner.ContainerState{ID: c.ID, ExposedPort: exposedPort(c)}
	if c.State == nil {
		return s
	}
	s.Running = c.State.Running
	s.ExitCode = c.State.ExitCode
	s.OOMKilled = c.State.OOMKilled
	s.StartedAt = instant(c.State.StartedAt)
	s.FinishedAt = instant(c.State.FinishedAt)
	s.Started = !s.StartedAt.IsZero()
	return s
}

// exposedPort returns the lowest TCP port that is exposed: the engine keeps no
// order of them.
func exposedPort(c container.InspectResponse) int {
	lowest := 0
	if c.Config == nil {
		return 0
	}
	for p := range c.Config.ExposedPorts {
		if n := p.Int(); p.Proto() == "tcp" && n > 0 && (lowest == 0 || n < lowest) {
			lowest = n
		}
	}
	return lowest
}

// instant reads the engine's time, which is in the year 1 if there is none.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// Wait implements runner.Engine. A container that was not started does not run,
// and so is not waited for.
func (e *Engine) Wait(ctx context.Context, containerID string) (runner.ContainerState, error) {
	if err := e.ended(ctx, containerID); err != nil {
		return runner.ContainerState{}, err
	}
	return e.Inspect(ctx, containerID)
}

// ended returns when the container does not run.
func (e *Engine) ended(ctx context.Context, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// One of the channels always delivers, also when ctx ends: leaving earlier
	// would leave the client's goroutine behind.
	result, failed := e.cli.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case <-result:
		return nil
	case err := <-failed:
		return wrap("wait for", "container", id, err)
	}
}

// Stop implements runner.Engine.
func (e *Engine) Stop(ctx context.Context, containerID string, grace time.Duration) error {
	if grace > 0 {
		ended, err := e.signal(ctx, containerID, "SIGTERM", grace)
		if ended || err != nil {
			return err
		}
	}
	_, err := e.signal(ctx, containerID, "SIGKILL", 0)
	return err
}

// signal sends a signal and waits for the container's end, for so long if limit
// is not 0.
func (e *Engine) signal(ctx context.Context, id, signal string, limit time.Duration) (ended bool, err error) {
	err = e.cli.ContainerKill(ctx, id, signal)
	switch {
	case errdefs.IsNotFound(err), errdefs.IsConflict(err): // gone, or does not run
		return true, nil
	case err != nil:
		return false, wrap("stop", "container", id, err)
	}
	wait := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err = e.ended(wait, id)
	switch {
	case err == nil, errors.Is(err, runner.ErrNotFound):
		return true, nil
	case ctx.Err() == nil && wait.Err() != nil:
		return false, nil
	}
	return false, err
}
