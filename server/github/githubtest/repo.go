package githubtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// RepoOptions configure a repository.
type RepoOptions struct {
	Private       bool
	DefaultBranch string // empty means "main"
}

// A Repo is a bare repository and what GitHub keeps beside it.
type Repo struct {
	s             *Server
	id            int64
	owner, name   string
	private, fork bool
	defaultBranch string
	dir           string
	created       time.Time

	// commitMu is held from reading a branch until it is moved.
	commitMu sync.Mutex

	statuses statuses

	mu    sync.Mutex // guards what follows
	known map[string]bool
}

// maxName is the most bytes of a name that nameRE fits.
const maxName = 100

var nameRE = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*$`)

// AddRepo makes an empty repository.
func (s *Server) AddRepo(ctx context.Context, owner, name string, o RepoOptions) (*Repo, error) {
	if o.DefaultBranch == "" {
		o.DefaultBranch = "main"
	}
	r := &Repo{owner: owner, name: name, private: o.Private, defaultBranch: o.DefaultBranch}
	if err := s.add(ctx, r); err != nil {
		return nil, fmt.Errorf("add repository %s/%s: %w", owner, name, err)
	}
	return r, nil
}

// Fork makes a fork of r, of the same name and with all its branches, that
// belongs to owner.
func (r *Repo) Fork(ctx context.Context, owner string) (*Repo, error) {
	f := &Repo{owner: owner, name: r.name, private: r.private, defaultBranch: r.defaultBranch, fork: true}
	if err := r.s.add(ctx, f); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	if _, err := r.s.git.run(ctx, f.dir, nil, "fetch", "--quiet", r.dir,
		"refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	return f, nil
}

// add makes the repository on disk and makes it known.
func (s *Server) add(ctx context.Context, r *Repo) error {
	if max(len(r.owner), len(r.name)) > maxName || !nameRE.MatchString(r.owner) || !nameRE.MatchString(r.name) || strings.HasSuffix(r.name, ".git") {
		return errors.New("not a name GitHub allows")
	}
	if err := checkRef(r.defaultBranch); err != nil {
		return err
	}
	r.s, r.id, r.created, r.known = s, s.nextID(), s.now(), map[string]bool{}
	r.dir = filepath.Join(s.git.dir, "repos", strings.ToLower(r.owner), strings.ToLower(r.name)+".git")
	if err := os.MkdirAll(filepath.Dir(r.dir), 0o755); err != nil {
		return err
	}
	// Making the directory takes the name: of two that try, one fails.
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return errors.New("name already exists on this account")
	}
	if _, err := s.git.run(ctx, r.dir, nil, "init", "--quiet", "--bare", "--initial-branch="+r.defaultBranch); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[repoKey(r.owner, r.name)] = r
	return nil
}

// ID returns the number that webhooks give the repository.
func (r *Repo) ID() int64 { return r.id }

// Owner returns the owner's login.
func (r *Repo) Owner() string { return r.owner }

// Name returns the name without the owner.
func (r *Repo) Name() string { return r.name }

// FullName returns "owner/name".
func (r *Repo) FullName() string { return r.owner + "/" + r.name }

// HTMLURL returns the address of the repository's page.
func (r *Repo) HTMLURL() string { return r.s.URL() + "/" + r.FullName() }

// CloneURL returns what `git clone` takes.
func (r *Repo) CloneURL() string { return r.HTMLURL() + ".git" }

// Resolve returns the SHA of the commit that a full ref or a SHA leads to,
// empty if there is none.
func (r *Repo) Resolve(ctx context.Context, rev string) (string, error) {
	sha, err := r.s.git.run(ctx, r.dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		return "", nil
	}
	return sha, nil
}

var shaRE = regexp.MustCompile(`^[0-9a-f]{40}$`)

// hasCommit reports whether sha is a commit here.
func (r *Repo) hasCommit(ctx context.Context, sha string) (bool, error) {
	if !shaRE.MatchString(sha) {
		return false, nil
	}
	r.mu.Lock()
	known := r.known[sha]
	r.mu.Unlock()
	if known {
		return true, nil
	}
	got, err := r.Resolve(ctx, sha)
	if err != nil || got != sha {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[sha] = true // a commit never goes away here
	return true, nil
}

// checkRef refuses names that would mean something else in git's input. Git
// itself refuses the rest.
func checkRef(name string) error {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return fmt.Errorf("%q is not the name of a branch or a tag", name)
	}
	return nil
}
