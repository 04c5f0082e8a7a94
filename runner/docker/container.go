package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// capabilities are what a container's root keeps: enough to install packages,
// change owners and drop to another user. Ports below 1024 need none, since the
// engine lets every user of a container's network namespace bind them.
var capabilities = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETUID", "SETGID", "KILL"}

const (
	defaultPIDs = 4096
	cpuPeriod   = 100_000 // µs
	minCPUQuota = 1_000   // µs; the kernel takes no less
)

// errLeaving: the name belongs to a container that is going away.
var errLeaving = errors.New("the name's container is being removed")

// CreateContainer implements runner.Engine. Without NetworkID and NetworkMode the
// container has no network. An image that is not present is runner.ErrImage.
func (e *Engine) CreateContainer(ctx context.Context, s runner.ContainerSpec) (id string, err error) {
	err = retry(ctx, func(err error) bool { return errors.Is(err, errLeaving) }, func() error {
		id, err = e.tryContainer(ctx, s)
		return err
	})
	return id, err
}

func (e *Engine) tryContainer(ctx context.Context, s runner.ContainerSpec) (string, error) {
	made, err := e.cli.ContainerCreate(ctx, config(s), e.hostConfig(s), networking(s), nil, s.Name)
	switch {
	case err == nil:
		return made.ID, nil
	case errdefs.IsConflict(err):
		return e.ownContainer(ctx, s)
	case errdefs.IsNotFound(err) && says(err, "no such image"):
		return "", fmt.Errorf("%w %s is not present: %s", runner.ErrImage, s.Image, words(err))
	case s.Isolation.Runtime != "" && says(err, "runtime name", "unknown runtime"):
		return "", fmt.Errorf("%w: the Docker engine has no runtime %q: add it to runtimes in its daemon.json, or change the repository's setting runtime or the server's SLIPWAY_RUNTIME",
			runner.ErrStart, s.Isolation.Runtime)
	case errdefs.IsInvalidArgument(err) && says(err, "invalid reference"):
		return "", fmt.Errorf("%w %q is no valid reference", runner.ErrImage, s.Image)
	default:
		return "", wrap("create", "container", s.Name, err)
	}
}

// ownContainer returns the container that has the name already, if it is ours.
func (e *Engine) ownContainer(ctx context.Context, s runner.ContainerSpec) (string, error) {
	c, err := e.cli.ContainerInspect(ctx, s.Name)
	switch {
	case errdefs.IsNotFound(err):
		return "", fmt.Errorf("create container %s: %w", s.Name, errLeaving)
	case err != nil:
		return "", wrap("inspect", "container", s.Name, err)
	case !carries(c.Config.Labels, s.Labels):
		return "", fmt.Errorf("create container %s: %w", s.Name, runner.ErrConflict)
	case c.State.Status == container.StateRemoving:
		return "", fmt.Errorf("create container %s: %w", s.Name, errLeaving)
	}
	return c.ID, nil
}

func config(s runner.ContainerSpec) *container.Config {
	return &container.Config{
		Image:      s.Image,
		Entrypoint: s.Entrypoint,
		Cmd:        s.Cmd,
		Env:        s.Env,
		WorkingDir: s.WorkingDir,
		User:       s.User,
		OpenStdin:  s.Gate, // and StdinOnce not: the first to attach would close it
		Labels:     s.Labels,
	}
}

func (e *Engine) hostConfig(s runner.ContainerSpec) *container.HostConfig {
	init := true
	h := &container.HostConfig{
		NetworkMode:   networkMode(s),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		Init:          &init,
		Resources:     resources(s.Limits, e.o.Limits),
		Runtime:       s.Isolation.Runtime,
		UsernsMode:    container.UsernsMode(s.Isolation.UserNS),
		Tmpfs:         s.Tmpfs,
		DNS:           s.DNS,
		DNSSearch:     s.DNSSearch,
		ExtraHosts:    s.ExtraHosts,
		ShmSize:       s.ShmSize,
		// The mode too is named, since the engine adds its own default options
		// to those of a driver that is its default.
		LogConfig: container.LogConfig{
			Type:   "json-file",
			Config: map[string]string{"max-size": "1000g", "mode": "blocking"},
		},
	}
	h.Devices = devices(s.Devices)
	h.Binds, h.Mounts = mounts(s)
	if s.Privileged {
		h.Privileged = true
	} else {
		h.CapDrop, h.CapAdd = []string{"ALL"}, capabilities
		h.SecurityOpt = []string{"no-new-privileges:true"}
	}
	return h
}

// resources turns limits into the engine's. The CPU limit is given as a quota,
// which, unlike NanoCPUs, may be more than the machine has.
func resources(l, fallback runner.Limits) container.Resources {
	memory := firstSet(l.MemoryBytes, fallback.MemoryBytes)
	pids := firstSet(l.PIDs, fallback.PIDs, defaultPIDs)
	core := firstSet(l.CoreBytes, fallback.CoreBytes)
	r := container.Resources{Memory: memory, MemorySwap: memory, PidsLimit: &pids,
		Ulimits: []*container.Ulimit{{Name: "core", Soft: core, Hard: core}}}
	// There is no default: an engine without CAP_SYS_RESOURCE, as in a container,
	// starts nothing whose limit is above its own.
	if files := firstSet(l.OpenFiles, fallback.OpenFiles); files > 0 {
		r.Ulimits = append(r.Ulimits, &container.Ulimit{Name: "nofile", Soft: files, Hard: files})
	}
	if cpus := firstSet(l.CPUs, fallback.CPUs); cpus > 0 {
		r.CPUPeriod = cpuPeriod
		r.CPUQuota = max(minCPUQuota, int64(cpus*cpuPeriod))
	}
	return r
}

func firstSet[T int64 | float64](values ...T) T {
	for _, v := range values {
		if v != 0 {
			return v
		}
	}
	return 0
}
