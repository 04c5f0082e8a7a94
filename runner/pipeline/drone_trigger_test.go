package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// factsOf are the facts of an event as Drone's tests need them.
func factsOf(kind EventKind) Facts {
	f := pushFacts()
	switch kind {
	case EventTag:
		f = tagFacts()
	case EventPullRequest, EventPullRequestClosed:
		f = pullRequestFacts()
	case EventCron:
		f.Cron = "nightly"
	case EventDeployment:
		f.Deploy = DeployFacts{Target: "production", Task: "deploy", ID: 5}
	case EventMergeGroup:
		f.Commit.Ref = "refs/heads/gh-readonly-queue/main/pr-3-abc"
	}
	f.Event = kind
	f.Changed = ChangedFacts{Files: []string{"src/a.go", "README.md"}}
	return f
}

// TestDroneConditions has each key of `when` and `trigger`: on which events it
// holds.
func TestDroneConditions(t *testing.T) {
	const P, T, R, D, C, M, G = EventPush, EventTag, EventPullRequest, EventDeployment, EventCron, EventManual, EventMergeGroup
	all := []EventKind{P, T, R, D, C, M, G}
	tests := []struct {
		when string
		want []EventKind
	}{
		{"{}", all},
		{"{event: push}", []EventKind{P, G}},
		{"{event: [tag, pull_request]}", []EventKind{T, R}},
		{"{event: promote}", []EventKind{D}},
		{"{event: rollback}", nil},
		{"{event: cron}", []EventKind{C}},
		{"{event: custom}", []EventKind{M}},
		{"{event: 'p*'}", []EventKind{P, R, D, G}},
		{"{event: {include: [push, tag], exclude: tag}}", []EventKind{P, G}},
		{"{event: {exclude: pull_request}}", []EventKind{P, T, D, C, M, G}},
		{"{branch: main}", []EventKind{P, R, D, C, M}},
		{"{branch: ['gh-readonly-queue/**']}", []EventKind{G}},
		{"{branch: {exclude: [main, feature/*]}}", []EventKind{T, G}},
		{"{ref: refs/tags/**}", []EventKind{T}},
		{"{ref: [refs/heads/main, 'refs/pull/*/head']}", []EventKind{P, R, D, C, M}},
		{"{repo: octo/app}", all},
		{"{repo: {exclude: 'octo/*'}}", nil},
		{"{instance: ci.example.com}", all},
		{"{instance: '*.example.org'}", nil},
		{"{target: production}", []EventKind{D}},
		{"{target: {exclude: staging}}", all},
		{"{target: {exclude: production}}", []EventKind{P, T, R, C, M, G}},
		{"{cron: nightly}", []EventKind{C}},
		{"{cron: weekly}", nil},
		{"{action: create}", []EventKind{P, T}},
		{"{action: [opened, synchronized]}", []EventKind{R}},
		{"{action: opened}", nil},
		{"{action: [closed, labeled]}", nil},
		{"{action: {exclude: closed}}", all},
		{"{paths: 'src/**'}", all},
		{"{paths: ['docs/**']}", []EventKind{T, D, C, M}},
		{"{event: push, branch: main}", []EventKind{P}},
		{"{status: failure}", all},
	}
	for _, tt := range tests {
		t.Run(tt.when, func(t *testing.T) {
			var steps, pipelines []EventKind
			for _, kind := range all {
				f := factsOf(kind)
				if mustDrone(t, droneStepWith("when: "+tt.when), f).Workflows[0].Steps[0].Skip == "" {
					steps = append(steps, kind)
				}
				if mustDrone(t, "trigger: "+tt.when+"\n"+droneStepWith(""), f).Runs() {
					pipelines = append(pipelines, kind)
				}
			}
			if diff := cmp.Diff(tt.want, steps); diff != "" {
				t.Errorf("when (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, pipelines); diff != "" {
				t.Errorf("trigger (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDroneRollback(t *testing.T) {
	f := factsOf(EventDeployment)
	f.Deploy.Task = "rollback"
	if !mustDrone(t, "trigger: {event: rollback, target: prod*}\n"+droneStepWith(""), f).Runs() {
		t.Error("a rollback does not run what waits for one")
	}
}

// What Drone hears nothing of runs nothing, also without a trigger.
func TestDroneEventsItDoesNotHave(t *testing.T) {
	for _, kind := range []EventKind{EventRelease, EventPullRequestClosed} {
		w := mustDrone(t, droneStepWith(""), factsOf(kind)).Workflows[0]
		want := "event is " + string(kind) + ", wants cron, custom, promote, pull_request, push, rollback or tag"
		if w.Skip != want {
			t.Errorf("reason is %q, want %q", w.Skip, want)
		}
	}
}

func TestDroneWhy(t *testing.T) {
	w := mustDrone(t, "trigger: {event: {exclude: tag}, branch: main, cron: nightly}\n"+droneStepWith(""), factsOf(EventTag)).Workflows[0]
	want := []Condition{
		{Key: "event", Want: []string{"not tag"}, Got: "tag"},
		{Key: "branch", Want: []string{"main"}, Got: "none"},
		{Key: "cron", Want: []string{"nightly"}, Got: "none"},
	}
	if diff := cmp.Diff(want, w.Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	if want := "event is tag, wants anything but tag and branch is none, wants main and cron is none, wants nightly"; w.Skip != want {
		t.Errorf("reason is %q", w.Skip)
	}
}

func TestDronePlatform(t *testing.T) {
	tests := []struct {
		file, runs, skip string
	}{
		{"~", "linux/arm64", ""},
		{"{os: linux, arch: amd64}", "linux/amd64", ""},
		{"{os: linux, arch: amd64}", "linux/arm64", "platform is linux/arm64, wants linux/amd64"},
		{"{arch: arm64}", "linux/arm64/v8", ""},
		{"{arch: arm, variant: v7}", "linux/arm/v7", ""},
		{"{arch: arm, variant: v6}", "linux/arm/v7", "platform is linux/arm/v7, wants linux/arm/v6"},
		{"{arch: arm}", "linux/arm64", "platform is linux/arm64, wants linux/arm"},
		{"{os: linux, arch: amd64}", "", ""},
		{"{os: windows, version: 1809}", "", "platform is linux, wants windows"},
		{"{os: windows, arch: amd64}", "linux/amd64", "platform is linux/amd64, wants windows/amd64"},
	}
	for _, tt := range tests {
		t.Run(tt.file+" on "+tt.runs, func(t *testing.T) {
			f := pushFacts()
			f.System.Platform = tt.runs
			if got := mustDrone(t, "platform: "+tt.file+"\n"+droneStepWith(""), f).Workflows[0].Skip; got != tt.skip {
				t.Errorf("reason is %q, want %q", got, tt.skip)
			}
		})
	}
}

// What happened to a pull request is Drone's `action`, and its variable.
func TestDroneActions(t *testing.T) {
	for action, want := range map[string]map[string]bool{
		PullOpened:       {"opened": true, "synchronized": false, "[opened, synchronized]": true, "{exclude: opened}": false},
		PullSynchronized: {"opened": false, "synchronized": true, "[opened, synchronized]": true, "{exclude: opened}": true},
	} {
		f := pullRequestFacts()
		f.PullRequest.Action = action
		for filter, runs := range want {
			w := mustDrone(t, droneStepWith("when: {action: "+filter+"}"), f).Workflows[0]
			if (w.Steps[0].Skip == "") != runs || w.Environment["DRONE_BUILD_ACTION"] != action {
				t.Errorf("%s with %s: skip %q, variable %q", action, filter, w.Steps[0].Skip, w.Environment["DRONE_BUILD_ACTION"])
			}
		}
	}
}
