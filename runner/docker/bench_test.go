package docker_test

import (
	"io"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// BenchmarkContainer is a container's way from its creation to its removal.
func BenchmarkContainer(b *testing.B) {
	for name, command := range map[string]string{
		"true":   "exit 0",
		"200 MB": "yes 'ok  	github.com/example/some/package	0.012s' | head -c 200000000",
	} {
		b.Run(name, func(b *testing.B) { benchmarkContainer(b, command) })
	}
}

func benchmarkContainer(b *testing.B, command string) {
	b.Helper()
	e := docker.New(runnertest.Docker(b), docker.Options{})
	ctx, image, server := b.Context(), runnertest.Image(b), "bench"+strings.ToLower(randomID())
	labels := map[string]string{runner.LabelServer: server}
	b.Cleanup(func() { runnertest.CleanUp(b, e, labels) })
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		id, err := e.CreateContainer(ctx, runner.ContainerSpec{
			Name: server, Labels: labels, Image: image,
			Entrypoint: []string{"/bin/sh", "-c"}, Cmd: []string{command},
		})
		must(err)
		out, err := e.Attach(ctx, id)
		must(err)
		must(e.Start(ctx, id))
		must(out.Copy(io.Discard, io.Discard))
		_, err = e.Wait(ctx, id)
		must(err)
		must(out.Close())
		must(e.RemoveContainer(ctx, id))
	}
}
