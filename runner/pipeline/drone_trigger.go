package pipeline

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// droneWhen is the `when` of a step and the `trigger` of a pipeline: conditions
// that must all hold, each a glob, a list of which one must match, or include
// and exclude.
type droneWhen struct {
	node *yaml.Node // nil if the key is not there

	Event    pattern    `yaml:"event"`
	Branch   pattern    `yaml:"branch"`
	Ref      pattern    `yaml:"ref"`
	Repo     pattern    `yaml:"repo"`
	Instance pattern    `yaml:"instance"`
	Target   pattern    `yaml:"target"`
	Cron     pattern    `yaml:"cron"`
	Action   pattern    `yaml:"action"`
	Status   pattern    `yaml:"status"`
	Paths    pathFilter `yaml:"paths"`
}

func (w *droneWhen) decode(d *decoder, n *yaml.Node) { w.decodeAs(d, n, whatFilter) }

func (w *droneWhen) decodeAs(d *decoder, n *yaml.Node, what string) {
	if n.Tag == "!!null" || !d.object(n, what, w) {
		return
	}
	w.node = n
	for _, p := range []*pattern{&w.Event, &w.Branch, &w.Ref, &w.Repo, &w.Instance, &w.Target, &w.Cron, &w.Action, &w.Status} {
		p.checkGlobs(d)
	}
	w.Event.warnOfWords(d, "event", droneEvents())
	w.Status.warnOfWords(d, "outcome", knownOutcomes())
}

// droneTrigger is droneWhen with another name in messages.
type droneTrigger struct{ droneWhen }

func (t *droneTrigger) decode(d *decoder, n *yaml.Node) { t.decodeAs(d, n, whatTrigger) }

// warnOfWords warns of words that can never match. Drone reads over them, and
// its old files have some.
func (p *pattern) warnOfWords(d *decoder, what string, known []string) {
	for _, t := range append(p.Include.items[:len(p.Include.items):len(p.Include.items)], p.Exclude.items...) {
		if !strings.ContainsAny(t.value, "*?[{") && !contains(known, t.value) {
			d.warn(t.node, "`"+clip(t.value)+"` is not an "+what, didYouMean(t.value, known))
		}
	}
}

// filters returns the conditions of a step as one entry of our `when`, or none.
func (w *droneWhen) filters() filters {
	if w.node == nil {
		return filters{}
	}
	return filters{list: []filter{{node: w.node, Status: w.Status, drone: w.conditions}}, node: w.node}
}

// conditions compares each key with the facts, as Drone has them.
func (w *droneWhen) conditions(f *Facts) []Condition {
	var out []Condition
	compare := func(key string, p *pattern, got string) {
		if p.node != nil {
			out = append(out, Condition{Key: key, Want: p.want(), Got: orNone(got), Result: p.match(got, true)})
		}
	}
	compare("event", &w.Event, droneEvent(f))
	compare("branch", &w.Branch, droneBranch(f))
	compare("ref", &w.Ref, f.Commit.Ref)
	compare("repo", &w.Repo, joinNonEmpty(f.Repo.Owner, f.Repo.Name))
	compare("instance", &w.Instance, f.System.instance())
	compare("target", &w.Target, f.Deploy.Target)
	compare("cron", &w.Cron, f.Cron)
	compare("action", &w.Action, droneAction(f))
	return append(out, w.Paths.conditions(f)...)
}

// orNone names for people what the event does not have.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// droneEvents are Drone's words for events.
func droneEvents() []string {
	return []string{"cron", "custom", "promote", "pull_request", "push", "rollback", "tag"}
}

// taskRollback is what a deployment is for that Drone calls a rollback.
const taskRollback = "rollback"

// droneEvent returns Drone's word for the event, or "" if Drone hears nothing
// of it: of a release it sees the tag. A merge group is to it what GitHub makes
// of it, a push to a branch of its own.
func droneEvent(f *Facts) string {
	switch f.Event {
	case EventPush, EventMergeGroup:
		return "push"
	case EventTag:
		return "tag"
	case EventPullRequest:
		return "pull_request"
	case EventCron:
		return "cron"
	case EventManual:
		return "custom"
	case EventDeployment:
		if f.Deploy.Task == taskRollback {
			return "rollback"
		}
		return "promote"
	}
	return ""
}

// droneAction returns what happened in Drone's words, or "".
func droneAction(f *Facts) string {
	switch {
	case f.Event == EventTag, f.Event == EventPush && f.Commit.Before == "":
		return "create"
	case f.Event == EventPullRequest && f.PullRequest != nil:
		return f.PullRequest.Action
	}
	return ""
}

// droneBranch returns the branch that `branch` is compared with: a tag has none.
func droneBranch(f *Facts) string {
	if f.Event == EventMergeGroup {
		return strings.TrimPrefix(f.Commit.Ref, "refs/heads/")
	}
	return f.Commit.Branch
}
