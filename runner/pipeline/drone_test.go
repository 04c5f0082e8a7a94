package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// droneFiles is a repository with one .drone.yml.
func droneFiles(text string) []File { return []File{{Path: ".drone.yml", Data: []byte(text)}} }

// mustDrone plans one .drone.yml.
func mustDrone(t *testing.T, text string, f Facts) *Plan {
	t.Helper()
	plan, err := Compile(droneFiles(text), f)
	if err != nil {
		t.Fatalf("Compile: %v", lines(err))
	}
	return plan
}

// droneStepWith is a pipeline whose only step has the given further lines.
func droneStepWith(body string) string {
	return "kind: pipeline\ntype: docker\n" + oneStep(body)
}

// droneFacts are a push to main of a repository that may do everything.
func droneFacts() Facts {
	f := pushFacts()
	f.Repo.Trust = Trust{Security: true, Volumes: true, Network: true}
	f.Secrets = []string{"docker_username", "docker_password", "slack_webhook", "ssh_key", "AWS_KEY", "aws_secret"}
	f.System.Platform = "linux/amd64"
	return f
}

// TestDronePlan compares the plan of every file in testdata/drone, made for a
// push to main, with the golden file beside it.
func TestDronePlan(t *testing.T) {
	files, err := filepath.Glob("testdata/drone/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, strings.TrimSuffix(file, ".yml")+".golden.json", mustDrone(t, string(data), droneFacts()))
		})
	}
}
