package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Refs in a mirror. What was fetched is pinned by a ref of its own, so that no
// garbage collection loses it, whatever becomes of its branch.
const (
	pinRefs    = "refs/slipway/commits/" // + SHA: the commit and its history are here
	taggedRefs = "refs/slipway/tagged/"  // + SHA: tags were fetched after this commit
	fetchedRef = "refs/slipway/fetched"  // where a ref that was fetched by name pointed
	pullRefs   = "refs/pull/"
)

// FetchOptions change a Fetch.
type FetchOptions struct {
	// Tags fetches all tags too, for a checkout with TarOptions.Tags.
	Tags bool
	// Submodules fetches the submodules too, and theirs. It is the remote that
	// relative URLs start from, and whose credential submodules on the same host
	// get. nil: none are fetched.
	Submodules *Remote
	// LFS fetches the large files of the commit too; not those of submodules.
	LFS bool
	// Limit bounds the time of each transfer; 0 means 30 minutes. One that
	// stalls for a minute is ended anyway.
	Limit time.Duration
}

const fetchLimit = 30 * time.Minute

// Fetch makes the commit sha, and its history, present in the mirror key. It
// uses no network for what it has fetched before. Calls with the same key wait for each other.
//
// The commit is asked for by its SHA and, where the remote does not give it
// out so, by the ref through which it was heard of. That of a pull request
// (refs/pull/N/head) is always asked for by ref: hosts keep the objects of all
// forks together and give out any of them by SHA, and only the ref says that
// this one was proposed here. The ref may have moved on, but sha must be in its
// history; after a forced push it is not, and the error is ErrCommitNotFound.
// An empty ref means to ask by SHA alone.
//
// Errors are ErrInvalid, ErrCommitNotFound, ErrAuth, or temporary. A mirror
// that turns out to be damaged is made anew, once.
func (m *Mirrors) Fetch(ctx context.Context, key string, r Remote, ref, sha string, o FetchOptions) error {
	err := m.fetch(ctx, key, r, ref, sha, o)
	if err == nil && o.Submodules != nil {
		err = m.fetchSubmodules(ctx, key, *o.Submodules, sha, o)
	}
	if err == nil && o.LFS {
		err = m.fetchLarge(ctx, key, r, sha)
	}
	if err != nil {
		return fmt.Errorf("fetch commit %.12s: %w", sha, err)
	}
	return nil
}

func (m *Mirrors) fetch(ctx context.Context, key string, r Remote, ref, sha string, o FetchOptions) error {
	mir, err := m.mirror(key)
	if err != nil {
		return err
	}
	if err := checkSHA(sha); err != nil {
		return err
	}
	if ref != "" {
		if err := checkRef(ref); err != nil {
			return err
		}
	}
	if _, err := checkURL(r.URL, r.AllowHTTP); err != nil {
		return err
	}
	if o.Limit == 0 {
		o.Limit = fetchLimit
	}
	done, err := mir.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	f := &fetcher{m: m, mir: mir, remote: r, limit: o.Limit}
	err = f.ensure(ctx, ref, sha, o.Tags)
	if isCorrupt(err) {
		m.log.Warn("fetch found the mirror damaged", "mirror", key, "err", err)
		mir.setFlag(&mir.suspect)
		err = f.ensure(ctx, ref, sha, o.Tags)
	}
	if err == nil {
		err = mir.used()
	}
	return classify(err)
}

// A fetcher fetches into one mirror, whose turn it has.
type fetcher struct {
	m      *Mirrors
	mir    *mirror
	remote Remote
	limit  time.Duration
}

// ensure makes commit and tags present, with as little network as it takes.
func (f *fetcher) ensure(ctx context.Context, ref, sha string, tags bool) error {
	if err := f.m.ready(f.mir, sha); err != nil {
		return err
	}
	here, err := f.present(ctx, sha)
	if err != nil {
		return err
	}
	if !here.commit {
		if err := f.commit(ctx, ref, sha); err != nil {
			return err
		}
	}
	if tags && !here.tags {
		return f.tags(ctx, sha)
	}
	return nil
}

type presence struct{ commit, tags bool }

// present tells what of sha the mirror has been asked for before. A commit that
// came along as part of another's history is not meant: git finds out by itself
// that it needs no network for it, or that it is the remnant of a fetch that was
// cut off.
func (f *fetcher) present(ctx context.Context, sha string) (presence, error) {
	types, err := f.m.objectTypes(ctx, f.mir, pinRefs+sha, taggedRefs+sha)
	if err != nil {
		return presence{}, err
	}
	return presence{commit: types[0] == "commit", tags: types[1] != ""}, nil
}

// commit fetches the commit.
func (f *fetcher) commit(ctx context.Context, ref, sha string) error {
	var direct error
	if !strings.HasPrefix(ref, pullRefs) {
		direct = f.get(ctx, "+"+sha+":"+pinRefs+sha)
		if direct == nil {
			return f.checkType(ctx, sha)
		}
		if ref == "" || !stderrMatches(direct, saysNoCommit) {
			return direct
		}
	}
	if err := f.get(ctx, "+"+ref+":"+fetchedRef); err != nil {
		return err
	}
	if err := f.inHistory(ctx, ref, sha); err != nil {
		return err
	}
	return f.pin(ctx, pinRefs, sha)
}

// tags fetches all tags and drops those that are gone. It is a fetch of its own
// because pruning looks at every refspec it is given.
func (f *fetcher) tags(ctx context.Context, sha string) error {
	if err := f.get(ctx, "+refs/tags/*:refs/tags/*", "--prune"); err != nil {
		return err
	}
	return f.pin(ctx, taggedRefs, sha)
}

// checkType refuses what is no commit: a remote gives out any object by name.
func (f *fetcher) checkType(ctx context.Context, sha string) error {
	types, err := f.m.objectTypes(ctx, f.mir, pinRefs+sha)
	if err != nil {
		return err
	}
	if types[0] != "commit" {
		return fmt.Errorf("%w: the object is a %s", ErrCommitNotFound, types[0])
	}
	return nil
}

// inHistory tells whether sha is what was fetched as ref, or an ancestor of it.
func (f *fetcher) inHistory(ctx context.Context, ref, sha string) error {
	types, err := f.m.objectTypes(ctx, f.mir, sha)
	if err != nil {
		return err
	}
	if types[0] == "commit" {
		_, err = f.git(ctx, "merge-base", "--is-ancestor", sha, fetchedRef)
		var exit *exec.ExitError
		if err == nil || !errors.As(err, &exit) || exit.ExitCode() != 1 {
			return err
		}
	}
	return fmt.Errorf("%w: %s does not contain it", ErrCommitNotFound, ref)
}

func (f *fetcher) pin(ctx context.Context, prefix, sha string) error {
	_, err := f.git(ctx, "update-ref", prefix+sha, sha)
	return err
}

// get fetches one refspec. If the remote redirects, it follows once.
func (f *fetcher) get(ctx context.Context, refspec string, options ...string) error {
	err := f.getFrom(ctx, f.remote, refspec, options)
	if !stderrMatches(err, saysRedirect) {
		return err
	}
	moved, rerr := f.remote.resolve(ctx)
	if rerr != nil {
		return rerr
	}
	f.remote = moved
	return f.getFrom(ctx, moved, refspec, options)
}

func (f *fetcher) getFrom(ctx context.Context, r Remote, refspec string, options []string) error {
	u, err := checkURL(r.URL, r.AllowHTTP)
	if err != nil {
		return err
	}
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
		"--no-auto-gc", "--no-show-forced-updates", "--no-write-commit-graph"}
	args = append(args, options...)
	args = append(args, "--end-of-options", r.URL, refspec)
	f.mir.setFlag(&f.mir.dirty)
	_, err = f.m.git(ctx, gitCmd{
		gitDir:   f.mir.dir,
		settings: r.settings(u),
		scrub:    r.secrets(),
		limit:    f.limit,
		network:  true,
		args:     args,
	}, maxStderr)
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.Exited() {
		f.mir.flag(&f.mir.dirty) // git ended by itself and cleaned up
	}
	return err
}

// git runs a git that uses no network.
func (f *fetcher) git(ctx context.Context, args ...string) ([]byte, error) {
	return f.m.git(ctx, gitCmd{gitDir: f.mir.dir, args: args}, maxStderr)
}

// objectTypes returns the type of each object, "" if there is none. A name has
// no white space.
func (m *Mirrors) objectTypes(ctx context.Context, mir *mirror, names ...string) ([]string, error) {
	out, err := m.git(ctx, gitCmd{
		gitDir: mir.dir,
		args:   []string{"cat-file", "--batch-check=%(objecttype)"},
		stdin:  strings.NewReader(strings.Join(names, "\n") + "\n"),
	}, len(names)*1100)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(lines) != len(names) {
		return nil, fmt.Errorf("git cat-file: %d answers to %d questions", len(lines), len(names))
	}
	types := make([]string, len(names))
	for i, line := range lines {
		if !bytes.ContainsRune(line, ' ') { // "… missing"
			types[i] = string(line)
		}
	}
	return types, nil
}
