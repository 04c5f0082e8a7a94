package status_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// await runs Await on the outbox of the world until cancel is called.
func (w *world) await() (lacking func() (int, error), cancel func()) {
	ctx, cancel := context.WithTimeout(w.ctx, patience/2)
	w.Cleanup(cancel)
	type result struct {
		lacking int
		err     error
	}
	done := make(chan result, 1)
	o := w.outbox // a test may start another one meanwhile
	go func() {
		n, err := o.Await(ctx)
		done <- result{n, err}
	}()
	return func() (int, error) { r := <-done; return r.lacking, r.err }, cancel
}

func TestAwaitReturnsWhenGitHubHasEverything(t *testing.T) {
	w := newWorld(t)
	hang := w.github.Hang(githubtest.ScopeStatuses, 1)
	sha := w.commit()
	w.build(sha, "main")
	w.ok(hang.Wait(w.ctx, 1))
	w.run(store.Success, "")
	lacking, _ := w.await()
	hang.Release()
	n, err := lacking()
	w.ok(err)
	w.want(n, 0)
	w.want(w.posted(sha)[1:], []string{"slipway success: passed in 0s"})
}

// What changed a commit without changing what is to be said of it is no reason
// to wait on.
func TestAwaitWithNothingNew(t *testing.T) {
	w := newWorld(t)
	sha := w.commit()
	w.build(sha)
	w.until(sha, "it is delivered", delivered)
	w.stop()
	storetest.Exec(t, w.path, `UPDATE commits SET change = change + 1`)
	lacking, _ := w.await()
	w.start()
	n, err := lacking()
	w.ok(err)
	w.want(n, 0)
}

func TestAwaitDoesNotWaitForWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	w.github.FailNext(githubtest.ScopeStatuses, 1, http.StatusUnprocessableEntity, nil)
	w.build(w.commit())
	lacking, _ := w.await()
	n, err := lacking()
	w.ok(err)
	w.want(n, 1)
}

func TestAwaitIsBounded(t *testing.T) {
	w := newWorld(t, time.Second) // due again before Await gives up
	hang := w.github.Hang(githubtest.ScopeStatuses, 1)
	sha := w.commit()
	w.build(sha)
	w.ok(hang.Wait(w.ctx, 1))
	lacking, cancel := w.await()
	cancel()
	if _, err := lacking(); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
