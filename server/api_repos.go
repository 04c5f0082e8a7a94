package server

import (
	"context"
	"net/http"

	"github.com/slipway-ci/slipway/store"
)

type repoInput struct{ RepoPath }

func (s *Server) getRepo(ctx context.Context, in *repoInput) (*body[repoJSON], error) {
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	return s.wholeRepo(ctx, r)
}

// wholeRepo is a repository with its newest build and, for an admin, its settings:
// as on its page, nobody else is told what its steps could do to the machine.
func (s *Server) wholeRepo(ctx context.Context, r store.Repo) (*body[repoJSON], error) {
	out := newRepoJSON(r)
	if isAdmin(ctx) {
		out.Trust, out.PipelineFile = &r.Trust, &r.PipelineFile
		out.Runtime, out.UserNS = &r.Runtime, &r.UserNS
	}
	if r.LastNumber > 0 {
		b, err := s.Store.Build(ctx, r.ID, r.LastNumber)
		if err != nil {
			return nil, err
		}
		latest := s.newBuildJSON(r, b)
		out.LatestBuild = &latest
	}
	return &body[repoJSON]{out}, nil
}

type changeRepoInput struct {
	RepoPath
	// Body is a pointer so that it may be left out: who may not change anything is
	// told so before what is wrong with the request.
	Body *struct {
		Trust *struct {
			Security *bool `json:"security,omitempty" doc:"Allow privileged, devices, and images that run privileged"`
			Volumes  *bool `json:"volumes,omitempty" doc:"Allow volumes and tmpfs"`
			Network  *bool `json:"network,omitempty" doc:"Allow dns, dns_search, extra_hosts and network_mode"`
			Metadata *bool `json:"metadata,omitempty" doc:"Let steps reach the metadata services of clouds, which hand out the machine's credentials; never those of pull requests from forks"`
		} `json:"trust,omitempty" doc:"What steps may do beyond a container. Who can push can use it, and some of it is as good as root on the machine"`
		Runtime      *string `json:"runtime,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9._-]*$" doc:"What runs its containers, by the Docker engine's name, such as runsc; empty for the server's"`
		UserNS       *string `json:"userns,omitempty" enum:"host," doc:"host: its containers' users are those of the machine, also where the Docker engine maps users; empty for the server's"`
		PipelineFile *string `json:"pipeline_file,omitempty" maxLength:"255" doc:"The file or folder that is used and no other; empty for where pipeline files usually are"`
	} `required:"false"`
}

// changeRepo changes the settings that the request names and leaves the others.
func (s *Server) changeRepo(ctx context.Context, in *changeRepoInput) (*body[repoJSON], error) {
	if in.Body == nil {
		return nil, newError(http.StatusUnprocessableEntity, "there is nothing to change in the request")
	}
	file := in.Body.PipelineFile
	if file != nil && !store.ValidPipelineFile(*file) {
		return nil, newError(http.StatusUnprocessableEntity,
			"pipeline_file must be a path from the root of the repository, like ci/build.yml or ci/")
	}
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	r, err = s.Store.ChangeRepoSettings(ctx, r.ID, func(set *store.RepoSettings) {
		if t := in.Body.Trust; t != nil {
			replace(&set.Trust.Security, t.Security)
			replace(&set.Trust.Volumes, t.Volumes)
			replace(&set.Trust.Network, t.Network)
			replace(&set.Trust.Metadata, t.Metadata)
		}
		replace(&set.PipelineFile, file)
		replace(&set.Runtime, in.Body.Runtime)
		replace(&set.UserNS, in.Body.UserNS)
	})
	if err != nil {
		return nil, err
	}
	s.Logger.Info("settings of a repository changed", "repo", r.FullName(), "trust", r.Trust, "pipeline_file", r.PipelineFile,
		"runtime", r.Runtime, "userns", r.UserNS)
	return s.wholeRepo(ctx, r)
}

// replace sets a setting that was given.
func replace[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}
