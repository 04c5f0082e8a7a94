package docker

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types"

	"github.com/slipway-ci/slipway/runner"
)

// DiskUsage implements runner.Engine. The engine walks through all files, of
// other containers too, and 20.10 does so for one caller at a time.
func (e *Engine) DiskUsage(ctx context.Context, labels map[string]string) ([]runner.ResourceSize, error) {
	var du types.DiskUsage
	err := retry(ctx, func(err error) bool { return says(err, "operation is already running") }, func() (err error) {
		du, err = e.cli.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.ContainerObject, types.VolumeObject}})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask for disk usage: %w", err)
	}
	var out []runner.ResourceSize
	for _, c := range du.Containers {
		if carries(c.Labels, labels) {
			out = append(out, runner.ResourceSize{Resource: runner.Resource{Kind: runner.ResourceContainer, ID: c.ID, Labels: c.Labels}, Bytes: c.SizeRw})
		}
	}
	for _, v := range du.Volumes {
		if v.UsageData != nil && carries(v.Labels, labels) {
			out = append(out, runner.ResourceSize{Resource: runner.Resource{Kind: runner.ResourceVolume, ID: v.Name, Name: v.Name, Labels: v.Labels}, Bytes: max(0, v.UsageData.Size)})
		}
	}
	return out, nil
}
