package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

const (
	pullAttempts = 4
	pullPause    = 500 * time.Millisecond
)

// PullImage implements runner.Engine. An image is pulled once however many ask
// for it with the same login at the same time, and each sees its progress. With
// PullAlways a pull that fails is an error also if an older image is present:
// who asks for the newest must not be given another without knowing.
func (e *Engine) PullImage(ctx context.Context, s runner.ImageSpec, progress io.Writer) error {
	w, err := newWish(ctx, s)
	if err != nil {
		return err
	}
	present, err := e.present(ctx, w)
	switch {
	case err != nil:
		return err
	case present && s.Policy != pipeline.PullAlways:
		return nil
	case s.Policy == pipeline.PullNever:
		return fmt.Errorf("%w %s is not present, and its pull policy is never", runner.ErrImage, w.ref)
	}
	return e.pulls.do(ctx, w.key(), progress, func(ctx context.Context, say func(string)) error {
		return e.pull(ctx, w, say)
	})
}

// present reports whether the image is on the machine, for this login to use.
func (e *Engine) present(ctx context.Context, w wish) (bool, error) {
	found, err := e.cli.ImageInspect(ctx, w.ref)
	switch {
	case errdefs.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, wrap("inspect", "image", w.ref, err)
	}
	return e.mayUse(ctx, w, found)
}

// pull pulls the image and remembers for whom.
func (e *Engine) pull(ctx context.Context, w wish, say func(string)) error {
	if err := e.guard(ctx, w); err != nil {
		return err
	}
	err := e.insist(ctx, w, "pulling", say, func(ctx context.Context, alive func()) error {
		return e.readPull(ctx, w, say, alive)
	})
	if err != nil {
		return err
	}
	return e.grantPulled(ctx, w)
}

// insist asks a registry for something, more than once if the network or the
// registry is in trouble. ask calls alive with every sign of life.
func (e *Engine) insist(ctx context.Context, w wish, doing string, say func(string), ask func(ctx context.Context, alive func()) error) error {
	pause := e.pause
	for attempt := 1; ; attempt++ {
		err := e.bounded(ctx, ask)
		if err == nil || ctx.Err() != nil || attempt == pullAttempts || !temporary(err) {
			return w.imageError(err)
		}
		e.log.WarnContext(ctx, "registry failed, trying again", "image", w.ref, "attempt", attempt, "cause", err)
		say(fmt.Sprintf("%s %s: trying again in %v: %s", doing, w.ref, pause, words(err)))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return w.imageError(ctx.Err())
		}
		pause *= 4 // a registry that restarts is away for seconds
	}
}

// errStalled is the cause with which a pull is given up.
var errStalled = errors.New("no progress")

// bounded gives ask up when there is no sign of life for too long.
func (e *Engine) bounded(ctx context.Context, ask func(ctx context.Context, alive func()) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(e.o.PullStall, func() {
		cancel(engineError(fmt.Sprintf("%v for %v", errStalled, e.o.PullStall)))
	})
	defer stall.Stop()
	err := ask(ctx, func() { stall.Reset(e.o.PullStall) })
	var given engineError
	if err != nil && errors.As(context.Cause(ctx), &given) {
		return given
	}
	return err
}

// readPull does one pull. alive is called with every message.
func (e *Engine) readPull(ctx context.Context, w wish, say func(string), alive func()) error {
	body, err := e.cli.ImagePull(ctx, w.ref, image.PullOptions{RegistryAuth: w.auth})
	if err != nil {
		return err
	}
	defer body.Close()
	p := newProgress(w.ref)
	err = readMessages(body, func(m message) {
		alive()
		if line, due := p.update(m, time.Now()); due {
			say(line)
		}
	})
	if err == nil {
		say(p.summary())
	}
	return err
}

// temporary reports failures that another attempt may not meet: those of the
// network and of a registry in trouble.
func temporary(err error) bool {
	if client.IsErrConnectionFailed(err) {
		return false // the engine itself is away
	}
	return says(err, "timeout", "timed out", errStalled.Error(), "connection reset", "connection refused",
		"eof", "temporary failure", "server misbehaving", "network is unreachable", "broken pipe",
		"500 internal", "502 bad", "503 service", "504 gateway", "request canceled while waiting",
		"received unexpected http status: 5", "toomanyrequests", "429 too many")
}
