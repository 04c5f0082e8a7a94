package pipeline

import (
	"encoding/json"
	"strings"
	"testing"
)

const fingerprinted = `
when: [{event: [push, pull_request]}]
services: {db: {image: postgres}}
steps:
  - name: test
    image: golang
    commands: [go test ./...]
    environment: {A: b}
  - name: plugin
    image: p
    settings: {k: v}
  - name: release
    image: q
    when: {event: tag}
`

func fingerprint(t *testing.T, text string, f Facts) string {
	t.Helper()
	plan, err := Compile(single(text), f)
	if err != nil {
		t.Fatal(lines(err))
	}
	return plan.Fingerprint()
}

func TestFingerprintOfPushAndPullRequest(t *testing.T) {
	if fingerprint(t, fingerprinted, pushFacts()) != fingerprint(t, fingerprinted, pullRequestFacts()) {
		t.Error("the plans do the same and differ")
	}
	moved := "# a comment\n\n" + fingerprinted
	if fingerprint(t, fingerprinted, pushFacts()) != fingerprint(t, moved, pushFacts()) {
		t.Error("a comment changes it")
	}
	skipped := strings.Replace(fingerprinted, "image: q", "image: r", 1)
	if fingerprint(t, fingerprinted, pushFacts()) != fingerprint(t, skipped, pushFacts()) {
		t.Error("a step that doesn't run changes it")
	}
}

func TestFingerprintSeesWhatRuns(t *testing.T) {
	base := fingerprint(t, fingerprinted, pushFacts())
	for old, changed := range map[string]string{
		"go test ./...":                       "go vet ./...",
		"image: golang":                       "image: golang:1",
		"A: b":                                "A: c",
		"k: v":                                "k: w",
		"image: postgres":                     "image: mysql",
		"name: test":                          "name: check",
		"services:":                           "skip_clone: true\nservices:",
		"event: tag":                          "event: push",
		"{event: [push, pull_request]}":       "{event: tag}",
		"commands: [go test ./...]":           "entrypoint: [go, test]",
		"    environment: {A: b}\n":           "    environment: {A: b}\n    failure: ignore\n",
		"    settings: {k: v}\n":              "    settings: {k: v}\n    pull: true\n",
		"  - name: plugin\n    image: p\n":    "  - name: plugin\n    image: p\n    depends_on: []\n",
		"when: [{event: [push, pull_reques":   "runs_on: failure\nwhen: [{event: [push, pull_reques",
		"services: {db: {image: postgres}}\n": "",
	} {
		text := strings.Replace(fingerprinted, old, changed, 1)
		if text == fingerprinted {
			t.Errorf("%q is not in the file", old)
		}
		if fingerprint(t, text, pushFacts()) == base {
			t.Errorf("%q for %q is not seen", changed, old)
		}
	}
	differs := strings.Replace(fingerprinted, "[go test ./...]", "'echo ${CI_PIPELINE_EVENT}'", 1)
	if fingerprint(t, differs, pushFacts()) == fingerprint(t, differs, pullRequestFacts()) {
		t.Error("commands that differ by a variable are taken for equal")
	}
}

// A plan is stored as JSON; what is compared may have been read back.
func TestFingerprintSurvivesJSON(t *testing.T) {
	plan, err := Compile(single(fingerprinted), pushFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	data, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var stored Plan
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	if stored.Fingerprint() != plan.Fingerprint() {
		t.Error("it differs after a round trip")
	}
	if !stored.Runs() {
		t.Error("Runs is false")
	}
}

// The variables of a .drone.yml tell of the event under other names; what the file
// itself makes of them counts.
func TestFingerprintOfDrone(t *testing.T) {
	of := func(text string, f Facts) string {
		t.Helper()
		return mustDrone(t, text, f).Fingerprint()
	}
	pull := pullRequestFacts()
	pull.Commit.Author, pull.Commit.AuthorEmail = "another", ""
	droneStepWith := func(body string) string { // Drone checks out another commit of a pull request
		return "clone: {disable: true}\n" + droneStepWith(body)
	}
	plain := droneStepWith("commands: [make]")
	if of(plain, pushFacts()) != of(plain, pull) {
		t.Error("the plans do the same and differ")
	}
	for _, differs := range []string{
		droneStepWith("commands: ['echo ${DRONE_BUILD_EVENT}']"),
		droneStepWith("environment: {DRONE_MODE: '${DRONE_BUILD_EVENT}'}"),
		"environment: {MODE: '${DRONE_BUILD_EVENT}'}\n" + plain,
	} {
		if of(differs, pushFacts()) == of(differs, pull) {
			t.Errorf("the plans differ, and this is not seen:\n%s", differs)
		}
		if of(differs, pushFacts()) == of(plain, pushFacts()) {
			t.Errorf("this changes nothing:\n%s", differs)
		}
	}
	own := oneStep("environment: {CI_MODE: '${CI_PIPELINE_EVENT}'}")
	if fingerprint(t, own, pushFacts()) == fingerprint(t, own, pull) {
		t.Error("a step's own variable is taken for one of the event's")
	}
}
