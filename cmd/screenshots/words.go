package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

// The words that the builds are made with. None does anything after an error.

func (s *seeding) repo(name string, private bool) *githubtest.Repo {
	if s.err != nil {
		return nil
	}
	r, err := s.github.AddRepo(s.ctx, "harbour", name, githubtest.RepoOptions{Private: private})
	s.err = err
	return r
}

// files are those of a repository's sample.
func (s *seeding) files(name string) map[string]string {
	files := map[string]string{}
	err := fs.WalkDir(sample, "sample/"+name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sample, path)
		files[strings.TrimPrefix(path, "sample/"+name+"/")] = strings.ReplaceAll(string(text), "LONG", longCommand)
		return err
	})
	s.err = errors.Join(s.err, err)
	return files
}

// longCommand is one line of 2,000 characters.
var longCommand = "echo " + strings.Repeat(`"the ferry leaves when the tide does" `, 53)

func (s *seeding) commit(r *githubtest.Repo, c githubtest.Change) (sha string) {
	if s.err != nil {
		return ""
	}
	sha, s.err = r.Commit(s.ctx, c)
	return sha
}

// push pushes a commit and waits for its verdict, if one is wanted.
func (s *seeding) push(r *githubtest.Repo, want string, c githubtest.Change) {
	if s.err != nil {
		return
	}
	_, _ = fmt.Fprintf(s.log, "%s: %s\n", r.Name(), strings.SplitN(c.Message, "\n", 2)[0])
	sha, err := r.Push(s.ctx, c)
	if err != nil {
		s.err = err
		return
	}
	if want == "" {
		return
	}
	st := s.status(r, sha, "its verdict", func(st githubtest.Status) bool { return st.State != "pending" })
	if s.err == nil && st.State != want {
		s.err = fmt.Errorf("%s, %q: %s: %s, and %s was wanted", r.FullName(), c.Message, st.State, st.Description, want)
	}
}

func (s *seeding) status(r *githubtest.Repo, sha, what string, ok func(githubtest.Status) bool) githubtest.Status {
	if s.err != nil {
		return githubtest.Status{}
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	st, err := r.WaitStatus(ctx, sha, "slipway", ok)
	if err != nil {
		s.err = fmt.Errorf("wait for %s: %w", what, err)
	}
	return st
}

// waitLog waits until the log of a step has the text.
func (s *seeding) waitLog(step, text string) {
	if s.err != nil {
		return
	}
	s.err = s.await(s.ctx, text+" in the log", func() error {
		var log string
		err := s.get(s.ctx, "/api"+step+"/log", &log)
		if err == nil && !strings.Contains(log, text) {
			err = fmt.Errorf("the log is %q", log)
		}
		return err
	})
}

// step returns the rest of the path of a step, which is asked for by its names.
func (s *seeding) step(build, workflow, name string) string {
	var b struct {
		Jobs []struct {
			Number   int
			Workflow string
			Steps    []struct {
				Number int
				Name   string
			}
		}
	}
	if s.err != nil {
		return ""
	}
	s.err = s.get(s.ctx, "/api"+build, &b)
	for _, j := range b.Jobs {
		for _, st := range j.Steps {
			if j.Workflow == workflow && st.Name == name {
				return fmt.Sprintf("/jobs/%d/steps/%d", j.Number, st.Number)
			}
		}
	}
	s.err = errors.Join(s.err, fmt.Errorf("%s has no step %s of %s", build, name, workflow))
	return ""
}
