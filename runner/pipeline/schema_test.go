package pipeline

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// schemaMap is the schema as JSON has it.
func schemaMap(t *testing.T) map[string]any {
	t.Helper()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// compileSchema returns the schema ready to validate, which proves that it is
// one of its draft.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("pipeline.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("pipeline.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance returns the YAML of a file as a validator sees it, with aliases and
// maps merged; lists that are to be merged stay as they are.
func instance(t *testing.T, text string) any {
	t.Helper()
	doc := newDocument(File{Path: ".slipway.yml", Data: []byte(text)})
	if p := doc.readYAML([]byte(text)); p != nil {
		t.Fatal(p)
	}
	d := newDecoder(doc, newSubstituter(nil, slipway), &Facts{})
	var convert func(*yaml.Node) any
	convert = func(n *yaml.Node) any {
		n = d.resolve(n)
		switch {
		case n.Kind == yaml.SequenceNode:
			out := []any{}
			for _, c := range n.Content {
				out = append(out, convert(c))
			}
			return out
		case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Tag == "!!merge" && hasSequence(d, n.Content[1]):
			return map[string]any{"<<": convert(n.Content[1])}
		case n.Kind == yaml.MappingNode:
			out := map[string]any{}
			for _, p := range d.pairs(n) {
				out[p.key.Value] = convert(p.value)
			}
			return out
		}
		var v any
		if err := n.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(v); err != nil || n.Tag == "!!timestamp" {
			return n.Value
		}
		if i, ok := v.(int); ok {
			return json.Number(strings.TrimSpace(jsonText(t, i)))
		}
		return v
	}
	return convert(doc.root)
}

// hasSequence reports whether a merged value is of lists and not of maps.
func hasSequence(d *decoder, n *yaml.Node) bool {
	n = d.resolve(n)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return false
	}
	return d.resolve(n.Content[0]).Kind != yaml.MappingNode
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	s, err := encodeJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keysOf calls visit for every object of a schema that has properties.
func keysOf(path string, v any, visit func(path string, properties map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			visit(path, properties)
		}
		for k, sub := range v {
			keysOf(path+"/"+k, sub, visit)
		}
	case []any:
		for _, sub := range v {
			keysOf(path, sub, visit)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	n := 0
	keysOf("", schemaMap(t), func(path string, properties map[string]any) {
		for key, v := range properties {
			property, ok := v.(map[string]any)
			if !ok {
				continue // a key that is called properties
			}
			n++
			if text, _ := property["description"].(string); len(text) < 10 || !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, `"`) {
				t.Errorf("%s/%s is described as %q", path, key, text)
			}
		}
	})
	if n < 90 {
		t.Errorf("only %d keys were looked at", n)
	}
}

// TestSchemaKnowsTheParsersKeys walks the types of the grammar, and compares the
// keys that the decoder takes with those of the schema.
func TestSchemaKnowsTheParsersKeys(t *testing.T) {
	want := parserKeys(t)
	got := map[string][]string{}
	schema := schemaMap(t)
	collect := func(name string, v any) {
		properties := v.(map[string]any)["properties"].(map[string]any)
		for key := range properties {
			got[name] = append(got[name], key)
		}
		slices.Sort(got[name])
	}
	collect("workflow", schema)
	defs := schema["$defs"].(map[string]any)
	for name := range want {
		if name != "workflow" && name != "filter" {
			if defs[name] == nil {
				t.Fatalf("the schema has no definition %s", name)
			}
			collect(name, defs[name])
		}
	}
	got["filter"] = []string{"exclude", "include"} // has no name in the schema, it is in each filter
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-parser +schema):\n%s", diff)
	}
	for name := range defs {
		if _, ok := want[name]; !ok && !slices.Contains([]string{"secret", "setting", "merge", "variable", "matrix"}, name) {
			t.Errorf("the schema defines %s, which the parser does not know", name)
		}
	}
}

// parserKeys has the keys of each map of the language, as the decoder finds
// them, under the map's name in the schema.
func parserKeys(t *testing.T) map[string][]string {
	t.Helper()
	types := map[string]reflect.Type{
		"workflow": reflect.TypeFor[workflowFile](), "step": reflect.TypeFor[stepFile](), "service": reflect.TypeFor[serviceFile](),
		"when": reflect.TypeFor[filter](), "filter": reflect.TypeFor[pattern](), "path": reflect.TypeFor[pathFilter](),
		"concurrency": reflect.TypeFor[concurrency](), "retry": reflect.TypeFor[retry](), "resources": reflect.TypeFor[resources](),
		"clone": reflect.TypeFor[cloneFile](), "workspace": reflect.TypeFor[workspaceFile](), "dependency": reflect.TypeFor[dependency](),
		"healthcheck": reflect.TypeFor[healthcheck](), "backend_options": reflect.TypeFor[backendOptions](), "docker": reflect.TypeFor[dockerOptions](),
	}
	d := newDecoder(newDocument(File{Path: ".slipway.yml"}), nil, nil)
	keys := map[string][]string{}
	for name, typ := range types {
		for key := range d.fieldsOf(typ) {
			keys[name] = append(keys[name], key)
		}
		slices.Sort(keys[name])
	}
	return keys
}

// TestSchemaAndParserAgree gives both the same files.
func TestSchemaAndParserAgree(t *testing.T) {
	schema := compileSchema(t)
	valid := []string{
		"$schema: https://ci.example.com/schema/pipeline.json\n" + oneStep("commands: make"),
		"variables:\n  - &cmds [a, b]\n  - &env {A: 1}\n" + oneStep("commands: [{<<: *cmds}, c]\nenvironment: {<<: *env, B: 2}"),
		"variables: [&a [x], &b [y]]\n" + oneStep("commands:\n  - <<: [*a, *b]"),
		"steps:\n  a: {image: x, depends_on: []}\n  b: {image: x, depends_on: [a, {name: c, optional: true}]}\n",
		"matrix: {GO: [1.25, 1.26], os: linux}\nconcurrency: 1\n" + oneStep(""),
		"matrix:\n  include:\n    - {GO: 1.26, RACE: true}\n    - {GO: 1.25}\n" + oneStep(""),
		"concurrency: {limit: 2, group: deploy, cancel: true}\nruns_on: [success, failure]\nlabels: {platform: linux/arm64, empty: }\n" + oneStep(""),
		"clone: {depth: 0, tags: true, submodules: true, lfs: true, partial: true, ref: merge}\nworkspace: {base: /go, path: src/x}\n" + oneStep(""),
		"skip_clone: true\nwhen:\n  - event: [push, merge_group]\n    branch: {include: main, exclude: [x]}\n  - evaluate: 'true'\n" + oneStep(""),
		"when: {path: {include: 'a/**', exclude: [b], on_empty: false, ignore_message: '[all]'}, matrix: {GO: '1.*'}}\n" + oneStep("when: {path: [a, b], status: [failure], cron: n*, platform: linux/*, instance: ci.*, repo: a/b, ref: refs/*}"),
		oneStep("retry: 3\ntimeout: 1h30m\nresources: {cpus: 0.5, memory: 512MiB}\nfailure: cancel\ndetach: false\npull: true"),
		oneStep("retry: {attempts: 2, on: [failure, infrastructure, timeout]}\nresources: {memory: 1073741824}\nbackend_options: {docker: {user: '1000:1000'}}"),
		oneStep("settings: {a: {from_secret: s}, b: [1, {from_secret: s}], c: {d: [{e: {from_secret: s}}]}, f: }\nenvironment: {X: {from_secret: s}, Y: , Z: true}"),
		oneStep("volumes: [/a:/b:ro, cache:/c]\nprivileged: true\ntmpfs: /tmp\ndevices: [/dev/kvm]\ndns: 1.1.1.1\ndns_search: [a.b]\nextra_hosts: ['a:10.0.0.1']\nnetwork_mode: none"),
		oneStep("commands: a\nentrypoint: [/bin/bash, -c]\ndirectory: sub\nenvironment: [A=b]"),
		"services:\n  db: {image: x, ports: [5432, 53/udp], healthcheck: {command: pg_isready, interval: 1s, timeout: 2s, retries: 9, start_period: 1m}}\n  b: {image: x, healthcheck: 80}\n  c: {image: x, healthcheck: none}\n  d: {image: x, healthcheck: {command: [true]}}\n  e: {image: x, healthcheck: {port: 80}}\n" + oneStep("detach: ${X:-true}"),
	}
	f := pushFacts()
	f.AnySecret, f.Repo.Trust = true, Trust{true, true, true}
	for _, text := range valid {
		if err := schema.Validate(instance(t, text)); err != nil {
			t.Errorf("the schema refuses\n%s\n%v", text, err)
		}
		if _, err := Compile(single(text), f); err != nil && !strings.Contains(text, "${X") {
			t.Errorf("the parser refuses\n%s\n%v", text, lines(err))
		}
	}
	invalid := []string{
		"labels: {a: b}\n", "steps: make\n", "steps: [make]\n", "steps: [{name: a}]\n",
		oneStep("comands: a"), oneStep("commands: {a: b}"), oneStep("failure: ignor"), oneStep("detach: maybe"), oneStep("pull: sometimes"),
		oneStep("timeout: 10"), oneStep("timeout: soon"), oneStep("retry: 11"), oneStep("retry: {on: always}"), oneStep("retry: {times: 3}"),
		oneStep("resources: {cpus: 0}"), oneStep("resources: {memory: much}"), oneStep("resources: {disk: 1g}"),
		oneStep("environment: {A: [1]}"), oneStep("environment: [A]"), oneStep("environment: {A: {from_secret: s, b: c}}"),
		oneStep("settings: [a]"), oneStep("settings: {a: {from_secret: s, b: c}}"), oneStep("when: push"), oneStep("when: {evnt: push}"),
		oneStep("when: {event: pull-request}"), oneStep("when: {status: failed}"), oneStep("when: {path: {includes: a}}"),
		oneStep("depends_on: [{optional: true}]"), oneStep("backend_options: {podman: {}}"), oneStep("ports: [80]"),
		oneStep("secrets: [a]"), oneStep("volumes: [1: 2]"),
		"matrix: [a]\n" + oneStep(""), "matrix: {a-b: [1]}\n" + oneStep(""), "matrix: {include: []}\n" + oneStep(""),
		"concurrency: 0\n" + oneStep(""), "concurrency: {limits: 1}\n" + oneStep(""), "runs_on: always\n" + oneStep(""),
		"clone: {depth: all}\n" + oneStep(""), "clone: {ref: both}\n" + oneStep(""), "workspace: /x\n" + oneStep(""), "timeout: 1h\n" + oneStep(""),
		"services: {a: {image: x, ports: [70000]}}\n" + oneStep(""), "services: {a: {image: x, healthcheck: {ports: 1}}}\n" + oneStep(""),
		"services: {a: {image: x, depends_on: [b]}}\n" + oneStep(""),
	}
	for _, text := range invalid {
		if schema.Validate(instance(t, text)) == nil {
			t.Errorf("the schema accepts\n%s", text)
		}
		if _, err := Compile(single(text), f); err == nil {
			t.Errorf("the parser accepts\n%s", text)
		}
	}
}
