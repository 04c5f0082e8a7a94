package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/docker/docker/api/types/image"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// demoImage is the image that the sample's steps run in.
type demoImage struct {
	ref  string
	made bool // by us, to be removed again
}

// localImage is the name of an image that we made; it hides no real one.
const localImage = "slipway-demo/busybox:local"

// findDemoImage finds or pulls the wanted image, or makes a local one out of
// this machine's static busybox.
func findDemoImage(ctx context.Context, host, want string, s *story) (demoImage, error) {
	cli, err := docker.Dial(host)
	if err != nil {
		return demoImage{}, err
	}
	defer func() { _ = cli.Close() }()
	if err := docker.Ping(ctx, cli); err != nil {
		return demoImage{}, err
	}
	if _, err := cli.ImageInspect(ctx, want); err == nil {
		return demoImage{ref: want}, nil
	}
	s.say("pulling the image %s", want)
	pullErr := docker.New(cli, docker.Options{}).PullImage(ctx, runner.ImageSpec{Image: want, Policy: pipeline.PullIfNotPresent}, io.Discard)
	if pullErr == nil {
		return demoImage{ref: want}, nil
	}
	path := os.Getenv("SLIPWAY_BUSYBOX")
	if path == "" {
		if path, err = exec.LookPath("busybox"); err != nil {
			return demoImage{}, fmt.Errorf("the demo needs an image: %w; or install Debian's busybox-static, and a local image is made of it", pullErr)
		}
	}
	s.say("%s cannot be pulled here, so a local image is made of %s", want, path)
	if err := docker.ImportBusybox(ctx, cli, localImage, path); err != nil {
		return demoImage{}, err
	}
	return demoImage{ref: localImage, made: true}, nil
}

func (i demoImage) remove(ctx context.Context, host string) error {
	if !i.made {
		return nil
	}
	cli, err := docker.Dial(host)
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	if _, err := cli.ImageRemove(ctx, i.ref, image.RemoveOptions{}); err != nil {
		return fmt.Errorf("remove image %s: %w", i.ref, err)
	}
	return nil
}
