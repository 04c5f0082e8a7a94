package githubtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// update is a ref that was moved. before is empty if it was new, after if it
// was deleted.
type update struct{ ref, before, after string }

// zeroSHA stands in payloads for no commit.
const zeroSHA = "0000000000000000000000000000000000000000"

// parseUpdates reads the lines that git gives a post-receive hook.
func parseUpdates(lines string) []update {
	var us []update
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		us = append(us, update{
			ref:    f[2],
			before: strings.TrimPrefix(f[0], zeroSHA),
			after:  strings.TrimPrefix(f[1], zeroSHA),
		})
	}
	return us
}

// announce sends what GitHub sends after a push: for each branch or tag a push
// event, and for each pull request whose head has moved what became of it.
func (r *Repo) announce(ctx context.Context, us []update, sender string) error {
	var errs []error
	for _, u := range us {
		branch, isBranch := strings.CutPrefix(u.ref, "refs/heads/")
		if !isBranch && !strings.HasPrefix(u.ref, "refs/tags/") {
			continue
		}
		payload, err := r.pushPayload(ctx, u, sender)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.s.hooks.send("push", "", r, payload)
		if isBranch {
			errs = append(errs, r.advancePulls(ctx, branch, sender))
		}
	}
	return errors.Join(errs...)
}

// commitInfo is a commit as a push tells of it.
type commitInfo struct {
	sha, tree, message                                     string
	authorName, authorEmail, committerName, committerEmail string
	at                                                     time.Time
	added, removed, modified                               []string
}

// log returns the newest commits of a revision range, newest first.
func (r *Repo) log(ctx context.Context, limit int, revs ...string) ([]commitInfo, error) {
	sep := r.s.git.separator
	format := strings.Join([]string{sep + "%H", "%T", "%an", "%ae", "%cn", "%ce", "%cI", "%B", ""}, sep)
	args := []string{"log", fmt.Sprintf("--max-count=%d", limit), "--name-status", "--no-renames", "--format=" + format}
	out, err := r.s.git.run(ctx, r.dir, nil, append(args, revs...)...)
	if err != nil {
		return nil, err
	}
	const fields = 9
	f := strings.Split(out, sep)[1:] // nothing stands before the first separator
	var cs []commitInfo
	for ; len(f) >= fields; f = f[fields:] {
		at, err := time.Parse(time.RFC3339, f[6])
		if err != nil {
			return nil, fmt.Errorf("read commit %s: %w", f[0], err)
		}
		c := commitInfo{
			sha: f[0], tree: f[1], authorName: f[2], authorEmail: f[3],
			committerName: f[4], committerEmail: f[5], at: at, message: strings.TrimRight(f[7], "\n"),
		}
		c.addFiles(f[8])
		cs = append(cs, c)
	}
	return cs, nil
}

func (c *commitInfo) addFiles(lines string) {
	for line := range strings.Lines(lines) {
		status, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case !ok:
		case status == "A":
			c.added = append(c.added, path)
		case status == "D":
			c.removed = append(c.removed, path)
		default:
			c.modified = append(c.modified, path)
		}
	}
}

// pushed returns the commits that a push brought, newest first, the head among
// them always, and whether history was lost.
func (r *Repo) pushed(ctx context.Context, u update) (cs []commitInfo, forced bool, err error) {
	if u.before == "" || strings.HasPrefix(u.ref, "refs/tags/") {
		cs, err = r.log(ctx, 1, u.after, "--")
		return cs, false, err
	}
	if cs, err = r.log(ctx, 20, u.after, "^"+u.before, "--"); err != nil {
		return nil, false, err
	}
	if len(cs) == 0 {
		if cs, err = r.log(ctx, 1, u.after, "--"); err != nil {
			return nil, false, err
		}
	}
	lost, err := r.s.git.run(ctx, r.dir, nil, "rev-list", "--max-count=1", u.before, "^"+u.after, "--")
	return cs, lost != "", err
}
