package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/store"
)

// maxTries to run a job that slipway itself keeps from going on, such as with a
// database that fails. Each takes up what the one before it left.
const maxTries = 5

// errPlan: the stored plan cannot be read. Trying again does not help.
var errPlan = errors.New("read plan")

// runJob runs one job to its end, or leaves it running when work ends. ctx is
// below work and ends too when the job is to be canceled. It calls ended, maybe
// more than once, when the job's end is recorded.
func (q *Queue) runJob(work, ctx context.Context, j store.Job, kill <-chan struct{}, ended func()) {
	log := q.Logger.With("build", j.BuildID, "job", j.ID)
	o := &observer{q: q, job: j, ended: func(r runner.JobResult) error {
		err := q.finish(work, log, j, r)
		if err == nil {
			ended()
		}
		return err
	}}
	for try := 1; ; try++ {
		err := q.tryJob(work, ctx, log, o, kill)
		switch {
		case err == nil:
			if try > 1 { // the try before may have ended it and removed half of it
				q.removeJob(work, log, j)
			}
			return
		case errors.Is(err, runner.ErrDetach):
			log.Info("left running")
			return
		case work.Err() != nil: // going down; the next process takes it up
			return
		case try == maxTries || errors.Is(err, errPlan):
			log.Error("job ended by an internal error", "error", err)
			q.removeJob(work, log, j)
			_ = o.ended(runner.JobResult{Status: runner.Error, Reason: "internal error: see the server's log"}) // as above
			return
		}
		log.Error("job was cut off, taking it up again", "try", try, "error", err)
		if !q.pause(work) {
			return
		}
	}
}

// removeJob removes what a job left that was not run to its end. What cannot be
// removed is found again by the sweep.
func (q *Queue) removeJob(ctx context.Context, log *slog.Logger, j store.Job) {
	left, err := q.Engine.List(ctx, map[string]string{
		runner.LabelServer: q.ServerID, runner.LabelJob: strconv.FormatInt(j.ID, 10)})
	if err == nil {
		err = runner.RemoveResources(ctx, q.Engine, left)
	}
	if err != nil {
		log.Warn("cannot remove what a job left", "error", err)
		q.sweepAgain()
	}
}

// pause waits before another try, and reports whether there is to be one.
func (q *Queue) pause(work context.Context) bool {
	t := time.NewTimer(q.RetryAfter)
	defer t.Stop()
	select {
	case <-work.Done():
		return false
	case <-t.C:
		return true
	}
}

// tryJob runs a job, or goes on with one, and returns when its end is recorded
// and what it had is removed. What it needs is read below work and not below
// ctx: a job that is to be canceled is stopped by its plan too.
func (q *Queue) tryJob(work, ctx context.Context, log *slog.Logger, o *observer, kill <-chan struct{}) error {
	j := o.job
	b, err := q.Store.BuildByID(work, j.BuildID)
	if err != nil {
		return err
	}
	r, err := q.Store.RepoByID(work, j.RepoID)
	if err != nil {
		return err
	}
	log = log.With("repo", r.FullName())
	state, err := q.state(work, j)
	if err != nil {
		return err
	}
	rj := runner.Job{
		Server: q.ServerID,
		ID:     strconv.FormatInt(j.ID, 10),
		Labels: map[string]string{
			runner.LabelRepo:  r.FullName(),
			runner.LabelBuild: strconv.FormatInt(b.Number, 10),
		},
		Nonce:         j.Nonce,
		Secrets:       q.Secrets,
		AllowMetadata: allowMetadata(r, b),
		Limits:        q.Limits,
		Isolation:     runner.Isolation{Runtime: r.Runtime, UserNS: r.UserNS}.Or(q.Isolation),
		MaxSteps:      q.MaxSteps,
		Timeout:       q.Timeout,
		Grace:         q.Grace,
		MaxOutput:     q.MaxOutput,
		Started:       j.StartedAt,
		Kill:          kill,
		Logger:        log,
	}
	if err := json.Unmarshal(j.Plan, &rj.Workflow); err != nil {
		return fmt.Errorf("%w: %w", errPlan, err)
	}
	if !rj.Workflow.Clone.Skip {
		rj.Source = func(ctx context.Context) (io.ReadCloser, error) { return q.source(ctx, r, b, rj.Workflow) }
	}
	if err := q.addLogins(work, &rj, r, b); err != nil {
		return err
	}
	res, err := runner.Run(ctx, rj, state, q.Engine, o)
	if res.Left {
		q.sweepAgain()
	}
	return err
}

// allowMetadata reports whether a build's steps may reach the metadata services.
// What those hand out is as good as a secret, which a fork's code never gets.
func allowMetadata(r store.Repo, b store.Build) bool {
	return r.Trust.Metadata && (b.Pull == nil || !b.Pull.Fork)
}

// state is what was recorded of a job by an earlier process.
func (q *Queue) state(ctx context.Context, j store.Job) (runner.State, error) {
	s := runner.State{
		Ops:     map[string]runner.OpRecord{},
		Started: map[int]time.Time{},
		Results: map[int]runner.StepResult{},
		Used:    map[int]runner.Usage{},
	}
	ops, err := q.Store.Ops(ctx, j.ID)
	if err != nil {
		return s, err
	}
	for _, o := range ops {
		s.Ops[o.Key] = runner.OpRecord{Done: o.Done, ID: o.ID}
	}
	steps, err := q.Store.Steps(ctx, j.ID)
	if err != nil {
		return s, err
	}
	for _, st := range steps {
		switch {
		case st.Status.Final():
			s.Results[st.Number] = runner.StepResult{Status: runner.Status(st.Status), ExitCode: st.ExitCode,
				Exited: st.Exited, Reason: st.Reason, StartedAt: st.StartedAt, FinishedAt: st.FinishedAt}
		case st.Status == store.Running:
			s.Started[st.Number] = st.StartedAt
			s.Used[st.Number] = runner.Usage{CPU: st.CPU, PeakMemory: st.PeakMemory}
		}
	}
	return s, nil
}

// finish records the end of a job, unless it is recorded. It keeps at it while
// the database fails, since a job without an end is a commit without a verdict.
// The error is that work ended meanwhile; the next process takes the job up.
func (q *Queue) finish(work context.Context, log *slog.Logger, j store.Job, r runner.JobResult) error {
	ctx := context.WithoutCancel(work)
	for {
		err := q.Store.FinishJob(ctx, j.ID, store.Status(r.Status), r.Reason, r.Step)
		switch {
		case err == nil:
			log.Info("job ended", "status", r.Status, "reason", r.Reason)
			return nil
		case errors.Is(err, store.ErrConflict):
			return nil
		}
		log.Error("cannot record the end of a job, trying again", "error", err)
		if !q.pause(work) {
			return context.Cause(work)
		}
	}
}
