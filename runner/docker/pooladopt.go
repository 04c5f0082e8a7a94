package docker

import (
	"context"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/slipway-ci/slipway/runner"
)

// adopt takes over the sets that an earlier process left in the pool and removes
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
func (p *Pool) survey(ctx context.Context) (useless []set, err error) {
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
	bySet, owners := map[string][]container.Summary{}, poolOwners(sandboxes)
	for _, c := range sandboxes {
		bySet[c.Labels[labelPool]] = append(bySet[c.Labels[labelPool]], c)
	}
	for _, n := range networks {
		if owners[n.Name] != "" {
			continue // a job's
		}
		if found, ok := p.assess(ctx, n, bySet[n.Name], image); ok {
			p.put(found)
		} else {
			useless = append(useless, found)
		}
	}
	return useless, nil
}

// assess returns the set of a network that an earlier process left, and whether
// all of it can be used.
func (p *Pool) assess(ctx context.Context, n network.Summary, sandboxes []container.Summary, image string) (found set, ok bool) {
	found = set{name: n.Name, network: n.ID, sandbox: n.Name}
	ok = true
	for _, c := range sandboxes {
		if containerName(c.Names) == n.Name {
			found.sandbox = c.ID
		} else {
			found.spares = append(found.spares, c.ID)
		}
		ok = ok && c.Image == image && p.usable(ctx, c.ID)
	}
	return found, ok && found.sandbox != n.Name
}

func (p *Pool) usable(ctx context.Context, id string) bool {
	c, err := p.e.cli.ContainerInspect(ctx, id)
	return err == nil && c.State.Running && p.e.awaitReady(ctx, c) == nil
}
