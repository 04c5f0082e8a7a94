package pipeline

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema returns the JSON schema (draft 2020-12) of slipway's pipeline files.
//
// It is made from the types that the parser fills: their fields are the keys,
// the tag `doc` describes them, and each type knows what may stand in its place.
// A generator for Go types at large would not do: what a field accepts is said
// by its decode method here, not by its kind.
func Schema() ([]byte, error) {
	g := &schemaGenerator{defs: object{}}
	root := g.structSchema(reflect.TypeFor[workflowFile](), "steps")
	g.define()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "slipway pipeline"
	root["description"] = "A workflow of slipway: .slipway.yml, or a file in .slipway/."
	root["$defs"] = g.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return append(out, '\n'), nil
}

// object is a schema, or a part of one.
type object map[string]any

// schemaGenerator makes a schema, and the definitions that it refers to.
type schemaGenerator struct{ defs object }

// A described type says what may stand in its place. Every type of the grammar
// is one.
type described interface {
	schema(g *schemaGenerator) object
}

// define adds the definitions that others refer to without making them.
func (g *schemaGenerator) define() {
	g.defs["secret"] = object{
		"description": "The value of a secret.",
		"type":        "object", "additionalProperties": false, "required": []string{fromSecretKey},
		"properties": object{fromSecretKey: object{"type": "string", "description": "The name of the secret whose value stands here."}},
	}
	g.defs["setting"] = object{
		"description": "A value of any shape; at any depth it may be a secret's.",
		"if":          object{"type": "object", "required": []string{fromSecretKey}},
		"then":        ref("secret"),
		"else":        object{"items": ref("setting"), "additionalProperties": ref("setting")},
	}
	g.defs["merge"] = object{
		"description": "The elements of another list, or of several.",
		"type":        "object", "additionalProperties": false, "required": []string{"<<"},
		"properties": object{"<<": object{"type": "array", "description": "A list, usually an alias, whose elements take the place of this one."}},
	}
	g.defs["variable"] = object{"description": "A value with variables in it.", "type": "string", "pattern": `\$\{`}
}

// ref refers to a definition.
func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// named returns a reference to a definition that make makes, once.
func (g *schemaGenerator) named(name string, make func() object) object {
	if _, ok := g.defs[name]; !ok {
		g.defs[name] = true // it may refer to itself
		g.defs[name] = make()
	}
	return ref(name)
}

// structSchema is the schema of a map whose keys are the fields of t.
func (g *schemaGenerator) structSchema(t reflect.Type, required ...string) object {
	properties := object{}
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("yaml")
		if key == "" || f.Tag.Get("only") != "" {
			continue
		}
		properties[key] = g.fieldSchema(f)
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func (g *schemaGenerator) fieldSchema(f reflect.StructField) object {
	s := reflect.New(f.Type).Interface().(described).schema(g)
	switch f.Tag.Get("values") {
	case "event":
		s = patternSchema(g, wordSchema(events()))
	case "outcome":
		s = patternSchema(g, wordSchema(knownOutcomes()))
	}
	out := object{"description": strings.TrimSpace(f.Tag.Get("doc"))}
	for k, v := range s {
		out[k] = v
	}
	return out
}

func anyOf(of ...object) object { return object{"anyOf": of} }

// secretOr is what item says, or a secret.
func secretOr(item object) object { return anyOf(item, ref("secret")) }

func confidentialSchema() object { return secretOr(scalarSchema()) }

// listOf is one of item, or a list of them.
func listOf(item object) object {
	return anyOf(item, object{"type": "array", "items": anyOf(item, ref("merge"))})
}

func wordSchema(words []string) object { return anyOf(object{"enum": words}, ref("variable")) }

func scalarSchema() object { return object{"type": []string{"string", "number", "boolean"}} }

func matching(pattern string) object { return object{"type": "string", "pattern": pattern} }
