package runnertest

import (
	"context"
	"fmt"

	"github.com/slipway-ci/slipway/runner"
)

// CreateSandbox implements runner.Engine. A sandbox is a container that runs
// until it is removed or stopped.
func (e *Engine) CreateSandbox(ctx context.Context, s runner.SandboxSpec) (id string, err error) {
	err = e.faults.call(ctx, "CreateSandbox", s.Name, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if c.spec.Name != s.Name {
				continue
			}
			if id, err = existing(c.resource(), s.Labels); err != nil || c.snapshot().Running {
				return err
			}
		}
		if id == "" {
			id = e.newID("sandbox")
		}
		spec := runner.ContainerSpec{Name: s.Name, Labels: s.Labels, NetworkID: s.NetworkID, Aliases: s.Aliases}
		c := newContainer(id, spec, Block(), nil, 0)
		if !e.onNetwork(c) {
			return fmt.Errorf("create sandbox %s: network %s not found", s.Name, s.NetworkID)
		}
		e.containers[id] = c
		c.start(&e.programs)
		return nil
	})
	return idUnless(err, id), err
}

// enter starts a container, which needs its sandbox to run.
func (e *Engine) enter(c *container) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.spec.Sandbox != "" && !c.snapshot().Started {
		if !e.sandboxRuns(c.spec.Sandbox) {
			return fmt.Errorf("start container %s: sandbox %s does not run", c.spec.Name, c.spec.Sandbox)
		}
		if c.lines == nil {
			if err := e.occupy(c); err != nil {
				return err
			}
		}
	}
	c.start(&e.programs)
	return nil
}

// sandboxRuns is called with mu held.
func (e *Engine) sandboxRuns(ref string) bool {
	for id, c := range e.containers {
		if (id == ref || c.spec.Name == ref) && c.snapshot().Running {
			return true
		}
	}
	return false
}

// occupy has a container's program begin in its sandbox. Docker would let two
// share one; here that is an error, since no two steps may run in one at the
// same time. It is called with mu held.
func (e *Engine) occupy(c *container) error {
	for _, other := range e.containers {
		if c.spec.Sandbox != "" && other != c && other.spec.Sandbox == c.spec.Sandbox && other.occupies && other.busy() {
			return fmt.Errorf("start container %s: container %s runs in its sandbox", c.spec.Name, other.spec.Name)
		}
	}
	c.occupies = true
	return nil
}

// busy reports whether a container's program may do something.
func (c *container) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Running && !c.vacated
}
