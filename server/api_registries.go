package server

import (
	"context"
	"net/http"
	"regexp"

	"github.com/slipway-ci/slipway/store"
)

// registryJSON is a login without its password, which no answer has.
type registryJSON struct {
	Registry string `json:"registry" doc:"As in an image's name: ghcr.io, registry.example:5000; Docker Hub is docker.io"`
	Username string `json:"username"`
}

type registriesJSON struct {
	Registries []registryJSON `json:"registries"`
}

func (s *Server) listRegistries(ctx context.Context, in *repoInput) (*body[registriesJSON], error) {
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	logins, err := s.Store.RegistryLogins(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out := registriesJSON{Registries: []registryJSON{}}
	for _, l := range logins {
		out.Registries = append(out.Registries, registryJSON{Registry: l.Registry, Username: l.Username})
	}
	return &body[registriesJSON]{out}, nil
}

type setRegistryInput struct {
	RegistryPath
	// Body is a pointer as in changeRepoInput.
	Body *struct {
		Username string `json:"username" minLength:"1" maxLength:"255"`
		Password string `json:"password" minLength:"1" maxLength:"16384" doc:"Or a token; one that may only read is enough. It is stored as it is, and never returned"`
	} `required:"false"`
}

// RegistryPath names a registry of a repository. It is exported for huma to fill.
type RegistryPath struct {
	RepoPath
	Registry string `path:"registry" maxLength:"255" doc:"As in an image's name: ghcr.io, registry.example:5000; Docker Hub is docker.io"`
}

// registryName is the host of a registry as image names have it: with a dot or a
// port, since without either it would be a user of Docker Hub.
var registryName = regexp.MustCompile(`^([a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?|[a-z0-9-]+:[0-9]{1,5}|localhost)$`)

func (s *Server) setRegistry(ctx context.Context, in *setRegistryInput) (*body[registryJSON], error) {
	switch {
	case in.Body == nil:
		return nil, newError(http.StatusUnprocessableEntity, "the request has no username and password")
	case !registryName.MatchString(in.Registry):
		return nil, newError(http.StatusUnprocessableEntity,
			"the registry must be written as in an image's name, like ghcr.io or registry.example:5000; Docker Hub is docker.io")
	}
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	l := store.RegistryLogin{Registry: in.Registry, Username: in.Body.Username, Password: in.Body.Password}
	if err := s.Store.SetRegistryLogin(ctx, r.ID, l); err != nil {
		return nil, err
	}
	s.Logger.Info("registry login of a repository set", "repo", r.FullName(), "login", l)
	return &body[registryJSON]{registryJSON{Registry: l.Registry, Username: l.Username}}, nil
}

func (s *Server) removeRegistry(ctx context.Context, in *RegistryPath) (*struct{}, error) {
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	if err := s.Store.RemoveRegistryLogin(ctx, r.ID, in.Registry); err != nil {
		return nil, err
	}
	s.Logger.Info("registry login of a repository removed", "repo", r.FullName(), "registry", in.Registry)
	return nil, nil
}
