package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/slipway-ci/slipway/runner"
)

// networkOf returns the network that a job took out of a pool, together with the
// sandbox of that name; nothing if there is no such sandbox.
func (e *Engine) networkOf(ctx context.Context, s runner.NetworkSpec) (id string, err error) {
	c, err := e.cli.ContainerInspect(ctx, s.Sandbox)
	switch {
	case errdefs.IsNotFound(err):
		return "", nil
	case err != nil:
		return "", wrap("inspect", "sandbox", s.Sandbox, err)
	case c.Config.Labels[labelPool] == "":
		return "", nil // made on a network of the job's own
	case c.Config.Labels[runner.LabelServer] != s.Labels[runner.LabelServer]:
		return "", fmt.Errorf("take sandbox %s: %w", s.Sandbox, runner.ErrConflict)
	}
	return string(c.HostConfig.NetworkMode), nil
}

// take gives a pair to a job and returns its network, or nothing if there is
// none to be had.
func (p *Pool) take(ctx context.Context, s runner.NetworkSpec) string {
	if p == nil || s.Labels[runner.LabelServer] != p.o.Server {
		return ""
	}
	for {
		next, ok := p.pop()
		if !ok {
			return ""
		}
		err := p.e.cli.ContainerRename(ctx, next.sandbox, s.Sandbox)
		if err == nil {
			p.give(next, s.Labels[runner.LabelJob])
			return next.network
		}
		// It may have been renamed nevertheless; then it is the job's, and found
		// by its name when the job asks again.
		p.o.Logger.WarnContext(ctx, "cannot take a network that stood ready", "network", next.name, "error", err)
		p.forgo(next)
	}
}

// pop takes the oldest pair out of the pool. It stays held.
func (p *Pool) pop() (next pair, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ready) == 0 {
		return pair{}, false
	}
	next, p.ready = p.ready[0], p.ready[1:]
	return next, true
}

// give records whose a pair is, and has the pool filled.
func (p *Pool) give(taken pair, job string) {
	p.mu.Lock()
	delete(p.held, taken.name)
	p.taken[taken.name] = claim{job: job, network: taken.network}
	p.mu.Unlock()
	p.signal()
}

// forgo gives up a pair that could not be taken: it belongs to nobody, and is
// removed as such, or to the job whose name it has after all.
func (p *Pool) forgo(lost pair) {
	p.mu.Lock()
	delete(p.held, lost.name)
	p.mu.Unlock()
	p.signal()
}

func (p *Pool) signal() {
	select {
	case p.wake <- struct{}{}:
	default: // it has been told
	}
}

// networkRemoved lets go of a job's network.
func (p *Pool) networkRemoved(id string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, c := range p.taken {
		if c.network == id {
			delete(p.taken, name)
		}
	}
}

// holding returns a function that reports whether a pair belonged to the pool
// at the time of the call.
func (p *Pool) holding() func(name string) bool {
	if p == nil {
		return func(string) bool { return false }
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.adopted {
		return func(name string) bool { return strings.HasPrefix(name, p.prefix()) }
	}
	held := make(map[string]bool, len(p.held))
	for name := range p.held {
		held[name] = true
	}
	return func(name string) bool { return held[name] }
}

// takenBy returns the job that took a pair from this process.
func (p *Pool) takenBy(name string) string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken[name].job
}

// jobOfSandbox returns the job that a sandbox's name names, if any.
func jobOfSandbox(name, server string) string {
	rest, ok := strings.CutPrefix(name, runner.NetworkName(server, ""))
	job, _, named := strings.Cut(rest, "-sandbox-")
	if !ok || !named {
		return ""
	}
	return job
}
