package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// settings are a plugin's parameters. The plugin contract, which Drone's and
// Woodpecker's images share, hands them over as PLUGIN_* variables: names in
// upper case with `-` and `.` as `_`, lists of single values joined by commas,
// everything deeper as JSON. What has secrets in it stays a template.
type settings struct {
	values    map[string]string
	secrets   map[string]string // variable → name of the secret
	templates map[string]Template
	node      *yaml.Node // nil if the key is not there
}

func (s *settings) decode(d *decoder, n *yaml.Node) {
	s.node = n
	s.values, s.secrets, s.templates = map[string]string{}, map[string]string{}, map[string]Template{}
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			d.report(n, fmt.Sprintf("`settings` must be a map, this is %s", kindOf(n)), "")
		}
		return
	}
	seen := map[string]bool{}
	for _, p := range d.pairs(n) {
		name := settingName(p.key.Value)
		if seen[name] {
			d.report(p.key, fmt.Sprintf("`%s` is %s, which another setting is already", clip(p.key.Value), clip(name)), "remove one of them")
			continue
		}
		seen[name] = true
		if p.key.Value == fromSecretKey {
			d.complain(p.key, "`from_secret` is the name of a setting here", "write `name: {from_secret: …}` for one setting whose value is a secret")
		}
		s.set(d, name, p.value)
	}
}

func settingName(key string) string {
	return "PLUGIN_" + strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(key))
}

// set stores a value as the plugin gets it.
func (s *settings) set(d *decoder, name string, n *yaml.Node) {
	switch {
	case n.Tag == "!!null" && d.doc.dialect == drone:
		return // as if it were not there
	case n.Kind == yaml.ScalarNode:
		s.values[name] = d.scalarSetting(n)
		return
	case hasSecret(n):
		if secret, ok := d.secretRef(n); ok {
			s.secrets[name] = secret
		}
		return
	}
	v := settingValue{d: d}
	value := v.of(n, 0)
	if d.spent() || v.failed {
		return
	}
	list, isList := value.([]any)
	join := isList && !v.deep
	if v.secret {
		// The words of a list are what they look like, not numbers.
		for i := range list {
			if join && !isSecret(list[i]) {
				list[i] = word(list[i])
			}
		}
		text, err := encodeJSON(value)
		if err != nil {
			d.report(n, fmt.Sprintf("cannot be handed to the plugin: %v", err), "")
			return
		}
		s.templates[name] = Template{Value: json.RawMessage(text), Join: join}
		return
	}
	if join {
		words := make([]string, len(list))
		for i := range list {
			words[i] = word(list[i])
		}
		s.values[name] = strings.Join(words, ",")
		return
	}
	text, err := encodeJSON(value)
	if err != nil {
		d.report(n, fmt.Sprintf("cannot be handed to the plugin: %v", err), "")
		return
	}
	s.values[name] = text
}

func (d *decoder) scalarSetting(n *yaml.Node) string {
	if n.Tag == "!!null" {
		return ""
	}
	return d.substitute(n, plain)
}

// scalar is a single value and how it is written.
type scalar struct {
	text  string
	value any // what encoding/json writes as the same value
}

// MarshalJSON writes the value.
func (s scalar) MarshalJSON() ([]byte, error) {
	text, err := encodeJSON(s.value)
	return []byte(text), err
}

// word returns a single value as it is written.
func word(v any) string {
	if s, ok := v.(scalar); ok {
		return s.text
	}
	return fmt.Sprint(v)
}

func isSecret(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// settingValue turns a node into what encoding/json writes as the same value.
type settingValue struct {
	d      *decoder
	secret bool // there is a secret in it
	deep   bool // a list in it has more than single values and secrets
	failed bool // a problem was reported
}

func (v *settingValue) of(n *yaml.Node, depth int) any {
	if depth > maxDepth {
		v.failed = true
		v.d.report(n, fmt.Sprintf("is nested more than %d levels deep", maxDepth), "")
		return nil
	}
	switch {
	case hasSecret(n):
		v.secret = true
		name, ok := v.d.secretRef(n)
		v.failed = v.failed || !ok
		return map[string]any{fromSecretKey: name}
	case n.Kind == yaml.MappingNode:
		v.deep = true
		m := map[string]any{}
		for _, p := range v.d.pairs(n) {
			m[p.key.Value] = v.of(p.value, depth+1)
		}
		return m
	case n.Kind == yaml.SequenceNode:
		v.deep = v.deep || depth > 0
		list := []any{}
		for _, c := range v.d.items(n) {
			list = append(list, v.of(c, depth+1))
		}
		return list
	}
	return v.scalar(n)
}

// scalar keeps numbers and booleans what they are.
func (v *settingValue) scalar(n *yaml.Node) scalar {
	s := v.d.scalarSetting(n)
	out := scalar{text: s, value: s}
	switch n.Tag {
	case "!!null":
		out.value = nil
	case "!!bool":
		if b, err := strconv.ParseBool(s); err == nil {
			out.value = b
		}
	case "!!int", "!!float":
		if json.Valid([]byte(s)) {
			out.value = json.Number(s)
		} else if i, err := strconv.ParseInt(s, 0, 64); err == nil {
			out.value = i
		}
	}
	return out
}
