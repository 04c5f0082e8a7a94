package pipeline

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v4"
)

// keyPath is the key of pathFilter in a trace.
const keyPath = "path"

// pathFilter compares the files that a push or a pull request changed: globs of
// which one must match one of them, or a map.
type pathFilter struct {
	Include       texts      `yaml:"include" doc:"Globs of which one must match a changed file."`
	Exclude       texts      `yaml:"exclude" doc:"Globs; if they match every changed file the condition does not hold."`
	OnEmpty       boolean    `yaml:"on_empty" doc:"Whether the condition holds when no file is changed; true if it is not there."`
	IgnoreMessage text       `yaml:"ignore_message" doc:"If the commit message has this text in it, the condition holds whatever is changed."`
	node          *yaml.Node // nil if the key is not there
	spent         *expense
}

func (p *pathFilter) decode(d *decoder, n *yaml.Node) {
	p.node, p.spent = n, d.vars.spent
	if n.Kind == yaml.MappingNode {
		d.object(n, whatPaths, p)
	} else {
		p.Include.decode(d, n)
		if len(p.Include.items) == 0 && n.Kind != yaml.ScalarNode {
			d.report(n, "is an empty list", "name what it shall match, or remove the key")
		}
	}
	p.Include.items = d.globs(p.Include.items)
	p.Exclude.items = d.globs(p.Exclude.items)
}

// changesFiles reports whether an event has changed files.
func changesFiles(k EventKind) bool {
	switch k {
	case EventPush, EventPullRequest, EventPullRequestClosed, EventMergeGroup:
		return true
	}
	return false
}

// conditions returns the evaluated filter, or nothing if it is not there.
func (p *pathFilter) conditions(f *Facts) []Condition {
	if p.node == nil {
		return nil
	}
	c := Condition{Key: keyPath, Want: p.want()}
	c.Got, c.Result = p.evaluate(f)
	return []Condition{c}
}

// maxMatches bounds the comparing of files with globs for one pipeline file, in
// bytes that are looked at.
const maxMatches = 128 << 20

// affordable reports whether the files can be compared with the globs.
func (p *pathFilter) affordable(files []string) bool {
	size := 0
	for _, f := range files {
		size += len(f)
	}
	for _, globs := range [][]text{p.Include.items, p.Exclude.items} {
		for _, g := range globs {
			// Each star may try each place of the name.
			p.spent.matches += size * (1 + strings.Count(g.value, "*"))
			if p.spent.matches > maxMatches {
				p.spent.matches = maxMatches
				return false
			}
		}
	}
	return true
}

// evaluate returns what was compared, in words, and whether it matches.
func (p *pathFilter) evaluate(f *Facts) (got string, result bool) {
	files := f.Changed.Files
	ignore := p.IgnoreMessage.value
	switch {
	case !changesFiles(f.Event):
		return "no files, " + aKind(f.Event), true
	case ignore != "" && strings.Contains(strings.ToLower(f.Commit.Message), strings.ToLower(ignore)):
		return fmt.Sprintf("ignored: the commit message has %s", clip(ignore)), true
	case f.Changed.Unknown != "":
		return "every file: " + f.Changed.Unknown, true
	case len(files) == 0:
		return "no files", p.OnEmpty.node == nil || p.OnEmpty.value
	case !p.affordable(files):
		return fmt.Sprintf("every file: %d are too many to be compared", len(files)), true
	}
	got = someFiles(files)
	if len(p.Exclude.items) > 0 && !hasUnmatched(files, p.Exclude.items) {
		return got, false
	}
	if len(p.Include.items) == 0 {
		return got, true
	}
	for _, file := range files {
		if matchesAny(file, p.Include.items) {
			return file, true
		}
	}
	return got, false
}

func hasUnmatched(files []string, globs []text) bool {
	for _, file := range files {
		if !matchesAny(file, globs) {
			return true
		}
	}
	return false
}

func matchesAny(s string, globs []text) bool {
	for _, g := range globs {
		if ok, err := doublestar.Match(g.value, s); err == nil && ok {
			return true
		}
	}
	return false
}

// someFiles names the first few files and counts the others.
func someFiles(files []string) string {
	const most = 3
	var names []string
	for _, f := range files[:min(len(files), most)] {
		names = append(names, clip(f))
	}
	list := strings.Join(names, ", ")
	if len(files) <= most {
		return list
	}
	return fmt.Sprintf("%s and %d more", list, len(files)-most)
}

func (p *pathFilter) want() []string {
	out := p.Include.values()
	for _, t := range p.Exclude.items {
		out = append(out, "not "+t.value)
	}
	return out
}

// matrixWhen compares the values of the matrix: a map of names to globs, or
// {include, exclude} of such maps.
type matrixWhen struct {
	include, exclude []matrixGlob
	node             *yaml.Node // nil if the key is not there
}

// matrixGlob are the globs for one variable, of which one must match.
type matrixGlob struct {
	name  string
	globs []text
}

func (m *matrixWhen) decode(d *decoder, n *yaml.Node) {
	m.node = n
	if n.Kind != yaml.MappingNode {
		d.report(n, fmt.Sprintf("`matrix` must be a map of names to values, this is %s", kindOf(n)), "")
		return
	}
	for _, p := range d.pairs(n) {
		switch {
		case p.key.Value == "include" && p.value.Kind == yaml.MappingNode:
			m.include = append(m.include, d.matrixGlobs(p.value)...)
		case p.key.Value == "exclude" && p.value.Kind == yaml.MappingNode:
			m.exclude = append(m.exclude, d.matrixGlobs(p.value)...)
		default:
			m.include = append(m.include, d.matrixGlob(p))
		}
	}
}

func (d *decoder) matrixGlobs(n *yaml.Node) []matrixGlob {
	var out []matrixGlob
	for _, p := range d.pairs(n) {
		out = append(out, d.matrixGlob(p))
	}
	return out
}

func (d *decoder) matrixGlob(p pair) matrixGlob {
	var list texts
	list.decode(d, p.value)
	return matrixGlob{p.key.Value, d.globs(list.items)}
}

// conditions returns one condition for each variable, and one for what is
// excluded, which is excluded only if all of it matches.
func (m *matrixWhen) conditions(values map[string]string) []Condition {
	if m.node == nil {
		return nil
	}
	var out []Condition
	for _, g := range m.include {
		want := texts{items: g.globs}
		out = append(out, Condition{
			Key: "matrix." + g.name, Want: want.values(), Got: values[g.name],
			Result: g.matches(values),
		})
	}
	if len(m.exclude) == 0 {
		return out
	}
	c := Condition{Key: "matrix"}
	var got, unwanted []string
	for _, g := range m.exclude {
		want := texts{items: g.globs}
		unwanted = append(unwanted, g.name+"="+strings.Join(want.values(), "|"))
		got = append(got, g.name+"="+values[g.name])
		c.Result = c.Result || !g.matches(values)
	}
	c.Want, c.Got = []string{"not " + strings.Join(unwanted, ", ")}, strings.Join(got, ", ")
	return append(out, c)
}

func (g *matrixGlob) matches(values map[string]string) bool {
	v := values[g.name]
	for _, t := range g.globs {
		if t.value == v {
			return true
		}
	}
	return matchesAny(v, g.globs)
}
