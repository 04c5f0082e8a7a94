package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what `when` makes of an event.
type verdict struct {
	skip string // empty if it matches, else why not
	why  []Condition
	// onSuccess and onFailure come from the entries that match.
	onSuccess, onFailure bool
}

// scope tells what a `when` stands on.
type scope int

const (
	wholeWorkflow scope = iota
	oneStepOf
)

// evaluate compares each entry of `when` with the facts. All are evaluated,
// also when the first matches already: the trace shall be complete, and each
// that matches adds its `status`.
func (w *workflow) evaluate(f *filters, on scope) verdict {
	if len(f.list) == 0 {
		return verdict{onSuccess: true}
	}
	var v verdict
	var reasons []string
	matched := false
	for i := range f.list {
		conditions := w.conditions(&f.list[i], on)
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

// unlessNamed skips a step at the end of a pull request, unless its workflow or
// the step itself names that event: what is written for commits would otherwise
// run once more for each pull request that is closed.
func (w *workflow) unlessNamed(f *filters, v verdict) verdict {
	if w.facts.Event != EventPullRequestClosed || v.skip != "" || f.nameEvents() || w.file.When.nameEvents() {
		return v
	}
	c := Condition{Key: "event", Want: []string{"an event that `when` names"}, Got: string(EventPullRequestClosed)}
	return verdict{skip: c.unmet(), why: append(v.why, c), onSuccess: true}
}

// nameEvents reports whether an entry has a filter on events.
func (f *filters) nameEvents() bool {
	return slices.ContainsFunc(f.list, func(f filter) bool { return f.Event.node != nil || f.drone != nil })
}

// conditions evaluates the keys of one entry. Status is not among them: it is
// known only when the step's turn comes.
func (w *workflow) conditions(f *filter, on scope) []Condition {
	facts := &w.facts
	if f.drone != nil {
		return f.drone(facts)
	}
	var out []Condition
	compare := func(key string, p *pattern, got string, glob bool) {
		if p.node != nil {
			out = append(out, Condition{Key: key, Want: p.want(), Got: got, Result: p.match(got, glob)})
		}
	}
	compare("event", &f.Event, string(facts.Event), false)
	if facts.Event == EventTag {
		// A tag is on no branch, or on many.
		out = append(out, f.Branch.inapplicable("branch", "none, a tag")...)
	} else {
		compare("branch", &f.Branch, facts.Commit.Branch, true)
	}
	compare("ref", &f.Ref, facts.Commit.Ref, true)
	compare("repo", &f.Repo, joinNonEmpty(facts.Repo.Owner, facts.Repo.Name), true)
	out = append(out, f.Path.conditions(facts)...)
	if on == oneStepOf || w.doc.dialect == slipway {
		out = append(out, f.Matrix.conditions(w.planned.Matrix)...)
	}
	compare("instance", &f.Instance, facts.System.instance(), true)
	compare("platform", &f.Platform, facts.System.Platform, true)
	if facts.Event == EventCron {
		compare("cron", &f.Cron, facts.Cron, true)
	} else {
		out = append(out, f.Cron.inapplicable("cron", "none, "+aKind(facts.Event))...)
	}
	return append(out, w.evaluation(&f.Evaluate)...)
}

// inapplicable is the condition of a key that does not apply to the event, and
// so holds; nothing if the key is not there.
func (p *pattern) inapplicable(key, got string) []Condition {
	if p.node == nil {
		return nil
	}
	return []Condition{{Key: key, Want: p.want(), Got: got, Result: true}}
}

// aKind names an event with its article.
func aKind(k EventKind) string { return article(strings.ReplaceAll(string(k), "_", " ")) }

func joinNonEmpty(owner, name string) string {
	if owner == "" {
		return name
	}
	return owner + "/" + name
}

// instance returns the name that `when: instance` is compared with.
func (s SystemFacts) instance() string {
	if s.Instance != "" {
		return s.Instance
	}
	return s.Host
}

// unmet returns in words which conditions did not hold, or "".
func unmet(conditions []Condition) string {
	var out []string
	for _, c := range conditions {
		if !c.Result {
			out = append(out, c.unmet())
		}
	}
	return strings.Join(out, " and ")
}

// unmet says in words that the condition did not hold.
func (c *Condition) unmet() string {
	switch {
	case c.Key == keyEvaluate:
		return fmt.Sprintf("`%s` is %s", clip(strings.Join(c.Want, " ")), clip(c.Got))
	case c.Key == keyPath:
		return fmt.Sprintf("no changed file counts (%s), wants %s", clip(c.Got), wants(c.Want))
	case c.Got == "":
		return fmt.Sprintf("%s is not known, wants %s", c.Key, wants(c.Want))
	}
	return fmt.Sprintf("%s is %s, wants %s", c.Key, clip(c.Got), wants(c.Want))
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
	const most = 10
	var told []string
	for i, r := range reasons[:min(len(reasons), most)] {
		told = append(told, fmt.Sprintf("(%d) %s", i+1, r))
	}
	if len(reasons) > most {
		told = append(told, fmt.Sprintf("and %d more", len(reasons)-most))
	}
	return "no entry of `when` matches: " + strings.Join(told, "; ")
}
