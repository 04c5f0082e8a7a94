package pipeline

import (
	"fmt"
	"strings"
)

// verdict is what `when` makes of an event.
type verdict struct {
	skip string // empty if it matches, else why not
	why  []Condition
	// onSuccess and onFailure come from the entries that match.
	onSuccess, onFailure bool
}

// evaluate compares each entry of `when` with the facts. All are evaluated,
// also when the first matches already: the trace shall be complete, and each
// that matches adds its `status`.
func (f *filters) evaluate(facts Facts) verdict {
	if len(f.list) == 0 {
		return verdict{onSuccess: true}
	}
	var v verdict
	var reasons []string
	matched := false
	for i := range f.list {
		conditions := f.list[i].conditions(facts)
		reason := unmet(conditions)
		if len(f.list) > 1 {
			for j := range conditions {
				conditions[j].Entry = i + 1
			}
		}
		v.why = append(v.why, conditions...)
		if reason != "" {
			reasons = append(reasons, reason)
			continue
		}
		matched = true
		status := &f.list[i].Status
		v.onSuccess = v.onSuccess || status.node == nil || status.match(outcomeSuccess, false)
		v.onFailure = v.onFailure || status.node != nil && status.match(outcomeFailure, false)
	}
	if !matched {
		v.skip = joinReasons(reasons)
		v.onSuccess = true
	}
	return v
}

// conditions evaluates the keys of one entry. Status is not among them: it is
// known only when the step's turn comes.
func (f *filter) conditions(facts Facts) []Condition {
	var out []Condition
	if f.Event.node != nil {
		out = append(out, Condition{
			Key: "event", Want: f.Event.want(), Got: string(facts.Event),
			Result: f.Event.match(string(facts.Event), false),
		})
	}
	if f.Branch.node != nil {
		out = append(out, f.branchCondition(facts))
	}
	return out
}

// branchCondition holds for every tag: a tag is on no branch, or on many.
func (f *filter) branchCondition(facts Facts) Condition {
	if facts.Event == EventTag {
		return Condition{Key: "branch", Want: f.Branch.want(), Got: "none, a tag", Result: true}
	}
	return Condition{
		Key: "branch", Want: f.Branch.want(), Got: facts.Commit.Branch,
		Result: f.Branch.match(facts.Commit.Branch, true),
	}
}

// unmet returns in words which conditions did not hold, or "".
func unmet(conditions []Condition) string {
	var out []string
	for _, c := range conditions {
		if !c.Result {
			out = append(out, fmt.Sprintf("%s is %s, wants %s", c.Key, clip(c.Got), wants(c.Want)))
		}
	}
	return strings.Join(out, " and ")
}

// wants joins a pattern for people: "main or release/*, but not release/old".
func wants(want []string) string {
	var include, exclude []string
	for _, w := range want {
		if x, ok := strings.CutPrefix(w, "not "); ok {
			exclude = append(exclude, clip(x))
		} else {
			include = append(include, clip(w))
		}
	}
	switch {
	case len(exclude) == 0:
		return orList(include)
	case len(include) == 0:
		return "anything but " + orList(exclude)
	default:
		return orList(include) + ", but not " + orList(exclude)
	}
}

func joinReasons(reasons []string) string {
	if len(reasons) == 1 {
		return reasons[0]
	}
	for i := range reasons {
		reasons[i] = fmt.Sprintf("(%d) %s", i+1, reasons[i])
	}
	return "no entry of `when` matches: " + strings.Join(reasons, "; ")
}
