package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
)

// hub is how image names call Docker Hub, and hubAddress how credentials do.
const (
	hub        = "docker.io"
	hubAddress = "https://index.docker.io/v1/"
)

// idName is the name that "sha256:ca2ac2" seems to have. The engine takes that for
// an image's ID, or for the beginning of one, of whatever name.
const idName = hub + "/library/sha256"

// wish is an image that someone wants.
type wish struct {
	ref      string // with its tag or digest
	name     string // without
	registry string
	login    runner.Login
	auth     string // the login as the API takes it; "" for none
}

func newWish(ctx context.Context, s runner.ImageSpec) (wish, error) {
	named, err := reference.ParseNormalizedNamed(s.Image)
	if err != nil {
		return wish{}, fmt.Errorf("%w %q is no valid reference: %w", runner.ErrImage, s.Image, err)
	}
	if named.Name() == idName {
		return wish{}, fmt.Errorf("%w %q is the ID of an image, which says nothing of who may have it; give its name", runner.ErrImage, s.Image)
	}
	if named.Name() == hub+"/"+sandboxRepository {
		return wish{}, fmt.Errorf("%w %s is slipway's own and not for steps", runner.ErrImage, s.Image)
	}
	w := wish{
		ref:      reference.FamiliarString(reference.TagNameOnly(named)),
		name:     named.Name(),
		registry: reference.Domain(named),
	}
	if s.Login != nil {
		if w.login, err = s.Login(ctx, w.registry); err != nil {
			return wish{}, fmt.Errorf("find the login for %s: %w", w.registry, err)
		}
	}
	if w.login.IsZero() {
		w.login = runner.Login{}
		return w, nil
	}
	address := w.registry
	if address == hub {
		address = hubAddress
	}
	w.auth, err = registry.EncodeAuthConfig(registry.AuthConfig{Username: w.login.Username, Password: w.login.Password,
		IdentityToken: w.login.IdentityToken, ServerAddress: address})
	return w, err
}

// key is the same for wishes that one pull fulfills.
func (w wish) key() string { return w.ref + "\n" + w.login.Holder + "\n" + w.auth }

// imageError tells the user why the image cannot be had, and what to do about
// it. What is the engine's or the caller's fault is no runner.ErrImage.
func (w wish) imageError(err error) error {
	var told engineError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), client.IsErrConnectionFailed(err):
		return wrap("pull", "image", w.ref, err)
	case errdefs.IsNotFound(err), errors.As(err, &told) && says(err, "not found", "manifest unknown", "does not exist"):
		return fmt.Errorf("%w %s not found: %s%s", runner.ErrImage, w.ref, words(err), w.remedy(err))
	case told != "", says(err, "error response from daemon"):
		return fmt.Errorf("%w %s cannot be pulled: %s%s", runner.ErrImage, w.ref, words(err), w.remedy(err))
	default:
		return wrap("pull", "image", w.ref, err)
	}
}

// remedy says what can be done about the registry's answer, after a semicolon.
func (w wish) remedy(err error) string {
	switch {
	case says(err, "http response to https client"):
		return fmt.Sprintf("; %s speaks HTTP: list it in insecure-registries of the Docker engine's daemon.json", w.registry)
	case says(err, "x509:", "certificate"):
		return fmt.Sprintf("; the Docker engine does not trust the certificate of %s: put its CA into /etc/docker/certs.d/%s/ca.crt", w.registry, w.registry)
	case says(err, "toomanyrequests", "429 too many"):
		return fmt.Sprintf("; give slipway a login for %s, or wait", w.registry)
	case says(err, "no space left"):
		return "; free space on the Docker engine's disk (docker system df shows what takes it)"
	case says(err, "no such host"):
		return "; check the name of the registry"
	case says(err, "unauthorized", "denied", "no basic auth credentials", "authentication required", "403 forbidden"):
		return w.loginRemedy()
	case says(err, "not found", "manifest unknown", "does not exist"):
		return "; check the image's name and tag"
	}
	return ""
}

func (w wish) loginRemedy() string {
	if w.login.IsZero() {
		return fmt.Sprintf("; check the image's name, or give the repository a login for %s", w.registry)
	}
	return fmt.Sprintf("; check the login %q for %s: its password may be wrong or old, or it may not read this image", w.login.Username, w.registry)
}
