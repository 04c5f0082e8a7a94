package docker_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func newEngine(t *testing.T) runner.Engine {
	return docker.New(runnertest.Docker(t), docker.Options{SandboxBinary: runnertest.SandboxBinary(t)})
}

func TestConformance(t *testing.T) {
	runnertest.Conformance(t, newEngine, runnertest.Image(t))
}

// labels returns labels of this test's own; what carries them is removed at its
// end.
func labels(t *testing.T, e runner.Engine) map[string]string {
	t.Helper()
	l := map[string]string{runner.LabelServer: "test-" + strings.ToLower(t.Name()) + "-" + filepath.Base(t.TempDir()) + "-" + randomID()}
	t.Cleanup(func() { runnertest.CleanUp(t, e, l) })
	return l
}

// TestUserCanWrite: a step whose image has a user that is not root can change
// the source tree.
func TestUserCanWrite(t *testing.T) {
	e, ctx := newEngine(t), t.Context()
	l := labels(t, e)
	v, err := e.CreateVolume(ctx, runner.VolumeSpec{Name: l[runner.LabelServer], Labels: l})
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{
		Name: l[runner.LabelServer], Labels: l, Image: runnertest.UserImage(t), VolumeID: v, MountPath: "/work",
		Entrypoint: []string{"/bin/sh", "-ec"},
		Cmd:        []string{"cd /work/src; id -u; echo more >> hello.txt; echo new > new.txt; cat hello.txt new.txt"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.FillVolume(ctx, runner.FillSpec{Name: v + "-source", Labels: l, VolumeID: v}, runnertest.Archive("src/hello.txt", "hello\n")); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Wait(ctx, id); err != nil {
		t.Fatal(err)
	}
	out, err := e.Logs(ctx, id, false)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var stdout, stderr bytes.Buffer
	if err := out.Copy(&stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if want := "1000\nhello\nmore\nnew\n"; stdout.String() != want {
		t.Errorf("output %q, want %q (%s)", stdout.String(), want, stderr.String())
	}
}

// TestHostConfig checks what cannot be seen from inside a container.
func TestHostConfig(t *testing.T) {
	cli := runnertest.Docker(t)
	e, ctx := docker.New(cli, docker.Options{Limits: runner.Limits{MemoryBytes: 256 << 20, PIDs: 99, OpenFiles: 512}}), t.Context()
	l := labels(t, e)
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{Name: l[runner.LabelServer], Labels: l, Image: runnertest.Image(t)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cli.ContainerInspect(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	h := c.HostConfig
	if h.LogConfig.Type != "json-file" || h.LogConfig.Config["max-size"] != "1000g" || h.LogConfig.Config["mode"] != "blocking" {
		t.Errorf("log %+v", h.LogConfig)
	}
	if h.Memory != 256<<20 || h.MemorySwap != h.Memory || h.PidsLimit == nil || *h.PidsLimit != 99 {
		t.Errorf("memory %d, with swap %d, pids %v", h.Memory, h.MemorySwap, h.PidsLimit)
	}
	ulimits := map[string]container.Ulimit{}
	for _, u := range h.Ulimits {
		ulimits[u.Name] = *u
	}
	if n, c := ulimits["nofile"], ulimits["core"]; n.Soft != 512 || n.Hard != 512 || c.Name == "" || c.Soft != 0 || c.Hard != 0 {
		t.Errorf("ulimits %+v", ulimits)
	}
	if h.RestartPolicy.Name != container.RestartPolicyDisabled || h.Privileged || h.AutoRemove || c.Config.OpenStdin || c.Config.Tty {
		t.Errorf("restart %v, privileged %v, auto remove %v, stdin %v, tty %v",
			h.RestartPolicy.Name, h.Privileged, h.AutoRemove, c.Config.OpenStdin, c.Config.Tty)
	}
	if want := []string{"no-new-privileges:true"}; len(h.SecurityOpt) != 1 || h.SecurityOpt[0] != want[0] {
		t.Errorf("security options %q, want %q and so the default profiles", h.SecurityOpt, want)
	}
}

// TestPrivileged: the hardening is off, and the limits hold. Not every machine
// that tests run on lets a container be privileged, so it is not started.
func TestPrivileged(t *testing.T) {
	cli := runnertest.Docker(t)
	e, ctx := docker.New(cli, docker.Options{}), t.Context()
	l := labels(t, e)
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{
		Name: l[runner.LabelServer], Labels: l, Image: runnertest.Image(t), Privileged: true, Limits: runner.Limits{MemoryBytes: 64 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cli.ContainerInspect(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	h := c.HostConfig
	if !h.Privileged || len(h.CapDrop) > 0 || slices.Contains(h.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("privileged %v, dropped capabilities %q, security options %q", h.Privileged, h.CapDrop, h.SecurityOpt)
	}
	if h.Memory != 64<<20 || h.PidsLimit == nil || *h.PidsLimit != 4096 || h.Init == nil || !*h.Init {
		t.Errorf("memory %d, pids %v, init %v", h.Memory, h.PidsLimit, h.Init)
	}
}

// TestIsolation: what is chosen reaches the engine, and a runtime that it does
// not have is told in the words of whoever can change it. The tests' engine has
// runc only, which has a name too.
func TestIsolation(t *testing.T) {
	cli := runnertest.Docker(t)
	e, ctx := docker.New(cli, docker.Options{}), t.Context()
	l := labels(t, e)
	spec := runner.ContainerSpec{Name: l[runner.LabelServer], Labels: l, Image: runnertest.Image(t),
		Isolation: runner.Isolation{Runtime: "no-such-runtime"}}
	_, err := e.CreateContainer(ctx, spec)
	if !errors.Is(err, runner.ErrStart) || !strings.Contains(err.Error(), `no runtime "no-such-runtime"`) ||
		!strings.Contains(err.Error(), "the repository's setting runtime") {
		t.Errorf("error %v, want one that names the runtime and the setting", err)
	}
	spec.Isolation = runner.Isolation{Runtime: "runc", UserNS: "host"}
	id, err := e.CreateContainer(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cli.ContainerInspect(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if c.HostConfig.Runtime != "runc" || c.HostConfig.UsernsMode != "host" {
		t.Errorf("runtime %q, users %q", c.HostConfig.Runtime, c.HostConfig.UsernsMode)
	}
}

// TestSubnetsRunOut: networks share a range of four subnets, and what is
// released can be had again.
func TestSubnetsRunOut(t *testing.T) {
	e := docker.New(runnertest.Docker(t), docker.Options{Subnets: netip.MustParsePrefix("10.174.9.0/28"), SubnetBits: 30})
	ctx, l := t.Context(), labels(t, e)
	var last string
	for i := range 4 {
		id, err := e.CreateNetwork(ctx, runner.NetworkSpec{Name: l[runner.LabelServer] + string(rune('a'+i)), Labels: l})
		if err != nil {
			t.Fatal(err)
		}
		last = id
	}
	more := runner.NetworkSpec{Name: l[runner.LabelServer] + "more", Labels: l}
	if _, err := e.CreateNetwork(ctx, more); err == nil || !strings.Contains(err.Error(), "10.174.9.0/28") {
		t.Fatalf("error %v, want one that names the range", err)
	}
	if err := e.RemoveNetwork(ctx, last); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateNetwork(ctx, more); err != nil {
		t.Error(err)
	}
}

// TestNetworkOfOneName: old engines would make several.
func TestNetworkOfOneName(t *testing.T) {
	e, ctx := newEngine(t), t.Context()
	l := labels(t, e)
	ids := make(chan string, 4)
	for range cap(ids) {
		go func() {
			id, err := e.CreateNetwork(ctx, runner.NetworkSpec{Name: l[runner.LabelServer], Labels: l})
			if err != nil {
				t.Error(err)
			}
			ids <- id
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Errorf("networks %s and %s have one name", first, id)
		}
	}
}

func TestListNeedsLabels(t *testing.T) {
	if found, err := newEngine(t).List(t.Context(), nil); err == nil {
		t.Errorf("List without labels returned %d resources", len(found))
	}
}

// TestPullFromNowhere: here no registry can be reached, anywhere there is none
// of this name.
func TestPullFromNowhere(t *testing.T) {
	for _, policy := range []pipeline.Pull{pipeline.PullIfNotPresent, pipeline.PullAlways} {
		err := newEngine(t).PullImage(t.Context(), runner.ImageSpec{Image: "registry.invalid/slipway/nosuch:1", Policy: policy}, io.Discard)
		if !errors.Is(err, runner.ErrImage) || !strings.HasPrefix(err.Error(), "image registry.invalid/slipway/nosuch:1 ") {
			t.Errorf("%s: error %v, want one of the image", policy, err)
		}
	}
}

func TestImportBusybox(t *testing.T) {
	cli, ref := runnertest.Docker(t), runnertest.Image(t)
	t.Run("present", func(t *testing.T) {
		if err := docker.ImportBusybox(t.Context(), cli, ref, "/no/such/busybox"); err != nil {
			t.Errorf("an image that is present: %v", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		err := docker.ImportBusybox(t.Context(), cli, "slipway/none:1", "/no/such/busybox")
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "busybox-static") {
			t.Errorf("error %v, want one that says what to install", err)
		}
	})
	t.Run("dynamic", func(t *testing.T) {
		tool, err := exec.LookPath("tar")
		if err != nil {
			t.Fatal(err)
		}
		err = docker.ImportBusybox(t.Context(), cli, "slipway/none:1", tool)
		if err == nil || !strings.Contains(err.Error(), "linked dynamically") {
			t.Errorf("error %v, want one about linking", err)
		}
	})
}

// TestLimitAboveTheEngines tells the admin which setting it is. No engine may
// have more open files than the kernel allows one process.
func TestLimitAboveTheEngines(t *testing.T) {
	e, ctx := newEngine(t), t.Context()
	l := labels(t, e)
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{Name: l[runner.LabelServer], Labels: l, Image: runnertest.Image(t),
		Entrypoint: []string{"/bin/true"}, Limits: runner.Limits{OpenFiles: 1 << 40}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(ctx, id); !errors.Is(err, runner.ErrStart) || !strings.Contains(err.Error(), "SLIPWAY_STEP_FILES") {
		t.Errorf("error %v, want one that names the setting", err)
	}
}
