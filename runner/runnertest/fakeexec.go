package runnertest

import (
	"context"
	"fmt"

	"github.com/slipway-ci/slipway/runner"
)

// Exec implements runner.Engine (see Process.OnExec).
func (e *Engine) Exec(ctx context.Context, containerID string, command []string) (result runner.ExecResult, err error) {
	err = e.faults.call(ctx, "Exec", containerID, func() error {
		c, err := e.runningContainer(containerID)
		if err != nil {
			return err
		}
		c.mu.Lock()
		answer := c.exec
		c.mu.Unlock()
		if answer == nil {
			result = runner.ExecResult{ExitCode: 127, Output: "not found"}
			return nil
		}
		result = answer(command)
		return nil
	})
	return result, err
}

// Listening implements runner.Engine (see Process.Listen).
func (e *Engine) Listening(ctx context.Context, containerID string, port int) (listening bool, err error) {
	err = e.faults.call(ctx, "Listening", containerID, func() error {
		c, err := e.runningContainer(containerID)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		listening = c.listening[port]
		return nil
	})
	return listening, err
}

// Usage implements runner.Engine (see Process.Use).
func (e *Engine) Usage(ctx context.Context, containerID string) (u runner.Usage, err error) {
	err = e.faults.call(ctx, "Usage", containerID, func() error {
		c, err := e.runningContainer(containerID)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.measured == nil {
			return fmt.Errorf("container %s: nothing is known of its usage", c.spec.Name)
		}
		u = c.usage
		select {
		case <-c.measured:
		default:
			close(c.measured)
		}
		return nil
	})
	return u, err
}

// DiskUsage implements runner.Engine (see Process.Fill). The containers have it
// all.
func (e *Engine) DiskUsage(ctx context.Context, labels map[string]string) (out []runner.ResourceSize, err error) {
	err = e.faults.call(ctx, "DiskUsage", "", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if r := c.resource(); carries(r.Labels, labels) {
				c.mu.Lock()
				out = append(out, runner.ResourceSize{Resource: r, Bytes: c.disk})
				c.mu.Unlock()
			}
		}
		return nil
	})
	return out, err
}

func (e *Engine) runningContainer(id string) (*container, error) {
	c, err := e.container(id)
	if err == nil && !c.snapshot().Running {
		err = fmt.Errorf("container %s does not run", c.spec.Name)
	}
	return c, err
}
