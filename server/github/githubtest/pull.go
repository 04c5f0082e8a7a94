package githubtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A PullRequest is a pull request to be opened.
type PullRequest struct {
	Title  string
	Head   string // the branch that is to be merged
	Base   string // the branch to merge into; empty means the default branch
	From   *Repo  // where Head is; nil means the same repository
	Author Person
	Draft  bool
	Labels []string
}

// pull is an opened pull request.
type pull struct {
	PullRequest
	repo    *Repo // the base repository; From is never nil
	id      int64
	number  int
	created time.Time
	headSHA string
	open    bool
}

// OpenPullRequest opens a pull request, sends its webhook and returns its
// number. Its head is then in r, as refs/pull/<number>/head, and follows the
// branch that it is made of.
func (r *Repo) OpenPullRequest(ctx context.Context, pr PullRequest) (number int, err error) {
	pr.Base, pr.Author, pr.From = cmp.Or(pr.Base, r.defaultBranch), pr.Author.orMona(), cmp.Or(pr.From, r)
	s := r.s
	s.pullMu.Lock()
	defer s.pullMu.Unlock()
	p := &pull{PullRequest: pr, repo: r, id: s.nextID(), number: r.lastPull() + 1, created: s.now(), open: true}
	head, err := pr.From.Resolve(ctx, "refs/heads/"+pr.Head)
	if err != nil {
		return 0, err
	}
	if head == "" {
		return 0, fmt.Errorf("open pull request: %s has no branch %s", pr.From.FullName(), pr.Head)
	}
	if err := p.setHead(ctx, head); err != nil {
		return 0, err
	}
	s.pulls = append(s.pulls, p)
	return p.number, p.announce(ctx, "opened", pr.Author.login(), nil)
}

// ClosePullRequest closes a pull request without merging it and sends its
// webhook.
func (r *Repo) ClosePullRequest(ctx context.Context, number int) error {
	r.s.pullMu.Lock()
	defer r.s.pullMu.Unlock()
	for _, p := range r.s.pulls {
		if p.repo == r && p.number == number && p.open {
			p.open = false
			return p.announce(ctx, "closed", r.owner, nil)
		}
	}
	return fmt.Errorf("close pull request: %s has no open one with the number %d", r.FullName(), number)
}

// advancePulls moves the open pull requests that are made of a branch of r.
func (r *Repo) advancePulls(ctx context.Context, branch, sender string) error {
	r.s.pullMu.Lock()
	defer r.s.pullMu.Unlock()
	var errs []error
	for _, p := range r.s.pulls {
		if p.open && p.From == r && p.Head == branch {
			errs = append(errs, p.advance(ctx, sender))
		}
	}
	return errors.Join(errs...)
}

// advance brings the pull request to where its branch is now: of two pushes at
// once, the later may be announced first. pullMu is held.
func (p *pull) advance(ctx context.Context, sender string) error {
	head, err := p.From.Resolve(ctx, "refs/heads/"+p.Head)
	switch {
	case err != nil || head == p.headSHA:
		return err
	case head == "":
		p.open = false
		return p.announce(ctx, "closed", sender, nil)
	}
	before := p.headSHA
	if err := p.setHead(ctx, head); err != nil {
		return err
	}
	return p.announce(ctx, "synchronize", sender, object{"before": before, "after": head})
}

// setHead brings the commit into the base repository.
func (p *pull) setHead(ctx context.Context, sha string) error {
	ref := "refs/pull/" + strconv.Itoa(p.number) + "/head"
	if _, err := p.repo.s.git.run(ctx, p.repo.dir, nil, "fetch", "--quiet", "--no-tags", p.From.dir, "+"+sha+":"+ref); err != nil {
		return err
	}
	p.headSHA = sha
	return p.setMerge(ctx)
}

// setMerge makes refs/pull/<number>/merge, the head merged into where the base
// is now, or removes it if there are conflicts.
func (p *pull) setMerge(ctx context.Context) error {
	ref := "refs/pull/" + strconv.Itoa(p.number) + "/merge"
	git := func(args ...string) (string, error) { return p.repo.s.git.run(ctx, p.repo.dir, nil, args...) }
	base, err := p.repo.Resolve(ctx, "refs/heads/"+p.Base)
	if err != nil || base == "" {
		return err
	}
	tree, err := git("merge-tree", "--write-tree", "--allow-unrelated-histories", base, p.headSHA)
	if err != nil {
		_, err = git("update-ref", "-d", ref)
		return err
	}
	sha, err := git("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com", "commit-tree", tree, "-p", base, "-p", p.headSHA,
		"-m", fmt.Sprintf("Merge %s into %s", p.headSHA, base))
	if err != nil {
		return err
	}
	_, err = git("update-ref", ref, sha)
	return err
}

func (p *pull) announce(ctx context.Context, action, sender string, more object) error {
	base, err := p.repo.Resolve(ctx, "refs/heads/"+p.Base)
	if err != nil {
		return err
	}
	payload := object{
		"action":       action,
		"number":       p.number,
		"pull_request": p.json(base),
		"repository":   p.repo.json(),
		"sender":       p.repo.s.userJSON(sender),
	}
	for k, v := range more {
		payload[k] = v
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	p.repo.s.hooks.send("pull_request", action, p.repo, body)
	return nil
}

func (p *pull) json(base string) object {
	number := strconv.Itoa(p.number)
	state := "open"
	if !p.open {
		state = "closed"
	}
	labels := []object{}
	for i, l := range p.Labels {
		labels = append(labels, object{"id": p.id*100 + int64(i), "name": l, "color": "ededed", "default": false})
	}
	return object{
		"id":         p.id,
		"node_id":    nodeID("PullRequest", p.id),
		"number":     p.number,
		"state":      state,
		"locked":     false,
		"title":      p.Title,
		"url":        p.repo.s.URL() + "/api/v3/repos/" + p.repo.FullName() + "/pulls/" + number,
		"html_url":   p.repo.HTMLURL() + "/pull/" + number,
		"user":       p.repo.s.userJSON(p.Author.login()),
		"body":       "",
		"created_at": stamp(p.created),
		"updated_at": stamp(p.repo.s.now()),
		"merged":     false,
		"draft":      p.Draft,
		"labels":     labels,
		"head":       p.From.sideJSON(p.Head, p.headSHA),
		"base":       p.repo.sideJSON(p.Base, base),
	}
}

func (r *Repo) sideJSON(branch, sha string) object {
	return object{
		"label": r.owner + ":" + branch,
		"ref":   branch,
		"sha":   orZero(sha),
		"user":  r.s.userJSON(r.owner),
		"repo":  r.json(),
	}
}

// lastPull returns the highest number of a pull request of r. pullMu is held.
func (r *Repo) lastPull() int {
	n := 0
	for _, p := range r.s.pulls {
		if p.repo == r {
			n = max(n, p.number)
		}
	}
	return n
}

// openPulls returns copies of the open pull requests of r.
func (r *Repo) openPulls() []pull {
	r.s.pullMu.Lock()
	defer r.s.pullMu.Unlock()
	var ps []pull
	for _, p := range r.s.pulls {
		if p.repo == r && p.open {
			ps = append(ps, *p)
		}
	}
	return ps
}
