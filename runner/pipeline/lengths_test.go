package pipeline

import (
	"strings"
	"testing"
)

// TestLengthsOfNames: what is handed to an engine is refused here when it is
// longer than that takes.
func TestLengthsOfNames(t *testing.T) {
	service := func(name string) string {
		return "services: [{name: " + name + ", image: b}]\nsteps: [{name: a, image: b, commands: [c]}]\n"
	}
	for what, test := range map[string]struct {
		most int
		file func(name string) string
	}{
		"domain":       {253, func(s string) string { return oneStep("dns_search: [" + s + "]") }},
		"domain.":      {253, func(s string) string { return oneStep("dns_search: [" + s + ".]") }},
		"extra host":   {253, func(s string) string { return oneStep("extra_hosts: ['" + s + ":10.0.0.7']") }},
		"volume":       {63, func(s string) string { return oneStep("volumes: ['" + s + ":/y']") }},
		"network mode": {63, func(s string) string { return oneStep("network_mode: " + s) }},
		"service":      {63, service},
	} {
		if _, err := Compile(single(test.file(strings.Repeat("x", test.most))), trustedFacts()); err != nil {
			t.Errorf("%s of %d bytes: %v", what, test.most, err)
		}
		if _, err := Compile(single(test.file(strings.Repeat("x", test.most+1))), trustedFacts()); err == nil {
			t.Errorf("%s of %d bytes is accepted", what, test.most+1)
		}
	}
}
