package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// settings are a plugin's parameters. The plugin contract, which Drone's and
// Woodpecker's images share, hands them over as PLUGIN_* variables: names in
// upper case with `-` and `.` as `_`, lists of single values joined by commas,
// everything deeper as JSON.
type settings struct {
	values map[string]string
	node   *yaml.Node // nil if the key is not there
}

func (s *settings) decode(d *decoder, n *yaml.Node) {
	s.node = n
	s.values = map[string]string{}
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			d.report(n, fmt.Sprintf("`settings` must be a map, this is %s", kindOf(n)), "")
		}
		return
	}
	for _, p := range d.pairs(n) {
		name := settingName(p.key.Value)
		if _, ok := s.values[name]; ok {
			d.report(p.key, fmt.Sprintf("`%s` is %s, which another setting is already", clip(p.key.Value), clip(name)), "remove one of them")
			continue
		}
		if v, ok := d.setting(p.value); ok {
			s.values[name] = v
		}
	}
}

func settingName(key string) string {
	return "PLUGIN_" + strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(key))
}

// setting returns a value as the plugin gets it.
func (d *decoder) setting(n *yaml.Node) (string, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		return d.scalarSetting(n), true
	case yaml.SequenceNode:
		items := d.items(n)
		words := make([]string, 0, len(items))
		for _, c := range items {
			if c.Kind != yaml.ScalarNode {
				return d.jsonSetting(n)
			}
			words = append(words, d.scalarSetting(c))
		}
		return strings.Join(words, ","), true
	default:
		if fromSecret(d, n) {
			return "", false
		}
		return d.jsonSetting(n)
	}
}

func (d *decoder) scalarSetting(n *yaml.Node) string {
	if n.Tag == "!!null" {
		return ""
	}
	return d.substitute(n, plain)
}

func (d *decoder) jsonSetting(n *yaml.Node) (string, bool) {
	v := d.jsonValue(n, 0)
	if d.spent() {
		return "", false
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		d.report(n, fmt.Sprintf("cannot be handed to the plugin: %v", err), "")
		return "", false
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}

// jsonValue turns a node into what encoding/json writes as the same value.
func (d *decoder) jsonValue(n *yaml.Node, depth int) any {
	if depth > maxDepth {
		d.report(n, fmt.Sprintf("is nested more than %d levels deep", maxDepth), "")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		if fromSecret(d, n) {
			return m
		}
		for _, p := range d.pairs(n) {
			m[p.key.Value] = d.jsonValue(p.value, depth+1)
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range d.items(n) {
			list = append(list, d.jsonValue(c, depth+1))
		}
		return list
	}
	s := d.scalarSetting(n)
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		if b, err := strconv.ParseBool(s); err == nil {
			return b
		}
	case "!!int", "!!float":
		if json.Valid([]byte(s)) {
			return json.Number(s)
		}
		if i, err := strconv.ParseInt(s, 0, 64); err == nil {
			return i
		}
	}
	return s
}
