package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
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
// What differs between two events by nature is left out: the CI_* and DRONE_*
// variables, the group that a ref gives a job,
// the reasons and the traces of `when`, and where a step stands in its file. So
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
		s.Environment = withoutVariables(s.Environment)
		out = append(out, s)
	}
	return out
}

func withoutVariables(env map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range env {
		if k != "CI" && !strings.HasPrefix(k, "CI_") && !strings.HasPrefix(k, "DRONE") {
			out[k] = v
		}
	}
	return out
}
