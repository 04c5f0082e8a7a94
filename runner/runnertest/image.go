package runnertest

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/docker"
)

// importing keeps tests of one process from importing the same image twice.
var importing sync.Mutex

// Image makes sure that the Docker engine of DOCKER_HOST has the local test
// image, a busybox, and returns its reference. The test fails if it cannot.
func Image(tb testing.TB) string {
	tb.Helper()
	return busyboxImage(tb, "slipway/busybox:test")
}

// UserImage is Image with a user that is not root: its containers run as 1000.
func UserImage(tb testing.TB) string {
	tb.Helper()
	return busyboxImage(tb, "slipway/busybox:user", "USER 1000")
}

// PluginImage is Image with an entrypoint, as plugins have it: it prints its
// environment, sorted.
func PluginImage(tb testing.TB) string {
	tb.Helper()
	return busyboxImage(tb, "slipway/busybox:plugin", `ENTRYPOINT ["/bin/sh", "-c", "env | sort"]`)
}

// ServiceImage is Image with a program of its own that listens on the port which
// it exposes, 5432.
func ServiceImage(tb testing.TB) string {
	tb.Helper()
	return busyboxImage(tb, "slipway/busybox:service", "EXPOSE 5432", `CMD ["/bin/busybox", "httpd", "-f", "-p", "5432"]`)
}

// Docker returns a client for the engine of DOCKER_HOST, closed with the test,
// which fails if no engine answers.
func Docker(tb testing.TB) *client.Client {
	tb.Helper()
	cli, err := docker.Dial(os.Getenv("DOCKER_HOST"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cli.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := docker.Ping(ctx, cli); err != nil {
		tb.Fatalf("this test needs Docker: %v", err)
	}
	return cli
}

func busyboxImage(tb testing.TB, ref string, changes ...string) string {
	tb.Helper()
	return importImage(tb, Docker(tb), ref, changes...)
}

func importImage(tb testing.TB, cli *client.Client, ref string, changes ...string) string {
	tb.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		tb.Fatal("this test needs a static busybox (Debian: apt-get install busybox-static): ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	importing.Lock()
	defer importing.Unlock()
	if err := docker.ImportBusybox(ctx, cli, ref, busybox, changes...); err != nil {
		tb.Fatal(err)
	}
	return ref
}
