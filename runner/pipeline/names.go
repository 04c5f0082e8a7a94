package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// maxName is the most bytes of a name; it is shown in lists and statuses.
const maxName = 100

// hostName is what a container can be reached by, of any length.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)

// maxHostName is the most bytes of one.
const maxHostName = 63

func (w *workflow) checkName() {
	fault := nameFault(w.doc.name, "")
	switch at := w.doc.nameNode; {
	case fault == "":
	case at != nil:
		w.decoder.report(at, fmt.Sprintf("the name `%s` of the pipeline %s", clip(w.doc.name), fault), "rename it")
	default:
		w.decoder.add(w.doc.problem(0, 0, fmt.Sprintf("the file's name makes the workflow's name `%s`, which %s", clip(w.doc.name), fault), "rename the file"))
	}
}

// nameFault says what is wrong with a name, or "". forbidden are characters
// that may not be in it.
func nameFault(name, forbidden string) string {
	switch i := strings.IndexAny(name, forbidden); {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case i >= 0:
		return fmt.Sprintf("has `%c` in it", name[i])
	case strings.TrimSpace(name) != name:
		return "begins or ends with a space"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "has a character in it that cannot be shown"
	}
	return ""
}

// checkNames reports names of steps and services that are malformed or taken.
func (w *workflow) checkNames() {
	taken := map[string]int{} // name → line
	for i := range w.file.Services.items {
		c := &w.file.Services.items[i].containerFile
		w.checkServiceName(c)
		w.checkTaken(c, taken)
	}
	// Dots and slashes are kept for naming a step from elsewhere: workflow.step.
	forbidden := `./\`
	if w.doc.dialect != slipway {
		forbidden = ""
	}
	for i := range w.file.Steps.items {
		s := &w.file.Steps.items[i]
		if fault := nameFault(s.Name.value, forbidden); fault != "" {
			w.decoder.report(s.nameNode(), fmt.Sprintf("the name `%s` %s", clip(s.Name.value), fault), "use letters, digits, `-`, `_` and spaces")
		}
		w.checkTaken(&s.containerFile, taken)
	}
}

func (w *workflow) checkServiceName(c *containerFile) {
	if c.Name.value == "" {
		w.decoder.report(c.nameNode(), "a service has no name", "add `name:`; the steps reach the service by it")
		return
	}
	name := c.Name.value
	if w.doc.dialect != slipway {
		name = strings.ReplaceAll(name, ".", "-")
	}
	if len(name) > maxHostName || !hostName.MatchString(name) {
		w.decoder.report(c.nameNode(), fmt.Sprintf("the name `%s` of a service is not a host name", clip(c.Name.value)), "use letters, digits and `-`")
	}
}

func (w *workflow) checkTaken(c *containerFile, taken map[string]int) {
	if c.Name.value == "" {
		return
	}
	at := c.nameNode()
	if line, ok := taken[c.Name.value]; ok {
		w.decoder.report(at, fmt.Sprintf("the name `%s` is taken already, on line %d", clip(c.Name.value), line), "give one of the two another name")
		return
	}
	taken[c.Name.value] = at.Line
}

// nameNode is where the name stands, or else the container.
func (c *containerFile) nameNode() *yaml.Node {
	if c.Name.node != nil {
		return c.Name.node
	}
	return c.node
}
