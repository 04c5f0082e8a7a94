package runnertest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// FillVolume implements runner.Engine. It keeps regular files only.
func (e *Engine) FillVolume(ctx context.Context, s runner.FillSpec, r io.Reader) error {
	return e.faults.call(ctx, "FillVolume", s.Name, func() error {
		e.mu.Lock()
		v := e.volumes[s.VolumeID]
		e.mu.Unlock()
		if v == nil {
			return fmt.Errorf("fill volume %s: %w", s.VolumeID, runner.ErrNotFound)
		}
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				_, err = io.Copy(io.Discard, r)
				return err
			}
			if err != nil {
				return fmt.Errorf("fill volume %s: %w", s.VolumeID, err)
			}
			content, err := io.ReadAll(tr)
			if err != nil {
				return fmt.Errorf("fill volume %s: %w", s.VolumeID, err)
			}
			if h.Typeflag == tar.TypeReg {
				v.write(path.Clean(h.Name), string(content))
			}
		}
	})
}

// container returns the container with the ID or name.
func (e *Engine) container(id string) (*container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.containers[id]; ok {
		return c, nil
	}
	for _, c := range e.containers {
		if c.spec.Name == id {
			return c, nil
		}
	}
	return nil, fmt.Errorf("container %s: %w", id, runner.ErrNotFound)
}

// Attach implements runner.Engine.
func (e *Engine) Attach(ctx context.Context, containerID string) (runner.Output, error) {
	return e.open(ctx, "Attach", containerID, &output{follow: true})
}

// Logs implements runner.Engine.
func (e *Engine) Logs(ctx context.Context, containerID string, follow bool) (runner.Output, error) {
	return e.open(ctx, "Logs", containerID, &output{follow: follow, timed: true})
}

// open makes o a container's output.
func (e *Engine) open(ctx context.Context, method, id string, o *output) (runner.Output, error) {
	err := e.faults.call(ctx, method, id, func() error {
		c, err := e.container(id)
		if err != nil {
			return err
		}
		o.ctx, o.record, o.faults, o.gone, o.closed = ctx, &c.record, &e.faults, e.faults.gone(), make(chan struct{})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Start implements runner.Engine.
func (e *Engine) Start(ctx context.Context, containerID string) error {
	return e.faults.call(ctx, "Start", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		if !e.hasNetwork(c) {
			return fmt.Errorf("start container %s: network %s not found", c.spec.Name, c.spec.NetworkID)
		}
		return e.enter(c)
	})
}

// Open implements runner.Engine. A gate that is opened very often drops lines.
func (e *Engine) Open(ctx context.Context, containerID, line string) error {
	return e.faults.call(ctx, "Open", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		if c.lines == nil {
			return fmt.Errorf("open container %s: it has no gate", c.spec.Name)
		}
		e.mu.Lock()
		err = e.occupy(c)
		e.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case c.lines <- line:
		default:
		}
		return nil
	})
}

// hasNetwork reports whether the network that a container is for, if any, is
// there.
func (e *Engine) hasNetwork(c *container) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.onNetwork(c)
}

// onNetwork is hasNetwork with mu held.
func (e *Engine) onNetwork(c *container) bool {
	for id := range e.networks {
		if e.isOn(c, id) {
			return true
		}
	}
	return c.spec.NetworkID == ""
}

// Inspect implements runner.Engine.
func (e *Engine) Inspect(ctx context.Context, containerID string) (s runner.ContainerState, err error) {
	err = e.faults.call(ctx, "Inspect", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		s = c.snapshot()
		return nil
	})
	return s, err
}

// Wait implements runner.Engine.
func (e *Engine) Wait(ctx context.Context, containerID string) (s runner.ContainerState, err error) {
	err = e.faults.call(ctx, "Wait", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		if err := e.ended(ctx, c); err != nil {
			return err
		}
		s = c.snapshot()
		return nil
	})
	return s, err
}

// Ending implements runner.Engine.
func (e *Engine) Ending(ctx context.Context, containerID string) (end runner.Ending, err error) {
	err = e.faults.call(ctx, "Ending", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.interrupted {
			end.Interrupted = "the engine restarted"
		}
		end.OOMKilled = c.state.OOMKilled || c.oomUnseen
		return nil
	})
	return end, err
}

// ended waits until the container does not run.
func (e *Engine) ended(ctx context.Context, c *container) error {
	if !c.snapshot().Running {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.faults.gone():
		return e.faults.why()
	}
}

// Stop implements runner.Engine. The grace period is real time.
func (e *Engine) Stop(ctx context.Context, containerID string, grace time.Duration) error {
	return e.faults.call(ctx, "Stop", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil || !c.snapshot().Running {
			return ignoreNotFound(err)
		}
		if grace > 0 {
			c.terminate()
			timer := time.NewTimer(grace)
			defer timer.Stop()
			select {
			case <-c.done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
			}
		}
		c.kill()
		return nil
	})
}
