package docker_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestReclaimImage: what slipway has made and no container has goes, and nothing
// of anybody else's.
func TestReclaimImage(t *testing.T) {
	d := runnertest.NewDaemon(t)
	cli, ctx := d.Client(), t.Context()
	foreign := d.Image()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"used", "old", "older"} {
		if err := docker.ImportBusybox(ctx, cli, "slipway/sandbox:"+name, busybox, "LABEL slipway.sandbox=1", "LABEL of="+name); err != nil {
			t.Fatal(err)
		}
	}
	e := docker.New(cli, docker.Options{})
	if _, err := e.CreateContainer(ctx, runner.ContainerSpec{Name: "user", Image: "slipway/sandbox:used", NetworkMode: "none"}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, true, false} {
		if got, err := e.ReclaimImage(ctx); got != want || err != nil {
			t.Fatalf("time %d: removed %v, %v; want %v", i+1, got, err, want)
		}
	}
	left, err := cli.ImageList(ctx, image.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, i := range left {
		tags = append(tags, i.RepoTags...)
	}
	if got := strings.Join(tags, " "); len(tags) != 2 || !strings.Contains(got, foreign) || !strings.Contains(got, "slipway/sandbox:used") {
		t.Errorf("images left: %s; want %s and slipway/sandbox:used", got, foreign)
	}
}
