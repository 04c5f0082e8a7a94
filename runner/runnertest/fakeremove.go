package runnertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-ci/slipway/runner"
)

// RemoveContainer implements runner.Engine.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveContainer", id, func() error {
		c, err := e.container(id)
		if err != nil {
			return ignoreNotFound(err)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.containers, c.id)
		c.kill() // who hears of its end finds it gone
		return nil
	})
}

func ignoreNotFound(err error) error {
	if errors.Is(err, runner.ErrNotFound) {
		return nil
	}
	return err
}

// RemoveNetwork implements runner.Engine. A network with containers that run is
// not removed.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveNetwork", id, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if e.isOn(c, id) && c.snapshot().Running {
				return fmt.Errorf("remove network %s: container %s is on it", id, c.spec.Name)
			}
		}
		delete(e.networks, id)
		return nil
	})
}

// isOn reports whether a container was created for a network, by its ID or name.
// It is called with mu held.
func (e *Engine) isOn(c *container, networkID string) bool {
	n, ok := e.networks[networkID]
	return ok && (c.spec.NetworkID == n.ID || c.spec.NetworkID == n.Name)
}

// RemoveVolume implements runner.Engine. A volume that a container has is not
// removed.
func (e *Engine) RemoveVolume(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveVolume", id, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if c.spec.VolumeID == id {
				return fmt.Errorf("remove volume %s: container %s has it", id, c.spec.Name)
			}
		}
		delete(e.volumes, id)
		return nil
	})
}

// List implements runner.Engine. The result is sorted by kind and name.
func (e *Engine) List(ctx context.Context, labels map[string]string) (found []runner.Resource, err error) {
	err = e.faults.call(ctx, "List", "", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, r := range e.all() {
			if carries(r.Labels, labels) {
				r.Labels = maps.Clone(r.Labels)
				found = append(found, r)
			}
		}
		return nil
	})
	return found, err
}

// all returns everything there is, sorted. It is called with mu held.
func (e *Engine) all() []runner.Resource {
	var rs []runner.Resource
	for _, c := range e.containers {
		rs = append(rs, c.resource())
	}
	for _, n := range e.networks {
		rs = append(rs, n)
	}
	for _, v := range e.volumes {
		rs = append(rs, v.Resource)
	}
	slices.SortFunc(rs, func(a, b runner.Resource) int {
		return strings.Compare(string(a.Kind)+" "+a.Name, string(b.Kind)+" "+b.Name)
	})
	return rs
}
