package docker_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// wide fills a pool of one for jobs that want so many sandboxes.
func (w *poolWorld) wide(sandboxes int) (p *poolProcess, ready []string) {
	w.Helper()
	p = w.start(1)
	p.filled(1)
	p.wideNetwork(1, sandboxes)
	p.filled(1)
	p.removeJob(1)
	return p, p.filled(1)
}

// idOf returns the ID of a container.
func (w *poolWorld) idOf(name string) string {
	w.Helper()
	return w.inspect(name).ID
}

func (w *poolWorld) inspect(name string) container.InspectResponse {
	w.Helper()
	c, err := w.cli.ContainerInspect(w.ctx, name)
	w.ok(err)
	return c
}

// TestPoolOfWideJobs: after a job of several sandboxes as many stand ready, which
// the next job takes one by one.
func TestPoolOfWideJobs(t *testing.T) {
	w := newPoolWorld(t)
	p, names := w.wide(3)
	if len(names) != 3 {
		t.Fatalf("%q stand ready, want three sandboxes", names)
	}
	if left := p.left(0); len(left) > 0 {
		t.Errorf("what stands ready is listed, and so would be swept: %+v", left)
	}
	var ready []string
	for _, name := range names {
		ready = append(ready, w.idOf(name))
	}
	n := p.wideNetwork(2, 3)
	var taken []string
	for i := range 4 {
		taken = append(taken, p.nthSandbox(2, n, 1+i))
		if slices.Contains(ready, taken[i]) != (i < 3) {
			t.Errorf("sandbox %d stood ready: %v", i+1, i >= 3)
		}
	}
	slices.Sort(taken)
	if len(slices.Compact(taken)) != 4 {
		t.Errorf("sandboxes were given twice: %q", taken)
	}
	if left := p.left(2); len(left) != 5 {
		t.Errorf("the job has %+v, want four sandboxes and a network", left)
	}
	p.removeJob(2)
	p.filled(1)
	p.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestWidePoolProcessDies: the next process has the spares that stood ready, and
// those of a job go with it.
func TestWidePoolProcessDies(t *testing.T) {
	w := newPoolWorld(t)
	dead, _ := w.wide(2) // it will not be told to stop
	dead.wideNetwork(2, 2)
	before := dead.filled(1)
	p := w.start(1)
	if left := p.left(2); len(left) != 3 {
		t.Errorf("the job has %+v, want two sandboxes and a network", left)
	}
	after := p.filled(1)
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) || len(after) != 3 { // the first is the job's
		t.Errorf("%q stood ready, and now %q", before, after)
	}
	p.removeJob(2)
	w.ok(w.cli.ContainerKill(w.ctx, after[2], "SIGKILL"))
	p.stop()
	next := w.start(1)
	if now := next.filled(1); slices.Contains(now, after[1]) {
		t.Errorf("%s was adopted without a sandbox of it: %q", after[1], now)
	}
	next.stop()
	dead.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// forgetful loses answers to renames.
type forgetful struct {
	client.APIClient
	lose, renames atomic.Int32
	unasked       atomic.Bool // loses the questions too
}

func (f *forgetful) ContainerRename(ctx context.Context, id, name string) error {
	f.renames.Add(1)
	lost := f.lose.Add(-1) >= 0
	if lost && f.unasked.Load() {
		return errors.New("lost")
	}
	err := f.APIClient.ContainerRename(ctx, id, name)
	if lost {
		return errors.New("lost")
	}
	return err
}

// TestPoolLosesAnswers: what has the job's name is the job's, and is tried no more
// than once.
func TestPoolLosesAnswers(t *testing.T) {
	w := newPoolWorld(t)
	api := &forgetful{APIClient: w.cli}
	w.api = api
	p, ready := w.wide(3)
	var ids []string
	for _, name := range ready {
		ids = append(ids, w.idOf(name))
	}
	job := 1
	for _, unasked := range []bool{false, true} {
		job++
		api.unasked.Store(unasked)
		api.lose.Store(2)
		api.renames.Store(0)
		n := p.wideNetwork(job, 3)
		if c := w.inspect(p.nthSandbox(job, n, 1)); string(c.HostConfig.NetworkMode) != n {
			t.Errorf("the first sandbox is on network %s, want %s", c.HostConfig.NetworkMode, n)
		}
		for i := range 2 {
			if c := w.inspect(p.nthSandbox(job, n, 2+i)); string(c.HostConfig.NetworkMode) != n || !unasked && !slices.Contains(ids, c.ID) {
				t.Errorf("sandbox %d: %s on network %s, want one that stood ready on %s", 2+i, c.ID, c.HostConfig.NetworkMode, n)
			}
		}
		if got := api.renames.Load(); !unasked && got > 3 {
			t.Errorf("%d renames", got)
		}
		p.removeJob(job)
		p.filled(1)
	}
	p.removeJob(0) // as the sweep does with what is nobody's
	p.stop()
	if left := w.anything(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
