package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/store"
)

// planned is what planning made of a build.
type planned struct {
	// none is why there is nothing to build, "" if there is something.
	none string
	// status is final if the build ends before it runs, with reason.
	status      store.Status
	reason      string
	problems    json.RawMessage
	files       []string
	texts       []store.PipelineFile
	fingerprint string
	runs        bool // some workflow is for the event
	jobs        []store.NewJob
}

func (p planned) apply(b *store.Build) {
	b.Planned, b.Reason = true, p.reason
	b.Status, b.Problems, b.Files, b.Texts, b.Fingerprint = p.status, p.problems, p.files, p.texts, p.fingerprint
	if b.NeedsApproval && b.Reason == "" {
		b.Reason = "waits for approval: a pull request from a fork"
	}
}

// failedPlan ends the build as an error before it ran.
func failedPlan(reason string) planned { return planned{status: store.Error, reason: reason} }

// temporaryError is a failure to fetch that may pass. Its text is for people.
type temporaryError struct{ err error }

func (e *temporaryError) Error() string { return "cannot fetch the commit: " + e.err.Error() }
func (e *temporaryError) Unwrap() error { return e.err }

// plan fetches a build's commit and plans it. It completes b with what the
// commit tells. The error is a *temporaryError or internal; what a person can
// mend is in the result.
func (t *Trigger) plan(ctx context.Context, repo store.Repo, b *store.Build) (planned, error) {
	remote, err := t.Remote(ctx, repo)
	if err != nil {
		return planned{}, &temporaryError{err}
	}
	none, err := t.resolve(ctx, remote, b)
	if none != "" {
		return planned{none: none}, nil
	}
	if err == nil {
		err = t.Mirrors.Fetch(ctx, repo.MirrorKey(), remote, b.Ref, b.SHA, source.FetchOptions{})
	}
	switch {
	case err == nil:
	case errors.Is(err, source.ErrCommitNotFound):
		reason := fmt.Sprintf("commit %.7s is not on GitHub any more: was it pushed over?", b.SHA)
		if !repo.HadPipeline {
			return planned{none: reason}, nil
		}
		return failedPlan(reason), nil
	case errors.Is(err, source.ErrInvalid):
		return failedPlan(err.Error()), nil
	case errors.Is(err, source.ErrAuth):
		return failedPlan(fmt.Sprintf("GitHub does not give out the source: can the token read %s?", repo.FullName())), nil
	default:
		return planned{}, &temporaryError{err}
	}
	if err := t.describeCommit(ctx, repo, b); err != nil {
		return planned{}, err
	}
	files, p, err := t.find(ctx, repo, b)
	if files == nil || err != nil {
		return p, err
	}
	if marker := skipMarker(b); marker != "" {
		return planned{status: store.Skipped, reason: "skipped by " + marker, files: paths(files), texts: texts(files)}, nil
	}
	facts, err := t.facts(ctx, repo, b)
	if err != nil {
		return planned{}, err
	}
	again, err := t.readRerun(ctx, b)
	if err != nil {
		return planned{}, err
	}
	p, err = compile(files, facts, again)
	p.texts = texts(files)
	return p, err
}

// describeCommit takes from the commit what an event that is no push lacks.
func (t *Trigger) describeCommit(ctx context.Context, repo store.Repo, b *store.Build) error {
	if b.Pull == nil && b.Release == nil && b.Deploy == nil {
		return nil
	}
	c, err := t.Mirrors.Commit(ctx, repo.MirrorKey(), b.SHA)
	if err != nil {
		return err
	}
	b.Message, b.AuthorEmail = c.Message, c.AuthorEmail
	b.Author = firstOf(b.Author, c.Author)
	return nil
}

// find returns the pipeline files of the commit, or what their absence means.
func (t *Trigger) find(ctx context.Context, repo store.Repo, b *store.Build) ([]pipeline.File, planned, error) {
	tree, err := t.Mirrors.FS(ctx, repo.MirrorKey(), b.SHA)
	if err != nil {
		return nil, planned{}, err
	}
	files, err := pipeline.FindAt(tree, repo.PipelineFile)
	var problems pipeline.Problems
	var unread *fs.PathError
	switch {
	case errors.Is(err, pipeline.ErrNone) && repo.PipelineFile != "":
		return nil, planned{none: fmt.Sprintf("no pipeline file in %.7s at %s, where the repository's settings say it is",
			b.SHA, repo.PipelineFile)}, nil
	case errors.Is(err, pipeline.ErrNone):
		return nil, planned{none: fmt.Sprintf("no pipeline file in %.7s: add .slipway.yml", b.SHA)}, nil
	case errors.As(err, &problems):
		return nil, brokenPlan(nil, problems), nil
	case errors.As(err, &unread) && errors.Is(err, fs.ErrInvalid): // the mirror gives out no more of a file
		return nil, brokenPlan(nil, pipeline.Problems{{File: unread.Path,
			Message: fmt.Sprintf("is larger than %d KiB", pipeline.MaxFileBytes>>10),
			Fix:     "move long scripts into files of their own and call them"}}), nil
	case err != nil:
		return nil, planned{}, err
	}
	return files, planned{}, nil
}

// compile plans pipeline files; of a restart, what again says.
func compile(files []pipeline.File, f pipeline.Facts, again *rerun) (planned, error) {
	plan, err := pipeline.Compile(files, f)
	var problems pipeline.Problems
	if errors.As(err, &problems) {
		return brokenPlan(files, problems), nil
	}
	if err != nil {
		return planned{}, err
	}
	p := planned{files: plan.Files, fingerprint: plan.Fingerprint(), runs: plan.Runs()}
	if len(plan.Warnings) > 0 {
		p.problems = encode(plan.Warnings)
	}
	var carry map[string]int64
	if again != nil {
		carry = again.narrow(plan)
	}
	for _, w := range plan.Workflows {
		j := store.NewJob{
			Carry: carry[w.Name],
			Name:  w.Name, Base: w.Base, Matrix: w.Matrix, Plan: encode(w), DependsOn: w.DependsOn,
			OnSuccess: w.OnSuccess, OnFailure: w.OnFailure, Skip: w.Skip,
		}
		if c := w.Concurrency; c != nil {
			j.Group = store.Group{Name: c.Group, Limit: c.Limit, Cancel: c.Cancel}
		}
		for _, steps := range [][]pipeline.Step{w.Services, w.Steps} { // numbered as runner.Job does
			for _, s := range steps {
				j.Steps = append(j.Steps, store.NewStep{Name: s.Name, Kind: string(s.Kind), Image: s.Image})
			}
		}
		p.jobs = append(p.jobs, j)
	}
	return p, nil
}

func brokenPlan(files []pipeline.File, problems pipeline.Problems) planned {
	used := paths(files)
	for _, p := range problems { // of files that could not even be read
		if !slices.Contains(used, p.File) {
			used = append(used, p.File)
		}
	}
	return planned{status: store.Error, reason: problems.Error(), problems: encode(problems), files: used}
}

func paths(files []pipeline.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

func texts(files []pipeline.File) []store.PipelineFile {
	out := make([]store.PipelineFile, len(files))
	for i, f := range files {
		out[i] = store.PipelineFile{Path: f.Path, Text: f.Data}
	}
	return out
}

// encode is for our own types, which always encode.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("server: " + err.Error())
	}
	return b
}

// skipMarker returns the marker with which a commit's message asks for no
// build, or "". Not asked are tags, whose commit is often a release that says
// so for its branch, forks, who could pass the check with it, and events that
// somebody caused apart from a commit.
func skipMarker(b *store.Build) string {
	if b.Tag != "" || quiet(b.Event) || (b.Pull != nil && b.Pull.Fork) {
		return ""
	}
	message := strings.ToLower(b.Message)
	for _, m := range []string{"[skip ci]", "[ci skip]"} {
		if strings.Contains(message, m) {
			return m
		}
	}
	return ""
}
