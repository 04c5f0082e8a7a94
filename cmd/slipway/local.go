package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// eventFlags describe an event that has not happened, for lint and run. What is
// not given is taken from the checkout.
type eventFlags struct {
	Event  string   `default:"push" help:"push, tag, pull_request, pull_request_closed, release, deployment, cron, manual or merge_group."`
	Branch string   `help:"Branch of the event; a pull request's target (default: the checkout's)."`
	Tag    string   `help:"Tag of a tag event."`
	Source string   `help:"Source branch of a pull request (default: the checkout's)."`
	Action string   `default:"opened" enum:"opened,synchronized" help:"What happened to a pull request: opened or synchronized."`
	Path   []string `help:"A changed file; can be given again (default: every file counts as changed)." placeholder:"FILE"`
	Cron   string   `help:"Name of the schedule of a cron event."`
	Target string   `help:"Environment of a deployment event."`
}

// facts are what is known of the event, if it happened to the checkout at dir.
func (f eventFlags) facts(ctx context.Context, dir string) (pipeline.Facts, error) {
	c := checkout{ctx: ctx, dir: dir}
	branch := c.ask("main", "symbolic-ref", "--short", "HEAD")
	facts := pipeline.Facts{
		Event: pipeline.EventKind(f.Event),
		Repo:  c.repo(),
		Commit: pipeline.CommitFacts{
			SHA:         c.ask(strings.Repeat("0", 40), "rev-parse", "HEAD"),
			Before:      c.ask("", "rev-parse", "--verify", "-q", "HEAD~1"),
			Message:     c.ask("", "log", "-1", "--format=%B"),
			Author:      c.ask("", "log", "-1", "--format=%an"),
			AuthorEmail: c.ask("", "log", "-1", "--format=%ae"),
		},
		Build:  pipeline.BuildFacts{Number: 1, Created: time.Now()},
		System: pipeline.SystemFacts{Host: "localhost", Version: version, ForgeURL: "https://github.com"},
	}
	facts.Sender, facts.Cron, facts.Deploy.Target = facts.Commit.Author, f.Cron, f.Target
	facts.System.Platform = "linux/" + runtime.GOARCH
	facts.Changed.Files = f.Path
	if len(f.Path) == 0 {
		facts.Changed.Unknown = "no --path was given"
	}
	return facts, f.apply(&facts, branch)
}

func (f eventFlags) apply(facts *pipeline.Facts, branch string) error {
	target := f.Branch
	if target == "" {
		target = branch
	}
	if !slices.Contains(pipeline.EventKinds(), facts.Event) {
		return fmt.Errorf("--event %s: there is no such event; it is one of %v", f.Event, pipeline.EventKinds())
	}
	switch facts.Event {
	case pipeline.EventTag, pipeline.EventRelease:
		if f.Tag == "" {
			return fmt.Errorf("--event %s needs --tag", f.Event)
		}
		facts.Commit.Tag, facts.Commit.Ref = f.Tag, "refs/tags/"+f.Tag
	case pipeline.EventPullRequest, pipeline.EventPullRequestClosed:
		source := f.Source
		if source == "" {
			source = branch
		}
		facts.Commit.Branch, facts.Commit.Ref = target, "refs/pull/1/head"
		facts.PullRequest = &pipeline.PullRequestFacts{Number: 1, Action: f.Action, SourceBranch: source, TargetBranch: target,
			SourceRepo: facts.Repo.Owner + "/" + facts.Repo.Name}
	default:
		facts.Commit.Branch, facts.Commit.Ref = target, "refs/heads/"+target
	}
	return nil
}

// checkout asks git about a directory. What git cannot tell has a default, since
// a pipeline can be run where there is no git.
type checkout struct {
	ctx context.Context
	dir string
}

func (c checkout) ask(otherwise string, args ...string) string {
	out, err := git(c.ctx, c.dir, args...)
	if err != nil || out == "" {
		return otherwise
	}
	return out
}

// repo guesses the repository from the remote "origin", else from the
// directory's name.
func (c checkout) repo() pipeline.RepoFacts {
	r := pipeline.RepoFacts{Owner: "local", Name: filepath.Base(c.dir), DefaultBranch: "main"}
	remote := c.ask("", "remote", "get-url", "origin")
	path := remote
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		u.User = nil // it may be a credential
		remote, path = u.String(), u.Path
	} else if _, after, ok := strings.Cut(remote, ":"); ok { // git@host:owner/name.git
		path = after
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	if owner, name, ok := strings.Cut(path, "/"); ok && !strings.Contains(name, "/") && owner != "" && name != "" {
		r.Owner, r.Name, r.CloneURL = owner, name, remote
		r.URL = strings.TrimSuffix(remote, ".git")
	}
	if head := c.ask("", "symbolic-ref", "--short", "refs/remotes/origin/HEAD"); head != "" {
		r.DefaultBranch = strings.TrimPrefix(head, "origin/")
	}
	return r
}

// findFiles reads the named pipeline files, or those that the directory has.
func findFiles(dir string, names []string) ([]pipeline.File, error) {
	if len(names) == 0 {
		files, err := pipeline.Find(os.DirFS(dir))
		if errors.Is(err, pipeline.ErrNone) {
			return nil, fmt.Errorf("no pipeline file in %s: write a .slipway.yml, or name a file", dir)
		}
		return files, err
	}
	files := make([]pipeline.File, 0, len(names))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, pipeline.File{Path: name, Data: b})
	}
	return files, nil
}
