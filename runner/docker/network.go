package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"github.com/slipway-ci/slipway/runner"
)

// CreateNetwork implements runner.Engine: a bridge network with a subnet of its
// own, which may come out of the pool.
func (e *Engine) CreateNetwork(ctx context.Context, s runner.NetworkSpec) (string, error) {
	if s.Sandbox == "" || e.pool == nil {
		return e.createNetwork(ctx, s)
	}
	if id, err := e.networkOf(ctx, s); id != "" || err != nil {
		return id, err
	}
	// What an earlier call made itself, whose answer was lost, is found by name.
	if _, err := e.cli.NetworkInspect(ctx, s.Name, network.InspectOptions{}); err == nil || isAmbiguous(err) {
		return e.ownNetwork(ctx, s)
	}
	if id, err := e.pool.take(ctx, s); id != "" || err != nil {
		return id, err
	}
	return e.createNetwork(ctx, s)
}

// createNetwork makes a network.
func (e *Engine) createNetwork(ctx context.Context, s runner.NetworkSpec) (string, error) {
	unlock, err := e.names.lock(ctx, s.Name)
	if err != nil {
		return "", fmt.Errorf("create network %s: %w", s.Name, err)
	}
	defer unlock()
	if e.subnets.count == 0 {
		return "", fmt.Errorf("create network %s: the range %s has no IPv4 subnets of %d bits", s.Name, e.subnets.pool, e.subnets.bits)
	}
	for range e.subnets.count {
		id, err := e.tryNetwork(ctx, s)
		switch {
		case err == nil:
			return id, nil
		case errdefs.IsConflict(err):
			return e.ownNetwork(ctx, s)
		case !says(err, "overlap"):
			return "", wrap("create", "network", s.Name, err)
		}
	}
	return "", fmt.Errorf("create network %s: no subnet of %d bits is free in %s: remove networks that are not needed (docker network prune) or configure a larger range",
		s.Name, e.subnets.bits, e.subnets.pool)
}

// tryNetwork creates the network on the next subnet.
func (e *Engine) tryNetwork(ctx context.Context, s runner.NetworkSpec) (string, error) {
	made, err := e.cli.NetworkCreate(ctx, s.Name, network.CreateOptions{
		Driver:  "bridge",
		IPAM:    &network.IPAM{Driver: "default", Config: []network.IPAMConfig{{Subnet: e.subnets.next().String()}}},
		Options: e.o.NetworkOptions,
		Labels:  s.Labels,
	})
	return made.ID, err
}

// ownNetwork returns the network that has the name already, if it is ours.
func (e *Engine) ownNetwork(ctx context.Context, s runner.NetworkSpec) (string, error) {
	n, err := e.cli.NetworkInspect(ctx, s.Name, network.InspectOptions{})
	if isAmbiguous(err) {
		return e.oneNetwork(ctx, s.Name, "", s.Labels)
	}
	if err != nil {
		return "", wrap("inspect", "network", s.Name, err)
	}
	if !carries(n.Labels, s.Labels) {
		return "", fmt.Errorf("create network %s: %w", s.Name, runner.ErrConflict)
	}
	return n.ID, nil
}

// isAmbiguous reports that several networks have the name. The engine makes that
// of two calls at once, such as that of a process that was killed in the midst of
// it and that of the next: it then starts nothing on either of them.
func isAmbiguous(err error) bool { return err != nil && says(err, "is ambiguous") }

// oneNetwork removes all networks of a name but one: that of the ID keep, or the
// oldest. It returns the one that stays. All must carry the labels.
func (e *Engine) oneNetwork(ctx context.Context, name, keep string, labels map[string]string) (string, error) {
	all, err := e.cli.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", "^"+name+"$"))})
	if err != nil {
		return "", wrap("list", "networks", name, err)
	}
	slices.SortFunc(all, func(a, b network.Summary) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, n := range all {
		if !carries(n.Labels, labels) {
			return "", fmt.Errorf("create network %s: %w", name, runner.ErrConflict)
		}
		keep = cmp.Or(keep, n.ID)
	}
	for _, n := range all {
		if n.ID == keep {
			continue
		}
		if err := e.RemoveNetwork(ctx, n.ID); err != nil {
			return "", err
		}
	}
	return keep, nil
}

// CreateVolume implements runner.Engine. The engine itself returns a volume that
// has the name already. A volume's ID is its name.
func (e *Engine) CreateVolume(ctx context.Context, s runner.VolumeSpec) (string, error) {
	o := volume.CreateOptions{Name: s.Name, Labels: s.Labels}
	if s.Memory {
		o.Driver, o.DriverOpts = "local", map[string]string{"type": "tmpfs", "device": "tmpfs"}
	}
	v, err := e.cli.VolumeCreate(ctx, o)
	switch {
	case errdefs.IsConflict(err), err == nil && !carries(v.Labels, s.Labels):
		return "", fmt.Errorf("create volume %s: %w", s.Name, runner.ErrConflict)
	case err != nil:
		return "", wrap("create", "volume", s.Name, err)
	}
	return v.Name, nil
}

// carries reports whether all wanted labels are there. There may be more: a
// container has those of its image too.
func carries(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}
