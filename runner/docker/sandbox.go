package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker/pause"
)

const (
	sandboxMemory = 64 << 20 // bytes; see package pause for how many it takes
	sandboxPIDs   = 64       // threads, of which Go's runtime has some for each core
)

// metadataServices are where clouds tell a machine who it is, credentials
// included: all of IPv4's link-local range (AWS, Azure, Google, Oracle and most
// others), Alibaba's address, and those of AWS and Google on IPv6. IPv6's own
// link-local range is left: it reaches nothing but the job's network.
var metadataServices = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("fd20:ce::254/128"),
}

// CreateSandbox implements runner.Engine.
func (e *Engine) CreateSandbox(ctx context.Context, s runner.SandboxSpec) (string, error) {
	unlock, err := e.names.lock(ctx, "sandbox "+s.Name)
	if err != nil {
		return "", fmt.Errorf("create sandbox %s: %w", s.Name, err)
	}
	defer unlock()
	c, err := e.cli.ContainerInspect(ctx, s.Name)
	if errdefs.IsNotFound(err) && e.pool.lend(ctx, s) {
		c, err = e.cli.ContainerInspect(ctx, s.Name)
	}
	switch {
	case errdefs.IsNotFound(err):
		return e.newSandbox(ctx, s)
	case err != nil:
		return "", wrap("inspect", "sandbox", s.Name, err)
	case !carries(c.Config.Labels, s.Labels) && !takenFromPool(c, s):
		return "", fmt.Errorf("create sandbox %s: %w", s.Name, runner.ErrConflict)
	case c.State.Running:
		err = e.awaitReady(ctx, c)
	default: // it has died, with the engine for example, or was never started
		err = e.startSandbox(ctx, c.ID)
	}
	if err != nil {
		return "", fmt.Errorf("create sandbox %s: %w", s.Name, err)
	}
	return c.ID, nil
}

// takenFromPool reports whether a sandbox is one of the server's that had another
// name before it got this one.
func takenFromPool(c container.InspectResponse, s runner.SandboxSpec) bool {
	have := c.Config.Labels
	return have[labelPool] != "" && have[runner.LabelServer] == s.Labels[runner.LabelServer]
}

// newSandbox makes and starts a sandbox of a name that is free.
func (e *Engine) newSandbox(ctx context.Context, s runner.SandboxSpec) (string, error) {
	image, err := e.image.ensure(ctx, e)
	if err != nil {
		return "", fmt.Errorf("create sandbox %s: %w", s.Name, err)
	}
	made, err := e.cli.ContainerCreate(ctx, e.sandboxConfig(s, image), e.sandboxHost(s), sandboxNetworking(s), nil, s.Name)
	if errdefs.IsNotFound(err) && says(err, "no such image") { // removed since it was made
		e.image.forget()
		if image, err = e.image.ensure(ctx, e); err == nil {
			made, err = e.cli.ContainerCreate(ctx, e.sandboxConfig(s, image), e.sandboxHost(s), sandboxNetworking(s), nil, s.Name)
		}
	}
	if err != nil {
		return "", wrap("create", "sandbox", s.Name, err)
	}
	if err := e.startSandbox(ctx, made.ID); err != nil {
		return "", fmt.Errorf("create sandbox %s: %w", s.Name, err)
	}
	return made.ID, nil
}

func (e *Engine) sandboxConfig(s runner.SandboxSpec, image string) *container.Config {
	c := &container.Config{
		Image:      image,
		Entrypoint: []string{sandboxProgram},
		Cmd:        []string{pause.Command},
		Labels:     s.Labels,
	}
	for _, p := range e.blocked(s.Metadata) {
		c.Cmd = append(c.Cmd, p.String())
	}
	return c
}

// blocked are the prefixes that are unreachable from a sandbox. The networks of
// other jobs are among them: the engine keeps networks apart, but 20.10 lets them
// through to each other for a moment whenever it makes one. A sandbox's own network
// is the more specific route.
func (e *Engine) blocked(metadata bool) []netip.Prefix {
	if metadata {
		return []netip.Prefix{e.o.Subnets}
	}
	return append([]netip.Prefix{e.o.Subnets}, metadataServices...)
}

// sandboxHost gives the program what it needs to set routes, which it gives up
// then.
func (e *Engine) sandboxHost(s runner.SandboxSpec) *container.HostConfig {
	dns, pids := s.DNS, int64(sandboxPIDs)
	if len(dns) == 0 {
		dns = e.o.SandboxDNS
	}
	return &container.HostConfig{
		NetworkMode:    container.NetworkMode(s.NetworkID),
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		ReadonlyRootfs: true,
		CapDrop:        []string{"ALL"},
		CapAdd:         []string{"NET_ADMIN"},
		SecurityOpt:    []string{"no-new-privileges:true"},
		Resources:      container.Resources{Memory: sandboxMemory, MemorySwap: sandboxMemory, PidsLimit: &pids},
		DNS:            dns,
		DNSSearch:      s.DNSSearch,
		ExtraHosts:     s.ExtraHosts,
		LogConfig:      container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "64k", "mode": "blocking"}},
	}
}

func sandboxNetworking(s runner.SandboxSpec) *network.NetworkingConfig {
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{s.NetworkID: {Aliases: s.Aliases}}}
}

// startSandbox starts a sandbox that was created and returns when it is ready.
func (e *Engine) startSandbox(ctx context.Context, id string) error {
	err := e.tryStartSandbox(ctx, id)
	if isAmbiguous(err) {
		if err = e.removeNamesakes(ctx, id); err == nil {
			err = e.tryStartSandbox(ctx, id)
		}
	}
	return err
}

func (e *Engine) tryStartSandbox(ctx context.Context, id string) error {
	out, err := e.Attach(ctx, id)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := e.cli.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		if says(err, "exec format error") {
			return fmt.Errorf("start sandbox: %w: this slipway is for another kind of processor than the engine's machine", err)
		}
		return wrap("start", "sandbox", id, err)
	}
	return readReady(out)
}

// removeNamesakes removes the namesakes of a sandbox's network.
func (e *Engine) removeNamesakes(ctx context.Context, id string) error {
	c, err := e.cli.ContainerInspect(ctx, id)
	if err != nil {
		return wrap("inspect", "sandbox", id, err)
	}
	keep := string(c.HostConfig.NetworkMode)
	n, err := e.cli.NetworkInspect(ctx, keep, network.InspectOptions{})
	if err != nil {
		return wrap("inspect", "network", keep, err)
	}
	server := map[string]string{runner.LabelServer: c.Config.Labels[runner.LabelServer]}
	_, err = e.oneNetwork(ctx, n.Name, n.ID, server)
	return err
}

// awaitReady returns when a sandbox that runs is ready. What it said before it
// last ended, if it ever did, does not count. (The engine tells a container's
// start after the container may have written.)
func (e *Engine) awaitReady(ctx context.Context, c container.InspectResponse) error {
	o := container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true}
	if !instant(c.State.FinishedAt).IsZero() {
		o.Since = c.State.FinishedAt
	}
	body, err := e.cli.ContainerLogs(ctx, c.ID, o)
	if err != nil {
		return wrap("read logs of", "sandbox", c.ID, err)
	}
	out := newOutput(ctx, body, body)
	defer out.Close()
	return readReady(out)
}

// errReady ends the reading of what a sandbox says.
var errReady = errors.New("ready")

// readReady reads what a sandbox says until it is ready.
func readReady(out runner.Output) error {
	var stderr bytes.Buffer
	err := out.Copy(&readyWriter{}, &stderr)
	switch {
	case errors.Is(err, errReady):
		return nil
	case err != nil:
		return fmt.Errorf("wait until it is ready: %w", err)
	}
	return fmt.Errorf("it ended: %s", strings.TrimSpace(stderr.String()))
}

// readyWriter takes a sandbox's stdout and fails with errReady once it is ready.
type readyWriter struct{ said []byte }

func (w *readyWriter) Write(p []byte) (int, error) {
	if w.said = append(w.said, p...); bytes.Contains(w.said, []byte(pause.Ready)) {
		return len(p), errReady
	}
	return len(p), nil
}

var _ io.Writer = (*readyWriter)(nil)
