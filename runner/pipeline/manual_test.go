package pipeline

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const manual = "../../webui/docs/pipeline.md"

// manualSections returns the text of each section of the manual's reference
// under its heading in small letters. What stands under a heading of a lower
// level belongs to it too.
func manualSections(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, level := range []string{"\n## ", "\n### "} {
		for _, part := range strings.Split(string(data), level)[1:] {
			heading, body, _ := strings.Cut(part, "\n")
			if level == "\n### " {
				body, _, _ = strings.Cut(body, "\n## ")
			}
			name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(heading)), " ", "_")
			if _, ok := sections[name]; !ok {
				sections[name] = body
			}
		}
	}
	return sections
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestManualHasEveryKey wants each key of the schema in the section of its map:
// in words, and in an example.
func TestManualHasEveryKey(t *testing.T) {
	sections := manualSections(t)
	keys := parserKeys(t)
	keys["matrix"], keys["secret"] = []string{"include"}, []string{fromSecretKey}
	for name, list := range keys {
		body, ok := sections[name]
		if !ok {
			t.Errorf("%s has no section %s", manual, name)
			continue
		}
		var yaml strings.Builder
		for _, block := range yamlBlock.FindAllStringSubmatch(body, -1) {
			yaml.WriteString(block[1])
		}
		words := yamlBlock.ReplaceAllString(body, "")
		for _, key := range list {
			if !strings.Contains(words, "`"+key+"`") {
				t.Errorf("section %s says nothing of `%s`", name, key)
			}
			if !regexp.MustCompile(`(^|[\s{,])` + regexp.QuoteMeta(key) + `:`).MatchString(yaml.String()) {
				t.Errorf("section %s has no example of %s", name, key)
			}
		}
	}
}

// TestManualExamples plans every example of the manual and asks the schema.
func TestManualExamples(t *testing.T) {
	data, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	f := trustedFacts()
	f.AnySecret = true
	schema := compileSchema(t)
	blocks := yamlBlock.FindAllStringSubmatch(string(data), -1)
	if len(blocks) < 30 {
		t.Fatalf("found %d examples", len(blocks))
	}
	for _, block := range blocks {
		files := []File{
			{Path: ".slipway/example.yml", Data: []byte(block[1])},
			{Path: ".slipway/test.yml", Data: []byte(oneStep(""))},
			{Path: ".slipway/lint.yml", Data: []byte(oneStep(""))},
		}
		plan, err := Compile(files, f)
		if err != nil {
			t.Errorf("%v in\n%s", lines(err), block[1])
		} else if len(plan.Warnings) > 0 {
			t.Errorf("%v in\n%s", lines(plan.Warnings), block[1])
		}
		if err := schema.Validate(instance(t, block[1])); err != nil {
			t.Errorf("the schema refuses\n%s\n%v", block[1], err)
		}
	}
}

// TestManualHasEveryVariable wants each variable in the manual, those of the build
// before under their common beginning.
func TestManualHasEveryVariable(t *testing.T) {
	words := manualSections(t)["variables"]
	for _, name := range append(slices.Sorted(maps.Keys(variableSet)), "CI_STEP_NAME", "CI_STEP_NUMBER", "CI_PIPELINE_STATUS") {
		if !strings.HasPrefix(name, "CI_PREV_") && !strings.Contains(words, "`"+name+"`") {
			t.Errorf("section variables says nothing of %s", name)
		}
	}
}
