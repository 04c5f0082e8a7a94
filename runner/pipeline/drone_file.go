package pipeline

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A .drone.yml is a stream of YAML documents. Each that describes a pipeline is
// a workflow of its own; the others describe secrets, or sign the file.

// droneDefaultName is the name of a pipeline that names none.
const droneDefaultName = "default"

// droneHead is what tells the documents of a .drone.yml apart.
type droneHead struct {
	kind, typ, name string
	// Where they stand; the document if they do not.
	kindNode, typNode, nameNode *yaml.Node
}

// readDrone fills doc with the first pipeline of a .drone.yml and returns the
// others. A pipeline that cannot be read has no root, so that others may still
// depend on it by its name.
func (doc *document) readDrone(data []byte) (more []*document, problems Problems) {
	tops, p := doc.readTops(data, MaxFiles)
	if p != nil {
		return nil, Problems{*p}
	}
	var pipelines []*document
	var secrets []*yaml.Node
	lines := map[string]int{} // of the pipelines, by name
	d := newDecoder(doc, nil, nil)
	for _, top := range tops {
		root := top.Content[0]
		if root.Tag == "!!null" {
			continue // nothing between two separators
		}
		head := readDroneHead(d, root)
		switch head.kind {
		case "secret":
			secrets = append(secrets, root)
			continue
		case "signature":
			continue
		}
		if p := doc.checkDroneHead(root, head, lines); p != nil {
			problems = append(problems, *p)
			root = nil
		}
		if _, taken := lines[head.name]; head.kind == "pipeline" && !taken {
			lines[head.name] = head.nameNode.Line
			part := *doc
			part.name, part.nameNode, part.root = head.name, head.nameNode, root
			pipelines = append(pipelines, &part)
		}
	}
	switch {
	case len(pipelines) > 0:
	case len(problems) > 0:
		return nil, problems
	default:
		return nil, Problems{doc.problem(0, 0, "has no pipeline", "add a document with `kind: pipeline`, `type: docker` and steps")}
	}
	*doc = *pipelines[0]
	doc.secrets = secrets
	return pipelines[1:], problems
}

func readDroneHead(d *decoder, root *yaml.Node) droneHead {
	h := droneHead{typ: "docker", name: droneDefaultName, kindNode: root, typNode: root, nameNode: root}
	if root.Kind != yaml.MappingNode {
		return h
	}
	for _, p := range d.pairs(root) {
		if p.value.Kind != yaml.ScalarNode || p.value.Value == "" {
			continue
		}
		switch p.key.Value {
		case "kind":
			h.kind, h.kindNode = p.value.Value, p.value
		case "type":
			h.typ, h.typNode = p.value.Value, p.value
		case "name":
			h.name, h.nameNode = p.value.Value, p.value
		}
	}
	return h
}

// checkDroneHead says what keeps a document from being a pipeline that runs
// here. lines has the line of each pipeline before it.
func (doc *document) checkDroneHead(root *yaml.Node, h droneHead, lines map[string]int) *Problem {
	report := func(n *yaml.Node, message, fix string) *Problem {
		p := doc.problem(n.Line, n.Column, message, fix)
		return &p
	}
	switch {
	case root.Kind != yaml.MappingNode:
		return report(root, fmt.Sprintf("a pipeline must be a map, this is %s", kindOf(root)), "")
	case h.kind == "":
		return report(root, "the document has no `kind`", "write `kind: pipeline` and `type: docker`; files of Drone 0.8 must be converted first")
	case h.kind != "pipeline":
		return report(h.kindNode, fmt.Sprintf("the kind `%s` is not supported", clip(h.kind)), "`pipeline`, `secret` and `signature` are")
	case h.typ != "docker":
		return report(h.typNode, fmt.Sprintf("pipelines of the type `%s` are not supported", clip(h.typ)), "write `type: docker`: all steps run in containers")
	}
	if line, ok := lines[h.name]; ok {
		return report(h.nameNode, fmt.Sprintf("the pipeline `%s` stands here twice, first on line %d", clip(h.name), line), "give one of the two another name")
	}
	return nil
}

// warnOfSecrets tells what becomes of the file's own secrets. Their values are
// encrypted for another server, or kept where only that one can fetch them.
func (w *workflow) warnOfSecrets() {
	d := w.decoder
	for _, root := range w.doc.secrets {
		for _, p := range d.pairs(root) {
			if p.key.Value == "name" && !d.knowsSecret(p.value.Value) {
				d.warn(p.value, fmt.Sprintf("the secret `%s` cannot be read from the file", clip(p.value.Value)),
					"add it to the secrets of the repository")
			}
		}
	}
}

func (d *decoder) knowsSecret(name string) bool {
	for _, known := range d.secrets.Secrets {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return d.secrets.AnySecret
}
