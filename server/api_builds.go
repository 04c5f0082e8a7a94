package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/slipway-ci/slipway/store"
)

// RepoPath is the parameters of a path that names a repository. These types are
// exported because huma looks into embedded structs only if they are.
type RepoPath struct {
	Owner string `path:"owner" maxLength:"100"`
	Name  string `path:"name" maxLength:"100"`
}

func (p *RepoPath) repository() (owner, name string) { return p.Owner, p.Name }

// BuildPath names a build.
type BuildPath struct {
	RepoPath
	Number int64 `path:"number" minimum:"1"`
}

// StepPath names a step.
type StepPath struct {
	BuildPath
	Job  int `path:"job" minimum:"1"`
	Step int `path:"step" minimum:"1"`
}

// body is an answer with a JSON body.
type body[T any] struct{ Body T }

// find returns the build that the path names, if the caller may see it.
func (s *Server) find(ctx context.Context, p BuildPath) (store.Repo, store.Build, error) {
	r, err := s.visibleRepo(ctx, p.Owner, p.Name)
	if err != nil {
		return store.Repo{}, store.Build{}, err
	}
	b, err := s.Store.Build(ctx, r.ID, p.Number)
	return r, b, err
}

func (s *Server) listRepos(ctx context.Context, _ *struct{}) (*body[[]repoJSON], error) {
	repos, err := s.Store.Repos(ctx, isAdmin(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]repoJSON, 0, len(repos))
	for _, r := range repos {
		j := newRepoJSON(r.Repo)
		if r.Latest != nil {
			b := s.newBuildJSON(r.Repo, *r.Latest)
			j.LatestBuild = &b
		}
		out = append(out, j)
	}
	return &body[[]repoJSON]{out}, nil
}

type listBuildsInput struct {
	RepoPath
	Branch string `query:"branch" maxLength:"255"`
	Event  string `query:"event" enum:"push,tag,pull_request,pull_request_closed,release,deployment,cron,manual,merge_group"`
	Status string `query:"status" enum:"blocked,pending,running,success,failure,error,canceled,skipped"`
	Commit string `query:"commit" pattern:"^[0-9a-f]{4,64}$" doc:"SHA, or its first digits"`
	Before int64  `query:"before" minimum:"1" doc:"Only builds with a smaller number: the last one of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) listBuilds(ctx context.Context, in *listBuildsInput) (*body[[]buildJSON], error) {
	r, err := s.visibleRepo(ctx, in.Owner, in.Name)
	if err != nil {
		return nil, err
	}
	builds, err := s.Store.Builds(ctx, r.ID, store.BuildFilter{Branch: in.Branch, Event: in.Event, SHA: in.Commit,
		Status: store.Status(in.Status), Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := make([]buildJSON, 0, len(builds))
	for _, b := range builds {
		out = append(out, s.newBuildJSON(r, b))
	}
	return &body[[]buildJSON]{out}, nil
}

type buildInput struct{ BuildPath }

func (s *Server) getBuild(ctx context.Context, in *buildInput) (*body[buildJSON], error) {
	r, b, err := s.find(ctx, in.BuildPath)
	if err != nil {
		return nil, err
	}
	out, err := s.wholeBuild(ctx, r, b)
	return &body[buildJSON]{out}, err
}

// wholeBuild is a build with its jobs and steps.
func (s *Server) wholeBuild(ctx context.Context, r store.Repo, b store.Build) (buildJSON, error) {
	out := s.newBuildJSON(r, b)
	jobs, err := s.Store.Jobs(ctx, b.ID)
	if err != nil {
		return out, err
	}
	digests, err := s.Store.Digests(ctx, b.ID)
	if err != nil {
		return out, err
	}
	for _, j := range jobs {
		jj := newJobJSON(j)
		steps, err := s.Store.Steps(ctx, j.ID)
		if err != nil {
			return out, err
		}
		jj.Steps = make([]stepJSON, 0, len(steps))
		for _, st := range steps {
			sj := newStepJSON(st)
			if d, ok := digests[st.ID]; ok {
				sj.Failure = &failureJSON{Line: d.Line, Title: d.Title, Excerpt: d.Text}
			}
			jj.Steps = append(jj.Steps, sj)
		}
		out.Jobs = append(out.Jobs, jj)
	}
	return out, nil
}

func (s *Server) cancelBuild(ctx context.Context, in *buildInput) (*body[buildJSON], error) {
	_, b, err := s.find(ctx, in.BuildPath)
	if err == nil {
		err = s.Store.RequestCancel(ctx, b.ID, byAdmin)
	}
	if err != nil {
		return nil, err
	}
	return s.getBuild(ctx, in)
}

// byAdmin is who asked, as long as there is but one token.
const byAdmin = "admin"

type created struct {
	Location string `header:"Location" doc:"The new build in the API"`
	Body     buildJSON
}

type restartInput struct {
	BuildPath
	Body *struct {
		FailedOnly bool `json:"failed_only,omitempty" doc:"Only the workflows that did not pass, and those after them; the others are carried over"`
		Job        int  `json:"job,omitempty" minimum:"1" doc:"With step: a workflow of the build, by its number"`
		Step       int  `json:"step,omitempty" minimum:"1" doc:"Only this step of that workflow, the steps that it needs (the workspace of the first run is gone) and what comes after it; the rest is carried over"`
	} `required:"false"`
}

// rerun is what the input asks for.
func (in *restartInput) rerun() (store.Rerun, error) {
	if in.Body == nil {
		return store.Rerun{}, nil
	}
	what := store.Rerun{FailedOnly: in.Body.FailedOnly, Job: in.Body.Job, Step: in.Body.Step}
	if (what.Job > 0) != (what.Step > 0) || what.FailedOnly && what.Step > 0 {
		return what, newError(http.StatusUnprocessableEntity, "give failed_only, or job and step together, or nothing for the whole build")
	}
	return what, nil
}

func (s *Server) restartBuild(ctx context.Context, in *restartInput) (*created, error) {
	r, b, err := s.find(ctx, in.BuildPath)
	if err != nil {
		return nil, err
	}
	what, err := in.rerun()
	if err == nil {
		b, err = s.Store.Restart(ctx, b.ID, byAdmin, what)
	}
	if err != nil {
		return nil, err
	}
	out, err := s.wholeBuild(ctx, r, b)
	return &created{Location: fmt.Sprintf("/api/repos/%s/builds/%d", r.FullName(), b.Number), Body: out}, err
}

type approveInput struct {
	BuildPath
	Body *struct {
		Commit string `json:"commit,omitempty" doc:"SHA of the commit that was looked at; approving fails if the build is of another"`
	} `required:"false"`
}

func (s *Server) approveBuild(ctx context.Context, in *approveInput) (*body[buildJSON], error) {
	_, b, err := s.find(ctx, in.BuildPath)
	if err != nil {
		return nil, err
	}
	sha := b.SHA
	if in.Body != nil && in.Body.Commit != "" {
		sha = in.Body.Commit
	}
	if err := s.Store.Approve(ctx, b.ID, sha, byAdmin); err != nil {
		return nil, err
	}
	return s.getBuild(ctx, &buildInput{in.BuildPath})
}

// step returns the step that the path names and its build.
func (s *Server) step(ctx context.Context, p StepPath) (store.Build, store.Step, error) {
	_, b, err := s.find(ctx, p.BuildPath)
	if err != nil {
		return store.Build{}, store.Step{}, err
	}
	jobs, err := s.Store.Jobs(ctx, b.ID)
	if err != nil {
		return b, store.Step{}, err
	}
	if p.Job > len(jobs) {
		return b, store.Step{}, newError(http.StatusNotFound, "not found")
	}
	steps, err := s.Store.Steps(ctx, jobs[p.Job-1].ID)
	if err != nil {
		return b, store.Step{}, err
	}
	if p.Step > len(steps) {
		return b, store.Step{}, newError(http.StatusNotFound, "not found")
	}
	return b, steps[p.Step-1], nil
}
