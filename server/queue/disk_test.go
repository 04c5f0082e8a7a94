package queue_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/queue"
	"github.com/slipway-ci/slipway/store"
)

const mib = 1 << 20

// smallDisk is a directory that holds 8 MiB, of which a queue wants 4 MiB free.
type smallDisk struct {
	*world
	dir string
}

func newSmallDisk(w *world) *smallDisk {
	w.Helper()
	d := &smallDisk{world: w, dir: w.TempDir()}
	w.options.Disk = queue.Disk{Floor: 4 * mib, Every: time.Millisecond, Free: d.free, Reclaim: d.nothing}
	return d
}

func (d *smallDisk) free() (int64, error) {
	left := int64(8 * mib)
	files, err := os.ReadDir(d.dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			left -= info.Size()
		}
	}
	return left, err
}

func (d *smallDisk) nothing(context.Context) (bool, error) { return false, nil }

func (d *smallDisk) fill(name string, size int) {
	d.ok(os.WriteFile(filepath.Join(d.dir, name), make([]byte, size), 0o600))
}

func (d *smallDisk) remove(name string) { d.ok(os.Remove(filepath.Join(d.dir, name))) }

// waitReason waits until the build has the reason, in full or up to a "…".
func (w *world) waitReason(b store.Build, want string) {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		got, err := w.store.BuildByID(w.ctx, b.ID)
		w.ok(err)
		if strings.HasPrefix(got.Reason, want) {
			return
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("the build's reason is %q, want %q", got.Reason, want)
		}
	}
}

// TestFullDiskWaits: nothing is claimed, the page says why, and it goes on.
func TestFullDiskWaits(t *testing.T) {
	w := newWorld(t)
	d := newSmallDisk(w)
	d.fill("foreign", 5*mib)
	w.start()
	b := w.build("app", workflow("test"))
	w.waitReason(b, "waiting for disk space: less than 4.0 MiB is free")
	w.waitLogged("the disk is nearly full")
	job, _ := w.job(b)
	w.want([]any{job.Status, strings.HasPrefix(job.Reason, "waiting for disk space")}, []any{store.Pending, true})
	d.waitHalted("waiting for disk space: less than 4.0 MiB is free on the server")
	d.remove("foreign")
	d.waitHalted("")
	w.want(w.verdict(b), "success")
	w.waitLogged("there is room on the disk again")
	job, _ = w.job(b)
	w.want(job.Reason, "")
}

// TestFullDiskReclaims: what slipway keeps for speed goes first.
func TestFullDiskReclaims(t *testing.T) {
	w := newWorld(t)
	d := newSmallDisk(w)
	caches := []string{"oldest", "newer"}
	for _, name := range caches {
		d.fill(name, 3*mib)
	}
	w.options.Disk.Reclaim = func(context.Context) (bool, error) {
		d.remove(caches[0])
		caches = caches[1:]
		return true, nil
	}
	w.start()
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.want(caches, []string{"newer"})
}

// TestJobThatFillsTheDisk fails itself, and not its neighbour.
func TestJobThatFillsTheDisk(t *testing.T) {
	w := newWorld(t)
	d := newSmallDisk(w)
	begun, done := make(chan struct{}), make(chan struct{})
	w.engine.Step(1, func(p *runnertest.Process) int {
		p.Fill(10)
		close(begun)
		return runnertest.Until(done, 0)(p)
	}, func(p *runnertest.Process) int {
		p.Fill(7 * mib)
		d.fill("workspace", 7*mib)
		<-p.Killed()
		d.remove("workspace")
		return 137
	})
	w.start()
	innocent := w.build("innocent", workflow("test"))
	w.await(begun) // the programs are for the containers in the order in which these are made
	filler := w.build("filler", workflow("test"))
	w.want(w.verdict(filler), "failure: step test failed: the disk is nearly full, and this job takes the most of it: 7.0 MiB")
	close(done)
	w.want(w.verdict(innocent), "success")
}

// TestOtherDiskIsFull: no job is stopped for room that it does not take.
func TestOtherDiskIsFull(t *testing.T) {
	w := newWorld(t)
	d := newSmallDisk(w)
	looked := make(chan struct{}, 1)
	w.options.Disk.StepsFree = func() (int64, error) {
		if free, err := d.free(); err != nil || free > 2*mib {
			return free, err
		}
		select {
		case looked <- struct{}{}:
		default:
		}
		return 100 * mib, nil
	}
	w.engine.Step(1, func(p *runnertest.Process) int {
		p.Fill(10)
		d.fill("foreign", 7*mib)
		for range 2 { // the second look comes after all that the first one led to
			select {
			case <-looked:
			case <-p.Terminated():
				return 143
			}
		}
		return 0
	})
	w.start()
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
}

// TestDiskThatIsNoLongerFull: who takes the most once there is room again, after
// the one who filled the disk has gone, is not stopped.
func TestDiskThatIsNoLongerFull(t *testing.T) {
	w := newWorld(t)
	d := newSmallDisk(w)
	looked := make(chan struct{}, 1)
	w.options.Disk.Free = func() (int64, error) {
		select {
		case looked <- struct{}{}:
		default:
		}
		return d.free()
	}
	counting, count := w.engine.Hang("DiskUsage", 1)
	w.engine.Step(1, func(p *runnertest.Process) int {
		p.Fill(10)
		d.fill("gone", 7*mib)
		if code := runnertest.Until(counting, 0)(p); code != 0 {
			return code
		}
		d.remove("gone")
		count()
		for range 4 { // the last look comes after all that the count led to
			if code := runnertest.Until(looked, 0)(p); code != 0 {
				return code
			}
		}
		return 0
	})
	w.start()
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
}

// waitHalted waits until the store says that for this reason nothing is claimed.
func (w *world) waitHalted(want string) {
	w.Helper()
	sub := w.store.Subscribe()
	defer sub.Close()
	for {
		got, err := w.store.WaitReason(w.ctx)
		w.ok(err)
		if got == want {
			return
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("nothing is claimed because of %q, want %q", got, want)
		}
	}
}
