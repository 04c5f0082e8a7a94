package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

const (
	pullAttempts = 3
	pullPause    = 500 * time.Millisecond
)

// PullImage implements runner.Engine. An image is pulled once however many ask
// for it at the same time, and each sees its progress. With PullAlways a pull
// that fails is an error also if an older image is present: who asks for the
// newest must not be given another without knowing.
func (e *Engine) PullImage(ctx context.Context, name string, policy pipeline.Pull, progress io.Writer) error {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return fmt.Errorf("%w %q is no valid reference: %w", runner.ErrImage, name, err)
	}
	ref := reference.FamiliarString(reference.TagNameOnly(named))
	if policy != pipeline.PullAlways {
		switch present, err := e.present(ctx, ref); {
		case err != nil:
			return err
		case present:
			return nil
		case policy == pipeline.PullNever:
			return fmt.Errorf("%w %s is not present, and its pull policy is never", runner.ErrImage, ref)
		}
	}
	return e.pulls.do(ctx, ref, progress, func(ctx context.Context, say func(string)) error {
		return e.pull(ctx, ref, say)
	})
}

func (e *Engine) present(ctx context.Context, ref string) (bool, error) {
	_, err := e.cli.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, wrap("inspect", "image", ref, err)
}

// pull pulls the image, more than once if the network fails.
func (e *Engine) pull(ctx context.Context, ref string, say func(string)) error {
	pause := e.pause
	for attempt := 1; ; attempt++ {
		err := e.tryPull(ctx, ref, say)
		if err == nil || ctx.Err() != nil || attempt == pullAttempts || !temporary(err) {
			return imageError(ref, err)
		}
		e.log.WarnContext(ctx, "pull failed, trying again", "image", ref, "attempt", attempt, "cause", err)
		say(fmt.Sprintf("pulling %s: trying again in %v: %s", ref, pause, words(err)))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return imageError(ref, ctx.Err())
		}
		pause *= 2
	}
}

// errStalled is the cause with which a pull is given up.
var errStalled = errors.New("no progress")

func (e *Engine) tryPull(ctx context.Context, ref string, say func(string)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(e.o.PullStall, func() {
		cancel(engineError(fmt.Sprintf("%v for %v", errStalled, e.o.PullStall)))
	})
	defer stall.Stop()
	err := e.readPull(ctx, ref, say, func() { stall.Reset(e.o.PullStall) })
	var given engineError
	if err != nil && errors.As(context.Cause(ctx), &given) {
		return given
	}
	return err
}

// readPull does one pull. alive is called with every sign of life.
func (e *Engine) readPull(ctx context.Context, ref string, say func(string), alive func()) error {
	body, err := e.cli.ImagePull(ctx, ref, image.PullOptions{})
	if err != nil {
		return err
	}
	defer body.Close()
	p := newProgress(ref)
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

// imageError tells the user why the image cannot be had. What is the engine's or
// the caller's fault is no runner.ErrImage.
func imageError(ref string, err error) error {
	var told engineError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), client.IsErrConnectionFailed(err):
		return wrap("pull", "image", ref, err)
	case errdefs.IsNotFound(err), errors.As(err, &told) && says(err, "not found", "manifest unknown", "does not exist"):
		return fmt.Errorf("%w %s not found: %s", runner.ErrImage, ref, words(err))
	case told != "", says(err, "error response from daemon"):
		return fmt.Errorf("%w %s cannot be pulled: %s", runner.ErrImage, ref, words(err))
	default:
		return wrap("pull", "image", ref, err)
	}
}

// temporary reports failures that another attempt may not meet: those of the
// network and of a registry in trouble.
func temporary(err error) bool {
	if client.IsErrConnectionFailed(err) {
		return false // the engine itself is away
	}
	return says(err, "timeout", "timed out", errStalled.Error(), "connection reset", "connection refused",
		"eof", "temporary failure", "server misbehaving", "network is unreachable", "broken pipe",
		"500 internal", "502 bad", "503 service", "504 gateway", "request canceled while waiting")
}
