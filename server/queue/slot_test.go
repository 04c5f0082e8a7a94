package queue_test

import (
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
)

// A job whose verdict stands is in nobody's way, but its removal is not
// forgotten, and no more of them pile up than jobs may run.
func TestRemovalsAreInNobodysWay(t *testing.T) {
	w := newWorld(t)
	w.options.MaxJobs = 1
	first, releaseFirst := w.engine.Hang("RemoveNetwork", 1)
	second, releaseSecond := w.engine.Hang("RemoveNetwork", 2)
	r := w.start()
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.await(first)
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.await(second)

	b := w.build("app", workflow("test"))
	if job, _ := w.job(b); job.Status != store.Pending {
		t.Errorf("with two being removed, the third is %s", job.Status)
	}
	releaseFirst()
	w.want(w.verdict(b), "success")
	r.claim(nil)
	releaseSecond()
	w.ok(<-r.done)
	w.want(w.left(serverID), []string(nil)) // Run has waited for it
}

// The sweep leaves alone what a job that has ended is removing.
func TestSweepLeavesRemovalsAlone(t *testing.T) {
	w := newWorld(t)
	listing, list := w.engine.Hang("List", 1) // the sweep's
	w.start()
	w.await(listing)
	removing, remove := w.engine.Hang("RemoveNetwork", 1) // the job's
	w.want(w.verdict(w.build("app", workflow("test"))), "success")
	w.await(removing)
	_, err := w.engine.CreateVolume(w.ctx, runner.VolumeSpec{Name: "orphan", Labels: map[string]string{runner.LabelServer: serverID}})
	w.ok(err)
	swept, sweep := w.engine.Hang("RemoveVolume", 1) // the sweep's, after all networks
	list()
	w.await(swept)
	if strings.Contains(w.log(), "kind=network") {
		t.Errorf("the sweep did; the log:\n%s", w.log())
	}
	sweep()
	remove()
	w.waitUntilLeft(serverID, nil)
}

// await waits until a call of the engine is there.
func (w *world) await(reached <-chan struct{}) {
	w.Helper()
	select {
	case <-reached:
	case <-w.ctx.Done():
		w.Fatalf("nobody called; the log:\n%s", w.log())
	}
}
