package pipeline

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v4"
)

// whatFilter names an entry of `when` in messages, whatPatterns and whatPaths the
// maps in it.
const (
	whatFilter   = "`when`"
	whatPatterns = "filter"
	whatPaths    = "path filter"
)

// filters is `when`: one map, or a list of maps of which one must match. No
// entry at all matches everything.
type filters struct {
	list []filter
	node *yaml.Node // nil if the key is not there
}

func (f *filters) decode(d *decoder, n *yaml.Node) {
	f.node = n
	nodes := []*yaml.Node{n}
	switch {
	case n.Kind == yaml.SequenceNode:
		nodes = d.items(n)
	case n.Tag == "!!null":
		return
	}
	for _, c := range nodes {
		one := filter{node: c}
		if d.object(c, whatFilter, &one) {
			one.check(d)
			f.list = append(f.list, one)
		}
	}
}

// filter is one entry of `when`; all of its keys must match. A further key is
// a field here and a line in conditions.
type filter struct {
	node *yaml.Node
	// drone evaluates an entry of a .drone.yml, instead of all keys but status.
	drone func(*Facts) []Condition

	Event    pattern    `yaml:"event" doc:"What happened: push, tag, pull_request, pull_request_closed, release, deployment, cron, manual or merge_group." values:"event"`
	Branch   pattern    `yaml:"branch" doc:"The branch, as a glob; the target of a pull request. It does not apply to tags."`
	Ref      pattern    `yaml:"ref" doc:"The full ref, as a glob: refs/tags/v*."`
	Repo     pattern    `yaml:"repo" doc:"The repository as owner/name, as a glob."`
	Path     pathFilter `yaml:"path" doc:"Globs of which one must match a file that the push or the pull request changed, or a map. It does not apply to other events."`
	Status   pattern    `yaml:"status" doc:"After which outcome of what it depends on a step runs: success, failure or both." values:"outcome"`
	Matrix   matrixWhen `yaml:"matrix" doc:"The values of the matrix, as a map of names to globs."`
	Instance pattern    `yaml:"instance" doc:"The host name of this slipway, as a glob."`
	Platform pattern    `yaml:"platform" doc:"What the steps run on, as a glob: linux/amd64."`
	Cron     pattern    `yaml:"cron" doc:"The name of the schedule, as a glob. It applies to the event cron only."`
	Evaluate expression `yaml:"evaluate" doc:"An expression over the variables that must be true, such as CI_COMMIT_AUTHOR != \"renovate\"."`

	Local ignored `yaml:"local" only:"woodpecker"`
}

// events are the words for events, and those of Woodpecker that never happen
// here but may be named.
func events() []string {
	out := []string{"pull_request_metadata", "custom"}
	for _, k := range EventKinds() {
		out = append(out, string(k))
	}
	return out
}

// check reports values that can never match, since they are typing errors.
func (f *filter) check(d *decoder) {
	f.Event.checkWords(d, "event", events())
	f.Status.checkWords(d, "outcome", knownOutcomes())
	for _, p := range []*pattern{&f.Branch, &f.Ref, &f.Repo, &f.Instance, &f.Platform, &f.Cron} {
		p.checkGlobs(d)
	}
}

// pattern is what a value is compared with: a list of which one must match, or
// {include, exclude} of which none of the excluded may.
type pattern struct {
	Include texts      `yaml:"include" doc:"What must match: one, or a list of which one must."`
	Exclude texts      `yaml:"exclude" doc:"What must not match."`
	node    *yaml.Node // nil if the key is not there
}

func (p *pattern) decode(d *decoder, n *yaml.Node) {
	p.node = n
	if n.Kind == yaml.MappingNode {
		d.object(n, whatPatterns, p)
		return
	}
	p.Include.decode(d, n)
	// What is left empty would match everything, which nobody means.
	if len(p.Include.items) == 0 && n.Kind != yaml.ScalarNode {
		d.report(n, "is an empty list", "name what it shall match, or remove the key")
	}
}

func (p *pattern) checkWords(d *decoder, what string, known []string) {
	for _, t := range append(p.Include.items[:len(p.Include.items):len(p.Include.items)], p.Exclude.items...) {
		if !contains(known, t.value) {
			d.report(t.node, fmt.Sprintf("`%s` is not an %s", clip(t.value), what), didYouMean(t.value, known))
		}
	}
}

// Bounds of one glob. Alternatives multiply: what is allowed is paid for from
// the decoder's budget.
const (
	maxGlob   = 256
	maxBraces = 3
)

func (p *pattern) checkGlobs(d *decoder) {
	p.Include.items = d.globs(p.Include.items)
	p.Exclude.items = d.globs(p.Exclude.items)
}

// globs returns the items that are well-formed and cheap enough to match.
func (d *decoder) globs(items []text) []text {
	var out []text
	for _, t := range items {
		braces := strings.Count(t.value, "{")
		cost := len(t.value)
		for range min(braces, maxBraces) {
			cost *= 1 + strings.Count(t.value, ",")
		}
		switch {
		case len(t.value) > maxGlob || braces > maxBraces:
			d.report(t.node, fmt.Sprintf("`%s` is too long a pattern", clip(t.value)),
				fmt.Sprintf("use several patterns, of at most %d bytes and %d {…} each", maxGlob, maxBraces))
		case !doublestar.ValidatePattern(t.value):
			d.report(t.node, fmt.Sprintf("`%s` is not a valid pattern", clip(t.value)), "close every `[` and `{`, or write `\\[` for the character")
		case d.spend(t.node, cost):
			out = append(out, t)
		}
	}
	return out
}

// match reports whether got is matched, as a glob or word for word.
func (p *pattern) match(got string, glob bool) bool {
	hit := func(items []text) bool {
		for _, t := range items {
			if t.value == got {
				return true
			}
			if glob {
				if ok, err := doublestar.Match(t.value, got); err == nil && ok {
					return true
				}
			}
		}
		return false
	}
	if hit(p.Exclude.items) {
		return false
	}
	return len(p.Include.items) == 0 || hit(p.Include.items)
}

// want returns the pattern as a trace shows it, with "not" before exclusions.
func (p *pattern) want() []string {
	out := p.Include.values()
	for _, t := range p.Exclude.items {
		out = append(out, "not "+t.value)
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
