package main

import (
	"os"
	"reflect"
	"regexp"
	"testing"
)

var settingRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|(?: `?([^|`]*?)`?)? \\|")

// TestManualHasEverySetting compares the manual's table with the configuration:
// each variable is there, none else, and its default where that is a value.
func TestManualHasEverySetting(t *testing.T) {
	text, err := os.ReadFile("../../webui/docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	inManual := map[string]string{}
	for _, m := range settingRow.FindAllStringSubmatch(string(text), -1) {
		inManual[m[1]] = m[2]
	}
	// These have no flag, so that no other user of the machine can read them.
	for _, name := range []string{"SLIPWAY_GITHUB_TOKEN", "SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_ADMIN_TOKEN"} {
		if _, ok := inManual[name]; !ok {
			t.Errorf("the manual does not have %s", name)
		}
		delete(inManual, name)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		name, isDefault := f.Tag.Get("env"), f.Tag.Get("default")
		_, hidden := f.Tag.Lookup("hidden")
		if name == "" || hidden || regexp.MustCompile(`_(TOKEN|SECRET)_FILE$`).MatchString(name) {
			continue
		}
		said, ok := inManual[name]
		if !ok {
			t.Errorf("the manual does not have %s", name)
		}
		if isDefault != "" && isDefault != "-1" && said != isDefault { // -1 is worked out
			t.Errorf("%s is %q by default, and %q in the manual", name, isDefault, said)
		}
		delete(inManual, name)
	}
	for name := range inManual {
		t.Errorf("the manual has %s, which nothing reads", name)
	}
}
