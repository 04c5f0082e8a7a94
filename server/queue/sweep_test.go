package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// orphanVolume makes a volume of a job that nobody knows.
func (w *world) orphanVolume(name string) {
	w.Helper()
	_, err := w.engine.CreateVolume(w.ctx, runner.VolumeSpec{Name: name,
		Labels: map[string]string{runner.LabelServer: serverID, runner.LabelJob: "999"}})
	w.ok(err)
}

// TestLateOrphans: what a process asked of the engine just before it was killed
// may come about after the next one has looked for what is left.
func TestLateOrphans(t *testing.T) {
	w := newWorld(t)
	w.options.SettleAfter = time.Nanosecond // over before the first look
	w.orphanVolume("early")
	looked, release := w.engine.Hang("RemoveVolume", 1)
	w.start()
	select {
	case <-looked:
	case <-w.ctx.Done():
		t.Fatal("nothing was removed")
	}
	w.orphanVolume("late")
	release()
	w.waitUntilLeft(serverID, nil)
}

// TestRemovalThatFails: what a job cannot remove is removed soon after.
func TestRemovalThatFails(t *testing.T) {
	w := newWorld(t)
	w.start()
	for n := range 5 { // as often as the job tries
		w.engine.Fail("RemoveVolume", n+1, errors.New("the engine is busy"))
	}
	b := w.build("app", workflow("test"))
	w.want(w.verdict(b), "success")
	w.waitUntilLeft(serverID, nil)
}
