package docker

import (
	"context"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/slipway-ci/slipway/runner"
)

// adopt takes over the pairs that an earlier process left in the pool and removes
// those that are of no use: incomplete, dead, or of another version of slipway.
func (p *Pool) adopt(ctx context.Context) {
	useless, err := p.survey(ctx)
	if err != nil && ctx.Err() == nil {
		p.o.Logger.WarnContext(ctx, "cannot look for networks that an earlier process kept ready", "error", err)
	}
	p.mu.Lock()
	for _, old := range useless {
		p.held[old.name] = true
	}
	p.adopted = true
	p.mu.Unlock()
	for _, old := range useless {
		p.remove(context.WithoutCancel(ctx), old)
	}
}

// survey puts what can be used into the pool and returns what cannot.
func (p *Pool) survey(ctx context.Context) (useless []pair, err error) {
	image, err := p.e.image.ensure(ctx, p.e)
	if err != nil {
		return nil, err
	}
	mine := filters.NewArgs(filters.Arg("label", runner.LabelServer+"="+p.o.Server), filters.Arg("label", labelPool))
	sandboxes, err := p.e.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	if err != nil {
		return nil, err
	}
	networks, err := p.e.cli.NetworkList(ctx, network.ListOptions{Filters: mine})
	if err != nil {
		return nil, err
	}
	byName := map[string]container.Summary{}
	for _, c := range sandboxes {
		byName[c.Labels[labelPool]] = c
	}
	for _, n := range networks {
		found := pair{name: n.Name, network: n.ID, sandbox: n.Name}
		c, ok := byName[n.Name]
		if ok {
			found.sandbox = c.ID
		}
		switch {
		case ok && !strings.HasPrefix(containerName(c.Names), p.prefix()): // a job's
		case ok && c.Image == image && p.usable(ctx, c.ID):
			p.put(found)
		default:
			useless = append(useless, found)
		}
	}
	return useless, nil
}

func (p *Pool) usable(ctx context.Context, id string) bool {
	c, err := p.e.cli.ContainerInspect(ctx, id)
	return err == nil && c.State.Running && p.e.awaitReady(ctx, c) == nil
}
