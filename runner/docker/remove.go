package docker

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// RemoveContainer implements runner.Engine. It also removes the volumes that the
// image declares. When it returns nil the container is gone, also if another
// call began to remove it.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	return e.remove(ctx, "container", id, func() error {
		err := e.cli.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && says(err, "already in progress") {
			// The one who removes it may have finished since.
			if _, ierr := e.Inspect(ctx, id); errors.Is(ierr, runner.ErrNotFound) {
				return nil
			}
		}
		return err
	})
}

// RemoveNetwork implements runner.Engine. It waits for the containers on the
// network that are being removed.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	err := e.remove(ctx, "network", id, func() error { return e.cli.NetworkRemove(ctx, id) })
	if err == nil {
		e.pool.networkRemoved(id)
	}
	return err
}

// RemoveVolume implements runner.Engine. It waits for the containers with the
// volume that are being removed.
func (e *Engine) RemoveVolume(ctx context.Context, id string) error {
	return e.remove(ctx, "volume", id, func() error { return e.cli.VolumeRemove(ctx, id, true) })
}

// remove calls op until the thing is gone or is not about to go.
func (e *Engine) remove(ctx context.Context, noun, id string, op func() error) error {
	err := retry(ctx, func(err error) bool {
		if !inTheWay(err) {
			return false
		}
		e.log.DebugContext(ctx, "removal waits", "kind", noun, "id", id, "cause", err)
		return true
	}, op)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return wrap("remove", noun, id, err)
}

// inTheWay reports errors that the end of something else cures.
func inTheWay(err error) bool {
	return errdefs.IsConflict(err) ||
		says(err, "active endpoints", "already in progress", "in use", "device or resource busy", "unable to remove filesystem")
}
