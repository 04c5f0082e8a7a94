package githubtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is a commit status that was posted.
type Status struct {
	ID          int64 // rises with every status that is posted anywhere
	State       string
	Context     string
	Description string
	TargetURL   string
	Creator     string // login
	CreatedAt   time.Time
}

// maxStatuses is how many statuses a SHA and context may have.
const maxStatuses = 1000

// statuses are those of one repository.
type statuses struct {
	changed signal
	mu      sync.Mutex // guards bySHA
	bySHA   map[string][]Status
}

// add records a status, unless its SHA and context has had as many as it may.
func (ss *statuses) add(sha string, s Status) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	n := 0
	for _, other := range ss.bySHA[sha] {
		if other.Context == s.Context {
			n++
		}
	}
	if n >= maxStatuses {
		return false
	}
	if ss.bySHA == nil {
		ss.bySHA = map[string][]Status{}
	}
	ss.bySHA[sha] = append(ss.bySHA[sha], s)
	ss.changed.send()
	return true
}

func (ss *statuses) of(sha string) []Status {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return slices.Clone(ss.bySHA[sha])
}

// Statuses returns all statuses that were posted on a commit, oldest first.
func (r *Repo) Statuses(sha string) []Status { return r.statuses.of(sha) }

// WaitStatus waits until a status was posted on the commit, under the context,
// that ok says yes to, and returns the first such one; it may have been posted
// before. A nil ok takes any. When ctx ends, the error tells what was posted.
func (r *Repo) WaitStatus(ctx context.Context, sha, statusContext string, ok func(Status) bool) (Status, error) {
	for {
		changed := r.statuses.changed.next()
		for _, s := range r.Statuses(sha) {
			if s.Context == statusContext && (ok == nil || ok(s)) {
				return s, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Status{}, fmt.Errorf("wait for status %s of %s at %s: %w; posted are: %s",
				statusContext, r.FullName(), sha, context.Cause(ctx), describe(r.Statuses(sha)))
		}
	}
}

func describe(ss []Status) string {
	if len(ss) == 0 {
		return "none"
	}
	var parts []string
	for _, s := range ss {
		parts = append(parts, fmt.Sprintf("%s %s %q", s.Context, s.State, s.Description))
	}
	return strings.Join(parts, ", ")
}

// latest returns the newest status of each context, in the order in which the
// contexts were first used.
func latest(ss []Status) []Status {
	var out []Status
	for _, s := range ss {
		if i := slices.IndexFunc(out, func(o Status) bool { return o.Context == s.Context }); i >= 0 {
			out[i] = s
		} else {
			out = append(out, s)
		}
	}
	return out
}

// combined is what GitHub makes of a commit's statuses.
func combined(ss []Status) string {
	state := "success"
	if len(ss) == 0 {
		return "pending"
	}
	for _, s := range latest(ss) {
		switch s.State {
		case "error", "failure":
			return "failure"
		case "pending":
			state = "pending"
		}
	}
	return state
}
