package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
)

// Runs reports whether any workflow of the plan runs.
func (p *Plan) Runs() bool {
	for i := range p.Workflows {
		if p.Workflows[i].Skip == "" {
			return true
		}
	}
	return false
}

// Fingerprint returns the hex SHA-256 of what would run: workflows, steps,
// images, commands, environment and settings as they are after substitution.
// What differs between two events by nature is left out: the variables that tell
// of the event, the group that a ref gives a job, the reasons and the traces of
// `when`, and where a step stands in its file. What the file makes of a variable
// counts, under whatever name. So
// the plans of a push and of the pull request of the same commit are equal if
// and only if they do the same. It is the same after a round trip through JSON.
func (p *Plan) Fingerprint() string {
	var run []Workflow
	for _, w := range p.Workflows {
		if w.Skip != "" {
			continue
		}
		w.Why, w.File = nil, ""
		w.Environment = withoutVariables(w.Environment)
		if w.Concurrency != nil {
			w.Concurrency = &Concurrency{Limit: w.Concurrency.Limit, Cancel: w.Concurrency.Cancel}
		}
		w.Services, w.Steps = essence(w.Services), essence(w.Steps)
		run = append(run, w)
	}
	h := sha256.New()
	// Maps are written with sorted keys; nothing in a plan fails to encode, and
	// writing to a hash does not fail.
	if err := json.NewEncoder(h).Encode(run); err != nil {
		panic("pipeline: encode plan: " + err.Error())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// essence copies steps without what does not change what they do. Of a step
// that is skipped only its place in the order is left.
func essence(steps []Step) []Step {
	out := make([]Step, 0, len(steps))
	for _, s := range steps {
		if s.Skip != "" {
			s = Step{Name: s.Name, DependsOn: s.DependsOn, Skip: "skipped"}
		}
		s.Why, s.Line = nil, 0
		out = append(out, s)
	}
	return out
}

// ofEvent finds the variables that a workflow gets from the event: see
// factVariables and setDrone.
var ofEvent = regexp.MustCompile(`^(CI$|CI_|DRONE$|DRONE_|GIT_AUTHOR_|GIT_COMMITTER_)`)

func withoutVariables(env map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range env {
		if !ofEvent.MatchString(k) {
			out[k] = v
		}
	}
	return out
}
