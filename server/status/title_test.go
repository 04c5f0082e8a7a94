package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// fail claims a job and ends it by its first step, and returns that one.
func (w *world) fail() store.FailedStep {
	w.Helper()
	j, err := w.store.Claim(w.ctx)
	w.ok(err)
	w.ok(w.store.StartStep(w.ctx, j.ID, 1, w.now()))
	w.ok(w.store.FinishStep(w.ctx, store.Step{JobID: j.ID, Number: 1, Status: store.Failure, Exited: true, ExitCode: 1, FinishedAt: w.now()}))
	w.ok(w.store.FinishJob(w.ctx, j.ID, store.Failure, "step test failed: exit code 1", 1))
	steps, err := w.store.UndigestedSteps(w.ctx, 100)
	w.ok(err)
	return steps[len(steps)-1]
}

func (w *world) find(st store.FailedStep, title string, known bool) {
	w.Helper()
	w.ok(w.store.SaveFinding(w.ctx, store.Digest{StepID: st.ID, BuildID: st.Build.ID, RepoID: st.Build.RepoID, Title: title, Known: known}))
}

// waitSaid waits for a status with that description.
func (w *world) waitSaid(sha, description string) {
	w.Helper()
	_, err := w.repo.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.Description == description })
	w.ok(err)
}

// While the digest is being worked out the verdict waits for it, and others do
// not wait for that one.
func TestVerdictSaysWhatFailed(t *testing.T) {
	for _, c := range []struct {
		title string
		known bool
		want  string
	}{
		{"TestTide: tide_test.go:7: too low", true, "slipway failure: test: TestTide: tide_test.go:7: too low"},
		{"Done in 3.1 s", false, "slipway failure: step test failed: exit code 1"},
	} {
		w := newWorld(t)
		w.stand()
		sha := w.commit()
		w.build(sha, "main")
		w.waitPosted(sha, "pending")
		st := w.fail()
		other := w.commit()
		w.build(other, "main")
		w.waitPosted(other, "pending")
		w.find(st, c.title, c.known)
		w.waitPosted(sha, "failure")
		w.until(sha, "it is delivered", delivered)
		got := w.posted(sha)
		w.want(got[len(got)-1], c.want)
		for _, s := range got[:len(got)-1] {
			w.want(strings.HasPrefix(s, "slipway pending: "), true)
		}
	}
}

func TestVerdictDoesNotWaitForADigestThatTakesLong(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	w.build(sha, "main")
	st := w.fail()
	w.waitSaid(sha, "step test failed: exit code 1")
	w.find(st, "TestTide: too low", true)
	w.waitSaid(sha, "test: TestTide: too low")
}

// What becomes known while nobody sends statuses is said at the next start; and
// a job that ended in the future, by a clock that was set back, is not waited for.
func TestVerdictAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.stand()
	sha := w.commit()
	w.build(sha, "main")
	w.waitPosted(sha, "pending")
	st := w.fail()
	w.stop()
	w.find(st, "TestTide: too low", true)
	w.start()
	w.waitSaid(sha, "test: TestTide: too low")

	w.stop()
	later := w.commit()
	w.build(later, "main")
	w.fail()
	w.add(-time.Hour)
	w.start()
	w.waitSaid(later, "step test failed: exit code 1")
}
