package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"github.com/slipway-ci/slipway/runner"
)

// List implements runner.Engine. Containers come first, then networks, then
// volumes: the order in which they can be removed. It refuses to list without
// labels, since what it returns is removed. What stands ready in the engine's own
// pool is not in it; what a job took out of a pool has the job's label.
func (e *Engine) List(ctx context.Context, labels map[string]string) ([]runner.Resource, error) {
	if len(labels) == 0 {
		return nil, errors.New("list resources: no labels given")
	}
	filter := filters.NewArgs()
	for k, v := range labels {
		if k != runner.LabelJob || labels[runner.LabelServer] == "" { // what came out of a pool lacks it
			filter.Add("label", k+"="+v)
		}
	}
	before := e.pool.holding()
	containers, err := e.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	networks, err := e.cli.NetworkList(ctx, network.ListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := e.cli.VolumeList(ctx, volume.ListOptions{Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	after := e.pool.holding()
	owners := poolOwners(containers)
	var found []runner.Resource
	for _, c := range containers {
		found = append(found, runner.Resource{Kind: runner.ResourceContainer, ID: c.ID, Name: containerName(c.Names), Labels: c.Labels})
	}
	for _, n := range networks {
		found = append(found, runner.Resource{Kind: runner.ResourceNetwork, ID: n.ID, Name: n.Name, Labels: n.Labels})
	}
	for _, v := range volumes.Volumes {
		found = append(found, runner.Resource{Kind: runner.ResourceVolume, ID: v.Name, Name: v.Name, Labels: v.Labels})
	}
	return slices.DeleteFunc(found, func(r runner.Resource) bool {
		if name := r.Labels[labelPool]; name != "" {
			switch job := cmp.Or(owners[name], e.pool.takenBy(name)); {
			case job != "":
				r.Labels[runner.LabelJob] = job
			case before(name) || after(name):
				return true // stands ready, or was made or taken meanwhile
			}
		}
		return !carries(r.Labels, labels)
	}), nil
}

// poolOwners returns the jobs that took sets out of a pool, by the sets' names.
func poolOwners(containers []container.Summary) map[string]string {
	owners := map[string]string{}
	for _, c := range containers {
		name := c.Labels[labelPool]
		if job := jobOfSandbox(containerName(c.Names), c.Labels[runner.LabelServer]); name != "" && job != "" {
			owners[name] = job
		}
	}
	return owners
}

func containerName(names []string) string {
	if len(names) == 0 {
		return "" // of one that is being removed
	}
	return strings.TrimPrefix(names[0], "/")
}
