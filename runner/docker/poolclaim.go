package docker

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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

// take gives a set to a job and returns its network, or nothing if there is
// none to be had.
func (p *Pool) take(ctx context.Context, s runner.NetworkSpec) (id string, err error) {
	if p == nil || s.Labels[runner.LabelServer] != p.o.Server {
		return "", nil
	}
	p.mu.Lock()
	p.wanted.add(s.Sandboxes)
	p.mu.Unlock()
	for {
		next, ok := p.pop(s.Sandboxes)
		if !ok {
			return "", nil
		}
		err := p.e.cli.ContainerRename(ctx, next.sandbox, s.Sandbox)
		if err == nil {
			p.give(next, s.Labels[runner.LabelJob])
			return next.network, nil
		}
		p.o.Logger.WarnContext(ctx, "cannot take a network that stood ready", "network", next.name, "error", err)
		// It may have been renamed nevertheless, and is the job's then.
		id, err = p.e.networkOf(ctx, s)
		if id == next.network {
			p.give(next, s.Labels[runner.LabelJob])
			return id, nil
		}
		p.forgo(next)
		if id != "" || err != nil {
			return id, err
		}
	}
}

// pop takes the set out of the pool that suits a job of so many sandboxes best. It
// stays held.
func (p *Pool) pop(width int) (next set, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ready) == 0 {
		return set{}, false
	}
	best := 0
	for i, s := range p.ready {
		if s.suits(width) > p.ready[best].suits(width) {
			best = i
		}
	}
	next = p.ready[best]
	p.ready = slices.Delete(p.ready, best, best+1)
	return next, true
}

// suits tells how well the set suits a job of so many sandboxes: the fewer are
// missing the better, then the fewer are left over.
func (s set) suits(width int) int {
	over := 1 + len(s.spares) - width
	if over < 0 {
		return math.MinInt/2 + over
	}
	return -over
}

// give records whose a set is, and has the pool filled.
func (p *Pool) give(taken set, job string) {
	p.mu.Lock()
	delete(p.held, taken.name)
	p.taken[taken.name] = &claim{job: job, network: taken.network, spares: taken.spares}
	p.takenAt = time.Now()
	p.mu.Unlock()
	p.signal()
}

// lend gives one of a set's spares to the job that took the set, under the name
// of the sandbox that the job wants. It reports whether there may be one of that
// name now.
func (p *Pool) lend(ctx context.Context, s runner.SandboxSpec) bool {
	if p == nil || s.Metadata || len(s.Aliases)+len(s.DNS)+len(s.DNSSearch)+len(s.ExtraHosts) > 0 {
		return false
	}
	spare := p.spare(s.NetworkID)
	if spare == "" {
		return false
	}
	if err := p.e.cli.ContainerRename(ctx, spare, s.Name); err != nil { // or only its answer is lost
		p.o.Logger.WarnContext(ctx, "cannot take a sandbox that stood ready", "sandbox", spare, "error", err)
	}
	return true
}

// spare takes one of the spares of a network that a job took.
func (p *Pool) spare(network string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.taken {
		if n := len(c.spares); c.network == network && n > 0 {
			spare := c.spares[n-1]
			c.spares = c.spares[:n-1]
			return spare
		}
	}
	return ""
}

// forgo gives up a set that could not be taken: it belongs to nobody, and is
// removed as such, or to the job whose name it has after all.
func (p *Pool) forgo(lost set) {
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
	p.signal()
}

// holding returns a function that reports whether a set belonged to the pool
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

// takenBy returns the job that took a set from this process.
func (p *Pool) takenBy(name string) string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.taken[name]; c != nil {
		return c.job
	}
	return ""
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
