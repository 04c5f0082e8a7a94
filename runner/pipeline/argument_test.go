package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const seen = "a secret would show in the machine's list of processes here; put it into `environment`, and read the variable in a script"

// TestNoSecretInACommandLine: it is refused where it stands, before it is known.
func TestNoSecretInACommandLine(t *testing.T) {
	for body, at := range map[string]string{
		"entrypoint: {from_secret: token}":                       "4:17: ",
		"entrypoint: [app, '--key', {from_secret: token}]":       "4:32: ",
		"directory: {from_secret: token}":                        "4:16: ",
		"commands: make\ndirectory: {from_secret: token, or: x}": "5:16: ",
	} {
		_, err := Compile(single(oneStep(body)), trustedFacts())
		if diff := cmp.Diff([]string{".slipway.yml:" + at + seen}, lines(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	for body, at := range map[string]string{
		"healthcheck: [ping, {from_secret: token}]":                  "1:53: ",
		"healthcheck: {command: [{from_secret: token}], retries: 9}": "1:57: ",
	} {
		text := "services: [{name: db, image: x, " + body + "}]\n" + oneStep("")
		_, err := Compile(single(text), trustedFacts())
		if diff := cmp.Diff([]string{".slipway.yml:" + at + seen}, lines(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
		if compileSchema(t).Validate(instance(t, text)) == nil {
			t.Errorf("%s: the schema accepts it", body)
		}
	}
	for _, body := range []string{"entrypoint: [app, {from_secret: token}]", "directory: {from_secret: token}"} {
		if compileSchema(t).Validate(instance(t, oneStep(body))) == nil {
			t.Errorf("%s: the schema accepts it", body)
		}
	}
}

func TestNoSecretInACommandLineOfDrone(t *testing.T) {
	for body, at := range map[string]string{
		"command: [app, {from_secret: token}]": "20: ",
		"entrypoint: {from_secret: token}":     "17: ",
		"working_dir: {from_secret: token}":    "18: ",
	} {
		_, err := Compile(droneFiles(droneStepWith(body)), trustedFacts())
		got := lines(err)
		if len(got) != 1 || got[0][len(got[0])-len(at+seen):] != at+seen {
			t.Errorf("%s: %q, want one at column %s", body, got, at)
		}
	}
}
