package runner

import (
	"context"
	"log/slog"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// A Login is a credential for an image registry. The zero Login is that of
// anyone. It is never logged whole: printed, it is its user and holder.
type Login struct {
	Username string
	Password string
	// IdentityToken takes the place of the password where a registry gave one.
	IdentityToken string
	// Holder names who may use what the login is given: an image that it was
	// given is not asked for again for a login of the same holder. "" is everyone.
	Holder string
}

// IsZero reports whether there is no credential.
func (l Login) IsZero() bool { return l.Username == "" && l.Password == "" && l.IdentityToken == "" }

// String names the login without what is secret.
func (l Login) String() string { return l.Username + " of " + l.Holder }

// GoString is String.
func (l Login) GoString() string { return l.String() }

// LogValue implements slog.LogValuer.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// A LoginFunc returns the login for a registry, such as "ghcr.io",
// "registry.example:5000" or, for Docker Hub, "docker.io"; the zero Login if
// there is none. It may be called concurrently.
type LoginFunc func(ctx context.Context, registry string) (Login, error)

// ImageSpec says which image is wanted, and with whose right.
type ImageSpec struct {
	Image  string
	Policy pipeline.Pull
	Login  LoginFunc // nil: no registry has a login
}
