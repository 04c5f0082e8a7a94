package runner

import (
	"context"
	"errors"
	"io"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// lookAhead is how many steps are made warm beside those that run. Two were
// measured to be enough: a step that takes longer than two starts gives the time
// for the next two anyway.
const lookAhead = 2

// errCold: a step that was made warm will not run.
var errCold = errors.New("its turn does not come")

// A warmth is a container that waits at its gate for its step's turn. Nothing
// hangs on it: a step that could not be made warm is started when its turn
// comes, where it can tell what is wrong.
type warmth struct {
	end  context.CancelCauseFunc // gives up making it
	done chan struct{}           // closed when what follows is set
	id   string
	out  Output // attached; nil if it could not be made
}

// wait returns the container, or nil for out if there is none.
func (w *warmth) wait(ctx context.Context) (id string, out Output) {
	select {
	case <-w.done:
		return w.id, w.out
	case <-ctx.Done():
		return "", nil
	}
}

// drop gives it up and returns when nothing is done for it any more. Its
// container stays.
func (w *warmth) drop() {
	w.end(errCold)
	<-w.done
	if w.out != nil {
		_ = w.out.Close() // it has said nothing
	}
}

// warmAhead makes the next steps warm, once those before them run: they must not
// be held up.
func (r *run) warmAhead() {
	if !r.warmable || r.work.Err() != nil {
		return
	}
	warm := 0
	for _, s := range r.steps {
		switch {
		case s.done:
		case s.launched && !s.started:
			return
		case !s.launched && s.warmth != nil:
			warm++
		}
	}
	for _, s := range r.steps {
		if warm >= lookAhead || warm+r.running() >= r.limit.steps {
			return
		}
		if s.mayBeNext() {
			r.warm(s)
			warm++
		}
	}
}

// cool gives up what was made warm and not used.
func (r *run) cool() {
	for _, s := range r.steps {
		if s.warmth != nil {
			s.warmth.drop()
		}
	}
}

// mayBeNext reports whether a step can be made warm: all that it waits for
// runs, or is warm itself, and it would run if that succeeds.
func (s *step) mayBeNext() bool {
	if s.done || s.launched || s.warmth != nil || s.background() || !gated(s.plan) ||
		!s.plan.OnSuccess || s.unresolved != nil || s.plan.Pull == pipeline.PullAlways {
		return false
	}
	for _, d := range s.services {
		if !d.started || d.done {
			return false
		}
	}
	for _, d := range s.needs {
		switch {
		case d.counts(), d.done && d.blameOf() != nil:
			return false
		case !d.done && !d.launched && d.warmth == nil:
			return false
		}
	}
	return len(s.needs) > 0
}

// warm starts to make a step warm.
func (r *run) warm(s *step) {
	ctx, end := context.WithCancelCause(r.work)
	w := &warmth{end: end, done: make(chan struct{})}
	s.warmth, s.created = w, true
	r.assignSlot(s)
	started := r.starts.begin()
	go func() { // drop waits for it
		defer close(w.done)
		defer started()
		w.id, w.out = s.makeWarm(ctx)
	}()
}

// makeWarm starts the step's container and returns its output, or nil.
func (s *step) makeWarm(ctx context.Context) (id string, out Output) {
	r := s.run
	// An image that is still to come may come from the steps before.
	if r.eng.PullImage(ctx, ImageSpec{Image: s.plan.Image, Policy: pipeline.PullNever, Login: r.job.Login}, io.Discard) != nil {
		return "", nil
	}
	select {
	case <-r.setup.volumeMade:
	case <-ctx.Done():
		return "", nil
	}
	id, err := s.create(ctx, nil)
	if err == nil {
		err = s.awaitSandbox(ctx)
	}
	if err == nil {
		out, err = s.arrive(id)
	}
	if err != nil {
		r.log.Debug("a step is not made warm", "job", r.job.ID, "step", s.plan.Name, "error", r.words(err))
		return "", nil
	}
	return id, out
}

// warmable reports whether the job's steps may be made warm: not if one of them
// may change what images the engine has, and so what another one runs.
func warmable(j *Job) bool {
	for n := 1; n <= j.Steps(); n++ {
		s := j.Step(n)
		if s.Privileged || len(s.Devices) > 0 {
			return false
		}
		for _, m := range s.Volumes {
			if m.Kind == pipeline.MountHost {
				return false
			}
		}
	}
	return true
}
