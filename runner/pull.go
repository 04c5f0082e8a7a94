package runner

import (
	"context"
	"io"
	"sync"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// pulls makes images present, each once at a time, whoever asks for it. An
// image that was pulled is not asked for again in the same job; one that could
// not be had is.
type pulls struct {
	running sync.WaitGroup
	mu      sync.Mutex // guards what follows
	images  map[imageKey]*pull
	cancel  context.CancelFunc // of all; nil before the first
	ctx     context.Context
}

type imageKey struct {
	image  string
	policy pipeline.Pull
}

// pull is one image on its way.
type pull struct {
	done chan struct{} // closed when err is set
	err  error

	mu    sync.Mutex // guards sinks
	sinks []io.Writer
}

// Write gives progress to everyone who waits.
func (p *pull) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.sinks {
		if _, err := w.Write(b); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (p *pull) watch(sinks []io.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sinks = append(p.sinks, sinks...)
}

// unwatch makes sure that w gets nothing more.
func (p *pull) unwatch(w io.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.sinks {
		if s == w {
			p.sinks = append(p.sinks[:i], p.sinks[i+1:]...)
			return
		}
	}
}

// start begins to pull an image, or returns the pull that is under way. Progress
// goes to sinks from now on.
func (ps *pulls) start(r *run, image string, policy pipeline.Pull, sinks ...io.Writer) *pull {
	key := imageKey{image, policy}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.images[key]; p != nil {
		p.watch(sinks)
		return p
	}
	if ps.images == nil {
		ps.images = map[imageKey]*pull{}
		ps.ctx, ps.cancel = context.WithCancel(r.live)
	}
	p := &pull{done: make(chan struct{}), sinks: sinks} // it may be over before its caller goes on
	ps.images[key] = p
	ps.running.Go(func() {
		p.err = r.eng.PullImage(ps.ctx, ImageSpec{Image: image, Policy: policy, Login: r.job.Login}, p)
		if p.err != nil {
			ps.mu.Lock()
			delete(ps.images, key)
			ps.mu.Unlock()
		}
		close(p.done)
	})
	return p
}

// wait pulls an image, with progress going to w, until it is there or ctx ends.
func (ps *pulls) wait(ctx context.Context, r *run, s *pipeline.Step, w io.Writer) error {
	p := ps.start(r, s.Image, s.Pull, w)
	defer p.unwatch(w)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stop ends what is still under way and waits for it.
func (ps *pulls) stop() {
	ps.mu.Lock()
	cancel := ps.cancel
	ps.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	ps.running.Wait()
}

// prefetch pulls the images of the steps that come right after the services,
// while these start.
func (r *run) prefetch() {
	for _, s := range r.steps {
		if !s.done && !s.launched && !s.service && len(s.needs) == 0 && s.unresolved == nil {
			r.pulls.start(r, s.plan.Image, s.plan.Pull)
		}
	}
}
