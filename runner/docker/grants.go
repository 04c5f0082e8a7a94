package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// Grants remember, beyond the life of a process, which images were had with a
// login, and for whom. The engine itself gives what it has to whoever asks.
// Names are without a tag and in full, "docker.io/library/busybox"; IDs are the
// engine's. Methods may be called concurrently.
type Grants interface {
	// Guard returns when it is durable that images of the name may be had with a
	// login only.
	Guard(ctx context.Context, name string) error
	// Grant records that the registry gave the image to the holder of a login; ""
	// is everyone.
	Grant(ctx context.Context, name, imageID, holder string) error
	// Granted reports whether the image needs no login as far as is known, or was
	// granted to the holder or to everyone.
	Granted(ctx context.Context, name, imageID, holder string) (bool, error)
}

// guard marks the name before anything of it may be on the machine.
func (e *Engine) guard(ctx context.Context, w wish) error {
	if e.o.Grants == nil || w.login.IsZero() {
		return nil
	}
	return e.o.Grants.Guard(ctx, w.name)
}

func (e *Engine) grant(ctx context.Context, w wish, imageID string) error {
	if e.o.Grants == nil {
		return nil
	}
	return e.o.Grants.Grant(ctx, w.name, imageID, w.login.Holder)
}

// grantPulled records whom the registry gave what is now present.
func (e *Engine) grantPulled(ctx context.Context, w wish) error {
	if e.o.Grants == nil {
		return nil
	}
	found, err := e.cli.ImageInspect(ctx, w.ref)
	if err != nil {
		return wrap("inspect", "image", w.ref, err)
	}
	return e.grant(ctx, w, found.ID)
}

// mayUse reports whether an image that is present may be used with the login.
// Where that is not known the registry is asked. If it gives another image under
// the name by now, what is present may not be used, and that one be pulled.
func (e *Engine) mayUse(ctx context.Context, w wish, found image.InspectResponse) (bool, error) {
	if e.o.Grants == nil {
		return true, nil
	}
	granted, err := e.o.Grants.Granted(ctx, w.name, found.ID, w.login.Holder)
	if granted || err != nil {
		return granted, err
	}
	digest, err := e.ask(ctx, w)
	if err != nil {
		return false, fmt.Errorf("%w; the image is present, but somebody else's login was needed for it, so the registry was asked", err)
	}
	if !slices.ContainsFunc(found.RepoDigests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) }) {
		return false, nil
	}
	return true, e.grant(ctx, w, found.ID)
}

// ask returns the digest of what the registry gives to the login.
func (e *Engine) ask(ctx context.Context, w wish) (digest string, err error) {
	err = e.insist(ctx, w, "asking for", func(string) {}, func(ctx context.Context, _ func()) error {
		d, err := e.cli.DistributionInspect(ctx, w.ref, w.auth)
		digest = d.Descriptor.Digest.String()
		return err
	})
	return digest, err
}
