package docker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/docker"
)

// measuring is an engine that measures for others at first.
type measuring struct {
	client.APIClient
	others int
}

func (m *measuring) DiskUsage(context.Context, types.DiskUsageOptions) (types.DiskUsage, error) {
	if m.others--; m.others >= 0 {
		return types.DiskUsage{}, errors.New("Error response from daemon: a disk usage operation is already running")
	}
	return types.DiskUsage{Containers: []*container.Summary{{ID: "c1", SizeRw: 5}}}, nil
}

// TestDiskUsageWaitsForOthers: Docker 20.10 refuses a second caller.
func TestDiskUsageWaitsForOthers(t *testing.T) {
	e := docker.New(&measuring{others: 2}, docker.Options{})
	if got, err := e.DiskUsage(t.Context(), nil); err != nil || len(got) != 1 || got[0].Bytes != 5 {
		t.Errorf("got %+v, %v", got, err)
	}
}
