package queue

import (
	"context"

	"github.com/slipway-ci/slipway/store"
)

// active is a running job as Run sees it. It belongs to Run's goroutine.
type active struct {
	job     store.Job
	cancel  context.CancelCauseFunc
	kill    chan struct{} // closed to end the grace period
	cancels int           // requests passed on so far
	ended   bool          // its verdict stands; what it had is being removed
}

// end says that a job's verdict stands, or, when it is gone, that its goroutine
// is about to end.
type end struct {
	jobID int64
	gone  bool
}

// note brings the running jobs up to date.
func (e end) note(running map[int64]*active) {
	if e.gone {
		delete(running, e.jobID)
	} else {
		running[e.jobID].ended = true
	}
}

// room reports whether another job may be claimed. A job makes room when its
// verdict stands, since removing what it had, the network above all, takes as long
// as a short step. But there are at most twice as many as run, so that removals
// do not pile up where the engine is slow.
func (q *Queue) room(running map[int64]*active) bool {
	ended := 0
	for _, a := range running {
		if a.ended {
			ended++
		}
	}
	return len(running)-ended < q.MaxJobs && len(running) < 2*q.MaxJobs
}

// start runs a job in a goroutine of its own, and tells Run of its end.
func (q *Queue) start(work context.Context, running map[int64]*active, j store.Job) {
	ctx, cancel := context.WithCancelCause(work)
	a := &active{job: j, cancel: cancel, kill: make(chan struct{})}
	running[j.ID] = a
	q.held.Store(j.ID, nil)
	q.wg.Go(func() {
		defer cancel(nil)
		q.runJob(work, ctx, j, a.kill, func() { q.ends <- end{jobID: j.ID} })
		q.held.Delete(j.ID)
		q.ends <- end{jobID: j.ID, gone: true}
	})
}
