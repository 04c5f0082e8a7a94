package status

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/store"
)

// Context is the one context that a maintainer requires: the aggregate of the
// newest run of each build of a commit. Workflows have Context + "/" + name.
const Context = "slipway"

// run is the newest run of a build, with its jobs.
type run struct {
	store.Build
	jobs     []store.Job
	culprits map[int]store.Culprit // by the jobs' numbers
}

// part is what one build or job contributes to a context.
type part struct {
	state       github.State
	description string
	path        string // of its page
}

// rank orders states by what an aggregate shows: pending while anything waits
// or runs, then the worst.
var rank = []github.State{github.StateSuccess, github.StateFailure, github.StateError, github.StatePending}

// verdict works out what the statuses of a commit should say, Context first.
// repoPath is the path of the repository's page below base, the public URL.
func verdict(runs []run, base, repoPath string) []store.WantedStatus {
	var whole []part
	byName := map[string][]part{}
	var names []string
	for _, r := range runs {
		whole = append(whole, buildPart(r, repoPath))
		if len(r.jobs) < 2 {
			continue
		}
		for _, j := range r.jobs {
			if _, ok := byName[j.Name]; !ok {
				names = append(names, j.Name)
			}
			byName[j.Name] = append(byName[j.Name], jobPart(r, j, repoPath))
		}
	}
	if len(whole) == 0 {
		return nil
	}
	want := []store.WantedStatus{worst(whole).wanted(Context, base)}
	for _, name := range names {
		want = append(want, worst(byName[name]).wanted(detail(name), base))
	}
	return want
}

// maxContext is how long a context may be on GitHub.
const maxContext = 255 // bytes

// detail is the context of a workflow or of one combination of its matrix. A name
// that is too long is cut, and what tells it from others comes behind it.
func detail(name string) string {
	context := Context + "/" + strings.ToValidUTF8(name, "\uFFFD")
	if len(context) <= maxContext {
		return context
	}
	sum := sha256.Sum256([]byte(name))
	mark := "… " + hex.EncodeToString(sum[:4])
	end := maxContext - len(mark)
	for !utf8.RuneStart(context[end]) {
		end--
	}
	return context[:end] + mark
}

// worst returns the first of the parts that decide.
func worst(parts []part) part {
	return slices.MaxFunc(parts, func(a, b part) int {
		return cmp.Compare(slices.Index(rank, a.state), slices.Index(rank, b.state))
	})
}

func (p part) wanted(context, base string) store.WantedStatus {
	return store.WantedStatus{
		Context: context, State: string(p.state),
		Description: p.description, TargetURL: base + p.path,
	}
}

func buildPart(r run, repoPath string) part {
	p := part{
		state:       state(r.Status),
		description: describe(r.Status, r.Reason, r.FinishedAt.Sub(r.StartedAt)),
		path:        buildPath(repoPath, r.Number),
	}
	for _, j := range r.jobs {
		if j.Status == r.Status && j.FailedStep > 0 {
			p.path = stepPath(repoPath, r.Number, j)
			if why, ok := r.why(j); ok && j.Reason != "" && strings.HasSuffix(r.Reason, j.Reason) {
				p.description = strings.TrimSuffix(r.Reason, j.Reason) + why // "workflow test: "
			}
			break
		}
	}
	return p
}

// why says what is known to have failed in the step that decided a job.
func (r run) why(j store.Job) (why string, ok bool) {
	c := r.culprits[j.Number]
	return c.Step + ": " + c.Title, c.Title != ""
}

func jobPart(r run, j store.Job, repoPath string) part {
	p := part{
		state:       state(j.Status),
		description: describe(j.Status, j.Reason, j.FinishedAt.Sub(j.StartedAt)),
		path:        buildPath(repoPath, r.Number),
	}
	switch {
	case j.FailedStep > 0:
		p.path = stepPath(repoPath, r.Number, j)
		if why, ok := r.why(j); ok {
			p.description = why
		}
	case j.Status == store.Blocked && r.Status == store.Blocked:
		p.description = r.Reason
	case j.Status == store.Skipped:
		p.description = "skipped: " + j.Reason
	}
	return p
}

func buildPath(repoPath string, number int64) string {
	return fmt.Sprintf("%s/builds/%d", repoPath, number)
}

func stepPath(repoPath string, number int64, j store.Job) string {
	return fmt.Sprintf("%s/builds/%d/jobs/%d/steps/%d", repoPath, number, j.Number, j.FailedStep)
}

// state maps ours to GitHub's. A skipped build is a success, so that requiring
// the context does not shut out a commit that nothing was to be done for.
func state(s store.Status) github.State {
	switch s {
	case store.Success, store.Skipped:
		return github.StateSuccess
	case store.Failure:
		return github.StateFailure
	case store.Error, store.Canceled:
		return github.StateError
	default:
		return github.StatePending
	}
}

func describe(s store.Status, reason string, took time.Duration) string {
	if reason != "" {
		return reason
	}
	switch s {
	case store.Blocked:
		return "waits for other workflows"
	case store.Pending:
		return "queued"
	case store.Running:
		return "running"
	case store.Success:
		return "passed in " + took.Round(time.Second).String()
	default:
		return string(s)
	}
}
