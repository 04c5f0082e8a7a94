package source

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	maxRefs   = 1 << 20 // bytes of what a remote lists
	refsLimit = 2 * time.Minute
)

// Refs asks the remote where full refs point at, tags peeled to what they stand
// for. A ref that does not exist is not in the result. Errors are ErrInvalid,
// ErrAuth, or temporary.
func (m *Mirrors) Refs(ctx context.Context, r Remote, refs ...string) (map[string]string, error) {
	found, err := m.refs(ctx, r, refs)
	if err != nil {
		return nil, fmt.Errorf("ask for refs: %w", classify(err))
	}
	return found, nil
}

func (m *Mirrors) refs(ctx context.Context, r Remote, refs []string) (map[string]string, error) {
	for _, ref := range refs {
		if err := checkRef(ref); err != nil {
			return nil, err
		}
	}
	out, err := m.listRemote(ctx, r, refs)
	if stderrMatches(err, saysRedirect) {
		if r, err = r.resolve(ctx); err == nil {
			out, err = m.listRemote(ctx, r, refs)
		}
	}
	if err != nil {
		return nil, err
	}
	listed := map[string]string{}
	for line := range strings.Lines(string(out)) {
		oid, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if checkSHA(oid) == nil {
			listed[name] = oid
		}
	}
	found := map[string]string{}
	for _, ref := range refs { // a pattern matches more than the ref it is
		if oid, ok := listed[ref]; ok {
			found[ref] = oid
		}
		if oid, ok := listed[ref+"^{}"]; ok {
			found[ref] = oid
		}
	}
	return found, nil
}

func (m *Mirrors) listRemote(ctx context.Context, r Remote, refs []string) ([]byte, error) {
	u, err := checkURL(r.URL, r.AllowHTTP)
	if err != nil {
		return nil, err
	}
	args := []string{"ls-remote", "--quiet", "--end-of-options", r.URL}
	for _, ref := range refs {
		args = append(args, ref, ref+"^{}")
	}
	return m.git(ctx, gitCmd{
		gitDir: m.tmp, settings: r.settings(u), scrub: r.secrets(), limit: refsLimit, network: true, args: args,
	}, maxRefs)
}
