package docker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/oklog/ulid/v2"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// A poolWorld is a server with a pool, whose processes come and go.
type poolWorld struct {
	*testing.T
	ctx    context.Context
	cli    *client.Client
	api    client.APIClient // of the processes
	server string
	binary string
}

func newPoolWorld(t *testing.T) *poolWorld {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	cli := runnertest.Docker(t)
	w := &poolWorld{T: t, ctx: ctx, cli: cli, api: cli, server: "test" + strings.ToLower(ulid.Make().String()), binary: runnertest.SandboxBinary(t)}
	t.Cleanup(func() { // of what a failed test leaves
		runnertest.CleanUp(t, docker.New(w.cli, docker.Options{}), map[string]string{runner.LabelServer: w.server})
	})
	return w
}

// process is an engine with a pool that is being filled.
type poolProcess struct {
	*poolWorld
	*docker.Engine
	pool *docker.Pool
	stop func() // gracefully
}

func (w *poolWorld) start(size int) *poolProcess {
	e := docker.New(w.api, docker.Options{SandboxBinary: w.binary})
	pool := docker.NewPool(e, docker.PoolOptions{Server: w.server, Size: size})
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.ctx))
	done := make(chan struct{})
	go func() { defer close(done); pool.Run(ctx) }()
	p := &poolProcess{w, e, pool, func() { cancel(); <-done }}
	w.Cleanup(p.stop)
	return p
}

// labels of a job, 0 for none.
func (w *poolWorld) labels(job int) map[string]string {
	l := map[string]string{runner.LabelServer: w.server}
	if job > 0 {
		l[runner.LabelJob] = fmt.Sprint(job)
	}
	return l
}

// waiting returns the names of the sandboxes that nobody took.
func (w *poolWorld) waiting() (names []string) {
	w.Helper()
	list, err := w.cli.ContainerList(w.ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", runner.LabelServer+"="+w.server))})
	w.ok(err)
	for _, c := range list {
		if strings.Contains(c.Names[0], "-pool-") {
			names = append(names, c.Names[0])
		}
	}
	return names
}

// filled waits until so many stand ready for the process, and returns waiting.
func (p *poolProcess) filled(size int) []string {
	p.Helper()
	for p.pool.Ready() != size {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.ctx.Done():
			p.Fatalf("%d stand ready, want %d", p.pool.Ready(), size)
		}
	}
	return p.waiting()
}

func (w *poolWorld) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// network makes a job's network, and sandbox the first sandbox on it.
func (p *poolProcess) network(job int) string {
	p.Helper()
	return p.wideNetwork(job, 1)
}

func (p *poolProcess) sandbox(job int, network string) string {
	p.Helper()
	return p.nthSandbox(job, network, 1)
}

// wideNetwork is the network of a job that wants so many sandboxes.
func (p *poolProcess) wideNetwork(job, sandboxes int) string {
	p.Helper()
	id, err := p.CreateNetwork(p.ctx, runner.NetworkSpec{Name: runner.NetworkName(p.server, fmt.Sprint(job)), Labels: p.labels(job),
		Sandbox: runner.SandboxName(p.server, fmt.Sprint(job), 0, 1), Sandboxes: sandboxes})
	p.ok(err)
	return id
}

func (p *poolProcess) nthSandbox(job int, network string, n int) string {
	p.Helper()
	id, err := p.CreateSandbox(p.ctx, runner.SandboxSpec{Name: runner.SandboxName(p.server, fmt.Sprint(job), 0, n), Labels: p.labels(job), NetworkID: network})
	p.ok(err)
	return id
}

// removeJob removes what a job has.
func (p *poolProcess) removeJob(job int) {
	p.Helper()
	p.ok(runner.RemoveResources(p.ctx, p, p.left(job)))
}

// left is what List tells of a job, 0 for all of the server.
func (p *poolProcess) left(job int) []runner.Resource {
	p.Helper()
	found, err := p.List(p.ctx, p.labels(job))
	p.ok(err)
	return found
}

// anything is all that the server has in the engine.
func (w *poolWorld) anything() (names []string) {
	w.Helper()
	f := filters.NewArgs(filters.Arg("label", runner.LabelServer+"="+w.server))
	containers, err := w.cli.ContainerList(w.ctx, container.ListOptions{All: true, Filters: f})
	w.ok(err)
	networks, err := w.cli.NetworkList(w.ctx, network.ListOptions{Filters: f})
	w.ok(err)
	for _, c := range containers {
		names = append(names, c.Names...)
	}
	for _, n := range networks {
		names = append(names, n.Name)
	}
	return names
}

// TestPoolTakeAndRefill: a job takes what stands ready, which is then its own and
// found by its label; another is made for the next job.
func TestPoolTakeAndRefill(t *testing.T) {
	w := newPoolWorld(t)
	p := w.start(1)
	before := p.filled(1)
	if left := p.left(0); len(left) > 0 {
		t.Errorf("what stands ready is listed, and so would be swept: %+v", left)
	}
	n := p.network(7)
	if again := p.network(7); again != n {
		t.Errorf("asked again, the network is %s, was %s", again, n)
	}
	box := p.sandbox(7, n)
	c, err := w.cli.ContainerInspect(w.ctx, box)
	w.ok(err)
	if c.Config.Labels["slipway.pool"] == "" || !strings.HasSuffix(before[0], c.Config.Labels["slipway.pool"]) {
		t.Errorf("the sandbox is not the one that stood ready as %s: %v", before[0], c.Config.Labels)
	}
	after := p.filled(1)
	if after[0] == before[0] {
		t.Error("the pool was not filled again")
	}
	if left := p.left(7); len(left) != 2 || left[0].ID != box || left[1].ID != n {
		t.Errorf("the job has %+v, want its sandbox %s and its network %s", left, box, n)
	}
	if left := p.left(0); len(left) != 2 {
		t.Errorf("the server's jobs have %+v", left)
	}
	w.ok(p.RemoveContainer(w.ctx, box))
	if left := p.left(7); len(left) != 1 || left[0].ID != n {
		t.Errorf("without its sandbox the job has %+v, want its network", left)
	}
	w.ok(p.RemoveNetwork(w.ctx, n))
	p.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestPoolProcessDies: what stood ready stands ready for the next process, what
// a job took is still the job's, though nothing was recorded of it.
func TestPoolProcessDies(t *testing.T) {
	w := newPoolWorld(t)
	dead := w.start(2) // it will not be told to stop
	dead.filled(2)
	n := dead.network(7)
	ready := dead.filled(2)
	other := docker.New(w.cli, docker.Options{SandboxBinary: w.binary})
	pool := docker.NewPool(other, docker.PoolOptions{Server: w.server, Size: 2})
	p := &poolProcess{w, other, pool, nil}
	if left := p.left(0); len(left) != 2 {
		t.Errorf("before the pool has looked: %+v, want what the job has", left)
	}
	if got := p.network(7); got != n {
		t.Errorf("the job's network is %s, was %s", got, n)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() { defer close(done); pool.Run(ctx) }()
	second := p.network(8) // of those that stood ready, or made for it
	p.sandbox(8, second)
	p.filled(2)
	if n, err := w.cli.NetworkInspect(w.ctx, second, network.InspectOptions{}); err != nil || !strings.Contains(strings.Join(ready, " "), n.Name) {
		t.Logf("the second job's network is %s (%v): it came before the pool had looked", n.Name, err)
	}
	left, err := p.List(w.ctx, w.labels(0))
	w.ok(err)
	w.ok(runner.RemoveResources(w.ctx, p, left))
	cancel()
	<-done
	dead.stop() // its memory of what stands ready is out of date, which harms nothing
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestPoolRemovesTheUseless: a pair whose sandbox died, and one that was never
// completed.
func TestPoolRemovesTheUseless(t *testing.T) {
	w := newPoolWorld(t)
	dead := w.start(2)
	names := dead.filled(2)
	w.ok(w.cli.ContainerKill(w.ctx, names[0], "SIGKILL"))
	w.ok(w.cli.ContainerRemove(w.ctx, names[1], container.RemoveOptions{Force: true}))
	p := w.start(1)
	for _, name := range p.filled(1) {
		if name == names[0] || name == names[1] {
			t.Errorf("%s was adopted", name)
		}
	}
	p.stop()
	dead.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// untagged makes an image of sandboxes that has lost its tag.
func (w *poolWorld) untagged() (id string) {
	w.Helper()
	ref := "slipway/sandbox:" + w.server
	busybox, err := exec.LookPath("busybox")
	w.ok(err)
	w.ok(docker.ImportBusybox(w.ctx, w.cli, ref, busybox, "LABEL slipway.sandbox=1"))
	i, err := w.cli.ImageInspect(w.ctx, ref)
	w.ok(err)
	w.ok(w.cli.ImageTag(w.ctx, runnertest.Image(w.T), ref))
	w.Cleanup(func() {
		_, err := w.cli.ImageRemove(context.Background(), ref, image.RemoveOptions{})
		w.ok(err)
	})
	return i.ID
}

// TestPoolOfAnotherVersion: what stood ready for another slipway is not adopted,
// and images of sandboxes that nobody has are removed.
func TestPoolOfAnotherVersion(t *testing.T) {
	w := newPoolWorld(t)
	dead := w.start(1)
	old := dead.filled(1)
	untagged := w.untagged()
	program, err := os.ReadFile(w.binary)
	w.ok(err)
	w.binary = filepath.Join(t.TempDir(), "slipway")
	w.ok(os.WriteFile(w.binary, append(program, "another version, of "+w.server...), 0o755))
	p := w.start(1)
	if now := p.filled(1); len(now) != 1 || now[0] == old[0] {
		t.Errorf("%s was adopted: %s stand ready", old[0], now)
	}
	if _, err := w.cli.ImageInspect(w.ctx, untagged); !errdefs.IsNotFound(err) {
		t.Errorf("image %s without a tag was not removed (%v)", untagged, err)
	}
	p.stop()
	dead.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestPoolSandboxDies: a job whose sandbox has died gets it back.
func TestPoolSandboxDies(t *testing.T) {
	w := newPoolWorld(t)
	p := w.start(1)
	p.filled(1)
	n := p.network(7)
	box := p.sandbox(7, n)
	w.ok(w.cli.ContainerKill(w.ctx, box, "SIGKILL"))
	if again := p.sandbox(7, n); again != box {
		t.Errorf("it is another: %s", again)
	}
	if st, err := p.Inspect(w.ctx, box); err != nil || !st.Running {
		t.Errorf("it does not run: %+v, %v", st, err)
	}
	w.ok(runner.RemoveResources(w.ctx, p, p.left(7)))
}

// TestPoolIsOfOneServer: another server's job takes nothing, and a job that wants
// no plain sandbox leaves it to others.
func TestPoolIsOfOneServer(t *testing.T) {
	w := newPoolWorld(t)
	p := w.start(1)
	before := p.filled(1)
	plain := runner.NetworkSpec{Name: runner.NetworkName(w.server, "7"), Labels: w.labels(7)}
	id, err := p.CreateNetwork(w.ctx, plain)
	w.ok(err)
	foreign := map[string]string{runner.LabelServer: w.server + "x", runner.LabelJob: "7"}
	other, err := p.CreateNetwork(w.ctx, runner.NetworkSpec{Name: runner.NetworkName(w.server+"x", "7"), Labels: foreign,
		Sandbox: runner.SandboxName(w.server+"x", "7", 0, 1)})
	w.ok(err)
	if after := p.filled(1); after[0] != before[0] {
		t.Error("it was taken")
	}
	w.ok(p.RemoveNetwork(w.ctx, id))
	w.ok(p.RemoveNetwork(w.ctx, other))
}

// hastyClient is a client whose caller's context ends while the engine makes a
// network, which it goes on with all the same.
type hastyClient struct {
	client.APIClient
	end  func()
	made sync.WaitGroup
}

func (c *hastyClient) NetworkCreate(ctx context.Context, name string, o network.CreateOptions) (r network.CreateResponse, err error) {
	answered := make(chan struct{})
	c.made.Go(func() {
		defer close(answered)
		r, err = c.APIClient.NetworkCreate(context.WithoutCancel(ctx), name, o)
	})
	c.end()
	select {
	case <-answered:
		return r, err
	case <-ctx.Done():
		return network.CreateResponse{}, ctx.Err()
	}
}

// TestPoolEndsWhileItMakes: what is being made then is not left behind.
func TestPoolEndsWhileItMakes(t *testing.T) {
	w := newPoolWorld(t)
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	hasty := &hastyClient{APIClient: w.cli, end: cancel}
	pool := docker.NewPool(docker.New(hasty, docker.Options{SandboxBinary: w.binary}), docker.PoolOptions{Server: w.server, Size: 1})
	pool.Run(ctx)
	hasty.made.Wait()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
