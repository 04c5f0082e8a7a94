package pipeline

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

const (
	// maxWork bounds what is decoded of one file, in bytes with each node
	// counting nodeWork more. Aliases make a small file stand for a huge one;
	// this is what ends it.
	maxWork  = 16 << 20
	nodeWork = 32
	// maxProblems is how many errors, and how many warnings, of one file are told.
	maxProblems = 50
)

// A value is a type of the language: it fills itself from a node, which is
// never an alias, and reports to d what does not fit.
type value interface {
	decode(d *decoder, n *yaml.Node)
}

// decoder fills the types of the language from the nodes of one document, and
// substitutes variables in every scalar on the way.
type decoder struct {
	doc      *document
	vars     *substituter
	work     *int            // left; shared by all decoders of the document
	secrets  *Facts          // of which only the secrets are looked at
	missing  []missingSecret // see takeMissing
	problems Problems
	errors   int // in problems
	warnings int // in problems
	fields   map[reflect.Type]map[string][]int
}

func newDecoder(doc *document, vars *substituter, f *Facts) *decoder {
	work := maxWork
	return &decoder{doc: doc, vars: vars, work: &work, secrets: f, fields: map[reflect.Type]map[string][]int{}}
}

// another returns a decoder of the same document with other variables, no
// problems yet, and the same budget.
func (d *decoder) another(vars *substituter) *decoder {
	return &decoder{doc: d.doc, vars: vars, work: d.work, secrets: d.secrets, fields: d.fields}
}

// report adds an error at a node.
func (d *decoder) report(n *yaml.Node, message, fix string) {
	d.add(d.doc.problem(n.Line, n.Column, message, fix))
}

// complain adds an error in slipway's own files, a warning in others, whose own
// system reads over it.
func (d *decoder) complain(n *yaml.Node, message, fix string) {
	if d.doc.dialect == slipway {
		d.report(n, message, fix)
	} else {
		d.warn(n, message, fix)
	}
}

// warn adds a warning at a node.
func (d *decoder) warn(n *yaml.Node, message, fix string) {
	p := d.doc.problem(n.Line, n.Column, message, fix)
	p.Warning = true
	d.add(p)
}

// add keeps at most maxProblems errors and as many warnings, counted apart so
// that no number of warnings hides an error; and one more of each, by which
// fileProblems sees that there are more.
func (d *decoder) add(p Problem) {
	count := &d.errors
	if p.Warning {
		count = &d.warnings
	}
	if *count > maxProblems || d.spent() {
		return
	}
	*count++
	d.problems = append(d.problems, p)
}

// spend takes work from the budget and reports whether there was enough.
func (d *decoder) spend(n *yaml.Node, work int) bool {
	if d.spent() {
		return false
	}
	if *d.work -= work; *d.work >= 0 {
		return true
	}
	// It is told first and for sure: what was not decoded makes other problems.
	d.problems = Problems{d.doc.exhausted(n)}
	return false
}

// spent reports whether the budget is used up.
func (d *decoder) spent() bool { return *d.work < 0 }

// resolve returns the node that n stands for.
func (d *decoder) resolve(n *yaml.Node) *yaml.Node {
	at := n
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if !d.spend(at, nodeWork+len(n.Value)) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: at.Line, Column: at.Column}
	}
	return n
}

// pair is a key of a mapping and its value, resolved.
type pair struct{ key, value *yaml.Node }

// pairs returns the keys of a mapping with merge keys (`<<`) flattened: a key
// of the mapping itself wins, then the first merged one. Duplicates are reported.
func (d *decoder) pairs(n *yaml.Node) []pair { return d.pairsAt(n, 0) }

func (d *decoder) pairsAt(n *yaml.Node, depth int) []pair {
	var out []pair
	var merges []*yaml.Node
	seen := make(map[string]int, len(n.Content)/2) // key → line
	for i := 0; i+1 < len(n.Content) && !d.spent(); i += 2 {
		key, val := d.resolve(n.Content[i]), d.resolve(n.Content[i+1])
		if key.Tag == "!!merge" {
			merges = append(merges, val)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			d.report(n.Content[i], "a key must be a single value", "")
			continue
		}
		if line, ok := seen[key.Value]; ok {
			d.report(n.Content[i], fmt.Sprintf("`%s` stands here twice, first on line %d", clip(key.Value), line), "remove one of them")
			continue
		}
		seen[key.Value] = n.Content[i].Line
		if n.Content[i].Kind == yaml.AliasNode {
			key = &yaml.Node{Kind: key.Kind, Tag: key.Tag, Value: key.Value, Line: n.Content[i].Line, Column: n.Content[i].Column}
		}
		out = append(out, pair{key, val})
	}
	for _, m := range d.flattenMerges(merges) {
		if m.Kind != yaml.MappingNode || depth > maxDepth {
			d.report(m, "only maps can be merged here", "")
			continue
		}
		for _, p := range d.pairsAt(m, depth+1) {
			if _, ok := seen[p.key.Value]; !ok && d.spend(p.key, nodeWork) {
				seen[p.key.Value] = p.key.Line
				out = append(out, p)
			}
		}
	}
	return out
}

// flattenMerges turns `<<: [*a, *b]` into a and b.
func (d *decoder) flattenMerges(merges []*yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, m := range merges {
		if m.Kind != yaml.SequenceNode {
			out = append(out, m)
			continue
		}
		for _, c := range m.Content {
			out = append(out, d.resolve(c))
		}
	}
	return out
}

// items returns the elements of a sequence, resolved. An element `<<: *list`
// stands for the elements of that list, as Woodpecker has it.
func (d *decoder) items(n *yaml.Node) []*yaml.Node { return d.itemsAt(n, 0) }

func (d *decoder) itemsAt(n *yaml.Node, depth int) []*yaml.Node {
	var out []*yaml.Node
	for _, c := range n.Content {
		if d.spent() {
			return nil
		}
		c = d.resolve(c)
		if c.Kind == yaml.MappingNode && len(c.Content) == 2 && c.Content[0].Tag == "!!merge" && depth < maxDepth {
			if list := d.resolve(c.Content[1]); list.Kind == yaml.SequenceNode {
				out = append(out, d.mergedItems(list, depth+1)...)
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

// mergedItems returns the elements of the list in `<<: *list`, or of all lists
// in `<<: [*one, *other]`.
func (d *decoder) mergedItems(list *yaml.Node, depth int) []*yaml.Node {
	var out []*yaml.Node
	for _, c := range d.itemsAt(list, depth) {
		if c.Kind == yaml.SequenceNode && depth < maxDepth {
			out = append(out, d.itemsAt(c, depth+1)...)
			continue
		}
		out = append(out, c)
	}
	return out
}

// object fills the struct that into points to from a mapping. what names it
// for people ("step"). It reports whether n was a mapping.
func (d *decoder) object(n *yaml.Node, what string, into any) bool {
	if n.Kind != yaml.MappingNode {
		d.report(n, fmt.Sprintf("%s must be a map, this is %s", article(what), kindOf(n)), "")
		return false
	}
	target := reflect.ValueOf(into).Elem()
	fields := d.fieldsOf(target.Type())
	for _, p := range d.pairs(n) {
		index, ok := fields[p.key.Value]
		if !ok {
			d.unknownKey(p.key, what, target)
			continue
		}
		target.FieldByIndex(index).Addr().Interface().(value).decode(d, p.value)
	}
	return true
}

// fieldsOf maps the keys of a struct type to its fields, by their yaml tags. A
// field with the tag `only` is a key in files of that dialect alone.
func (d *decoder) fieldsOf(t reflect.Type) map[string][]int {
	if f, ok := d.fields[t]; ok {
		return f
	}
	f := map[string][]int{}
	for _, field := range reflect.VisibleFields(t) {
		only := field.Tag.Get("only")
		if key := field.Tag.Get("yaml"); key != "" && (only == "" || only == d.doc.dialect.String()) {
			f[key] = field.Index
		}
	}
	d.fields[t] = f
	return f
}

func (d *decoder) unknownKey(key *yaml.Node, what string, target reflect.Value) {
	if max(d.errors, d.warnings) >= maxProblems {
		// Nobody reads further suggestions, and they cost. It is an error still.
		d.reportUnknown(key, what, "")
		return
	}
	known := slices.Collect(maps.Keys(d.fieldsOf(target.Type())))
	fix := didYouMean(key.Value, known)
	if key.Value == fromSecretKey {
		fix = noSecretHere
	}
	d.reportUnknown(key, what, fix)
}

func (d *decoder) reportUnknown(key *yaml.Node, what, fix string) {
	message := fmt.Sprintf("`%s` is not a key of %s", clip(key.Value), article(what))
	// A filter that is not understood must not let anything run; elsewhere
	// Woodpecker's own files may know more than we do.
	strict := []string{whatFilter, whatTrigger, whatPatterns, whatPaths}
	if d.doc.dialect != slipway && !slices.Contains(strict, what) {
		d.warn(key, message, fix)
		return
	}
	d.report(key, message, fix)
}
