package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// routes is every route of the server, each with who may use it.
func (s *Server) routes() {
	s.echo.Use(s.authenticate)
	s.echo.POST("/webhook", s.webhook) // anyone: the signature is its authorisation
	s.echo.GET("/healthz", s.healthz)
	s.echo.GET("/readyz", s.readyz)
	s.echo.GET("/schema/pipeline.json", s.pipelineSchema) // for editors, which show no token

	api := humaecho.New(s.echo, s.apiConfig())
	const repo, build = "/api/repos/{owner}/{name}", "/api/repos/{owner}/{name}/builds/{number}"
	const step = build + "/jobs/{job}/steps/{step}"

	get(s, api, anyone, "/api/repos", "list-repos", "Repositories, the one with the newest build first", s.listRepos)
	get(s, api, anyone, repo, "get-repo", "A repository and, for an admin, its settings", s.getRepo)
	get(s, api, anyone, repo+"/builds", "list-builds", "Builds of a repository, the newest first", s.listBuilds)
	get(s, api, anyone, build, "get-build", "A build with its jobs and steps", s.getBuild)
	get(s, api, anyone, build+"/events", "watch-build", "Changes of a build as server-sent events", s.watchBuild)
	get(s, api, anyone, step+"/log", "get-log", "The log of a step as plain text", s.getLog)

	patch(s, api, admin, repo, "change-repo", "Change a repository's settings; what is not given stays", s.changeRepo)
	get(s, api, admin, repo+"/registries", "list-registries", "A repository's logins for image registries, without their passwords", s.listRegistries)
	put(s, api, admin, repo+"/registries/{registry}", "set-registry", "Give a repository a login for an image registry", s.setRegistry)
	remove(s, api, admin, repo+"/registries/{registry}", "remove-registry", "Take a login from a repository", s.removeRegistry)
	post(s, api, admin, build+"/cancel", "cancel-build", "Cancel a build; a second time: kill it", http.StatusOK, s.cancelBuild)
	post(s, api, admin, build+"/restart", "restart-build", "Run a build again, as a new one", http.StatusCreated, s.restartBuild)
	post(s, api, admin, build+"/approve", "approve-build", "Let a fork's pull request run", http.StatusOK, s.approveBuild)
}

func (s *Server) apiConfig() huma.Config {
	c := huma.DefaultConfig("slipway", s.Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/openapi", "", ""
	c.CreateHooks = nil // no "$schema" in answers
	c.Info.Description = "Builds, their logs and their verdicts. Private repositories and everything that changes " +
		"something need the admin token; without it a private repository does not exist."
	if s.URL != "" {
		c.Servers = []*huma.Server{{URL: s.URL}}
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"admin": {Type: "http", Scheme: "bearer", Description: "SLIPWAY_ADMIN_TOKEN"},
	}
	return c
}

// inRepo is an input that names a repository, so that its access is checked.
type inRepo interface{ repository() (owner, name string) }

func get[I, O any](s *Server, api huma.API, a access, path, id, summary string, h func(context.Context, *I) (*O, error)) {
	register(s, api, a, huma.Operation{Method: http.MethodGet, Path: path, OperationID: id, Summary: summary}, h)
}

func post[I, O any](s *Server, api huma.API, a access, path, id, summary string, status int, h func(context.Context, *I) (*O, error)) {
	register(s, api, a, huma.Operation{Method: http.MethodPost, Path: path, OperationID: id, Summary: summary,
		DefaultStatus: status, MaxBodyBytes: 64 << 10}, h)
}

func patch[I, O any](s *Server, api huma.API, a access, path, id, summary string, h func(context.Context, *I) (*O, error)) {
	register(s, api, a, huma.Operation{Method: http.MethodPatch, Path: path, OperationID: id, Summary: summary, MaxBodyBytes: 64 << 10}, h)
}

func put[I, O any](s *Server, api huma.API, a access, path, id, summary string, h func(context.Context, *I) (*O, error)) {
	register(s, api, a, huma.Operation{Method: http.MethodPut, Path: path, OperationID: id, Summary: summary, MaxBodyBytes: 64 << 10}, h)
}

func remove[I, O any](s *Server, api huma.API, a access, path, id, summary string, h func(context.Context, *I) (*O, error)) {
	register(s, api, a, huma.Operation{Method: http.MethodDelete, Path: path, OperationID: id, Summary: summary}, h)
}

// register adds a route whose handler runs only for whom a allows, and maps
// what it returns to the errors that clients may see.
func register[I, O any](s *Server, api huma.API, a access, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	if a == admin {
		op.Security = []map[string][]string{{"admin": {}}}
	}
	op.Errors = []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusUnprocessableEntity}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		var owner, name string
		if r, ok := any(in).(inRepo); ok {
			owner, name = r.repository()
		}
		err := s.allow(ctx, a, owner, name)
		var out *O
		if err == nil {
			out, err = h(ctx, in)
		}
		if err != nil {
			return nil, s.apiError(ctx, err)
		}
		return out, nil
	})
}
