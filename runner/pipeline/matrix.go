package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"go.yaml.in/yaml/v4"
)

// maxJobs is how many jobs the files of one build may make, and so how many
// combinations a matrix may have.
const maxJobs = 256

// axisName is the name of a variable that a matrix sets.
var axisName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// A combination is one choice of values from a matrix.
type combination struct {
	names  []string // in the order of the file
	values map[string]string
}

// label returns the values in their order: "1.26, linux".
func (c combination) label() string {
	words := make([]string, len(c.names))
	for i, n := range c.names {
		words[i] = c.values[n]
	}
	return strings.Join(words, ", ")
}

// matrixFile is the matrix of a workflow: lists of values to be multiplied, or
// the combinations themselves.
type matrixFile struct {
	combinations []combination
	// names are all variables that some combination sets.
	names []string
	node  *yaml.Node // nil if the key is not there
}

// axis is a variable of a matrix and its values.
type axis struct {
	name   string
	values []string
}

func (m *matrixFile) decode(d *decoder, n *yaml.Node) {
	m.node = n
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			d.report(n, fmt.Sprintf("`matrix` must be a map, this is %s", kindOf(n)), "")
		}
		return
	}
	var axes []axis
	var include *yaml.Node
	for _, p := range d.pairs(n) {
		if p.key.Value == "include" {
			include = p.value
			continue
		}
		if a, ok := m.axis(d, p); ok {
			axes = append(axes, a)
		}
	}
	if include != nil {
		if len(axes) > 0 {
			d.report(include, "a matrix has either `include` or lists of values", "name all combinations in `include`, or remove it")
			return
		}
		m.include(d, include)
		return
	}
	m.multiply(d, axes)
}

// axis reads one variable of the matrix and its values.
func (m *matrixFile) axis(d *decoder, p pair) (axis, bool) {
	if !m.checkName(d, p.key) {
		return axis{}, false
	}
	var list texts
	list.decode(d, p.value)
	if len(list.items) == 0 {
		d.report(p.value, fmt.Sprintf("`%s` of the matrix has no values", clip(p.key.Value)), "add values, or remove it")
		return axis{}, false
	}
	m.names = append(m.names, p.key.Value)
	return axis{p.key.Value, list.values()}, true
}

func (m *matrixFile) checkName(d *decoder, key *yaml.Node) bool {
	_, taken := variableSet[key.Value]
	switch {
	case !axisName.MatchString(key.Value):
		d.report(key, fmt.Sprintf("`%s` is not the name of a variable", clip(key.Value)), "use letters, digits and `_`")
	case taken:
		d.report(key, fmt.Sprintf("`%s` is a variable that slipway sets", key.Value), "give it another name")
	default:
		return true
	}
	return false
}

// include reads combinations that are spelt out.
func (m *matrixFile) include(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		d.report(n, fmt.Sprintf("`include` must be a list of maps, this is %s", kindOf(n)), "")
		return
	}
	items := d.items(n)
	if len(items) == 0 {
		d.report(n, "`include` is empty: the workflow would never run", "add a combination, or remove `matrix`")
	}
	if len(items) > maxJobs {
		m.reportSize(d, n, len(items), "")
		return
	}
	for _, item := range items {
		if item.Kind != yaml.MappingNode {
			d.report(item, fmt.Sprintf("a combination must be a map, this is %s", kindOf(item)), "")
			continue
		}
		c := combination{values: map[string]string{}}
		for _, p := range d.pairs(item) {
			var t text
			if !m.checkName(d, p.key) || !t.decodeAs(d, p.value, plain) {
				continue
			}
			c.names = append(c.names, p.key.Value)
			c.values[p.key.Value] = t.value
			if !slices.Contains(m.names, p.key.Value) {
				m.names = append(m.names, p.key.Value)
			}
		}
		m.combinations = append(m.combinations, c)
	}
}

// multiply makes every combination of the values, the last name's changing
// fastest.
func (m *matrixFile) multiply(d *decoder, axes []axis) {
	if len(axes) == 0 {
		return
	}
	count, factors := 1, make([]string, len(axes))
	for i, a := range axes {
		factors[i] = fmt.Sprint(len(a.values))
		// Beyond what anybody reads it is enough to know that it is too many.
		count = min(count*len(a.values), 1<<31)
	}
	if count > maxJobs {
		m.reportSize(d, m.node, count, " ("+strings.Join(factors, " × ")+")")
		return
	}
	for i := range count {
		c := combination{names: m.names, values: map[string]string{}}
		rest := count
		for _, a := range axes {
			rest /= len(a.values)
			c.values[a.name] = a.values[i/rest%len(a.values)]
		}
		m.combinations = append(m.combinations, c)
	}
}

func (m *matrixFile) reportSize(d *decoder, n *yaml.Node, count int, how string) {
	d.report(n, fmt.Sprintf("the matrix makes %s jobs%s, at most %d are run", humanize.Comma(int64(count)), how, maxJobs),
		"name the combinations that matter in `include`")
}

// jobNames returns the names of the jobs of a workflow, each of them once.
func (m *matrixFile) jobNames(base string) []string {
	seen := map[string]int{}
	names := make([]string, len(m.combinations))
	for i, c := range m.combinations {
		name := fmt.Sprintf("%s (%s)", base, c.label())
		if nameFault(name, "") != "" {
			name = fmt.Sprintf("%s (%d)", base, i+1)
		}
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s #%d", name, seen[name])
		}
		names[i] = name
	}
	return names
}
