package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhen(t *testing.T) {
	feature := pushFacts()
	feature.Commit.Branch = "feature/x"
	tests := []struct {
		name, when string
		facts      Facts
		skip       string
	}{
		{"none", "~", pushFacts(), ""},
		{"empty list", "[]", pushFacts(), ""},
		{"empty map", "{}", pushFacts(), ""},
		{"event", "{event: push}", pushFacts(), ""},
		{"another event", "{event: pull_request}", pushFacts(), "event is push, wants pull_request"},
		{"events", "{event: [tag, pull_request]}", pushFacts(), "event is push, wants tag or pull_request"},
		{"event that never is", "{event: [cron, manual]}", pushFacts(), "event is push, wants cron or manual"},
		{"branch", "{branch: main}", pushFacts(), ""},
		{"another branch", "{branch: [main, 'release/*']}", feature, "branch is feature/x, wants main or release/*"},
		{"glob", "{branch: 'feature/*'}", feature, ""},
		{"star stops at a slash", "{branch: '*'}", feature, "branch is feature/x, wants *"},
		{"two stars do not", "{branch: '**'}", feature, ""},
		{"braces", "{branch: '{fix,feature}/?'}", feature, ""},
		{"excluded", "{branch: {exclude: 'feature/*'}}", feature, "branch is feature/x, wants anything but feature/*"},
		{"not excluded", "{branch: {exclude: main}}", feature, ""},
		{"included and excluded", "{branch: {include: '**', exclude: [feature/x, dev]}}", feature, "branch is feature/x, wants **, but not feature/x or dev"},
		{"event excluded", "{event: {exclude: push}}", pushFacts(), "event is push, wants anything but push"},
		{"tags have no branch", "{branch: main}", tagFacts(), ""},
		{"target of a pull request", "{branch: main}", pullRequestFacts(), ""},
		{"both keys", "{event: tag, branch: main}", feature, "event is push, wants tag and branch is feature/x, wants main"},
		{"one entry is enough", "[{event: tag}, {branch: feature/x}]", feature, ""},
		{"no entry", "[{event: tag}, {branch: main}]", feature, "no entry of `when` matches: (1) event is push, wants tag; (2) branch is feature/x, wants main"},
		{"variable", "{branch: '${CI_REPO_DEFAULT_BRANCH}'}", pushFacts(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			whole := mustCompile(t, "when: "+tt.when+"\n"+oneStep(""), tt.facts)
			if whole.Skip != tt.skip {
				t.Errorf("workflow's reason is %q, want %q", whole.Skip, tt.skip)
			}
			step := mustCompile(t, oneStep("when: "+tt.when), tt.facts)
			if step.Steps[0].Skip != tt.skip {
				t.Errorf("step's reason is %q, want %q", step.Steps[0].Skip, tt.skip)
			}
			want := ""
			if tt.skip != "" {
				want = "no step runs: " + tt.skip
			}
			if step.Skip != want {
				t.Errorf("reason of the workflow of one step is %q, want %q", step.Skip, want)
			}
		})
	}
}

func TestWhenStatus(t *testing.T) {
	tests := []struct {
		when             string
		success, failure bool
	}{
		{"~", true, false},
		{"{event: push}", true, false},
		{"{status: success}", true, false},
		{"{status: failure}", false, true},
		{"{status: [failure, success]}", true, true},
		{"{status: {exclude: success}}", false, true},
		{"{status: {exclude: failure}}", true, false},
		{"[{status: failure}, {event: push}]", true, true},
		{"[{status: failure, event: tag}, {event: push}]", true, false},
		{"[{status: failure, event: push}, {event: tag}]", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.when, func(t *testing.T) {
			s := mustCompile(t, oneStep("when: "+tt.when), pushFacts()).Steps[0]
			if s.OnSuccess != tt.success || s.OnFailure != tt.failure {
				t.Errorf("runs on success %v, failure %v; want %v, %v", s.OnSuccess, s.OnFailure, tt.success, tt.failure)
			}
		})
	}
}

func TestWhy(t *testing.T) {
	w := mustCompile(t, "when: [{event: tag}, {event: push, branch: {include: main, exclude: old}}]\n"+oneStep(""), pushFacts())
	want := []Condition{
		{Key: "event", Want: []string{"tag"}, Got: "push", Result: false, Entry: 1},
		{Key: "event", Want: []string{"push"}, Got: "push", Result: true, Entry: 2},
		{Key: "branch", Want: []string{"main", "not old"}, Got: "main", Result: true, Entry: 2},
	}
	if diff := cmp.Diff(want, w.Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	w = mustCompile(t, "when: {branch: main}\n"+oneStep(""), tagFacts())
	want = []Condition{{Key: "branch", Want: []string{"main"}, Got: "none, a tag", Result: true}}
	if diff := cmp.Diff(want, w.Why); diff != "" {
		t.Errorf("why of a tag (-want +got):\n%s", diff)
	}
}

func TestClosedPullRequestRunsOnlyWhatNamesIt(t *testing.T) {
	closed := pullRequestFacts()
	closed.Event = EventPullRequestClosed
	const steps = `
services: [{name: db, image: x, commands: a}]
steps:
  - {name: test, image: x, commands: a}
  - {name: branch, image: x, commands: a, when: {branch: main}}
  - {name: clean, image: x, commands: a, when: {event: [pull_request_closed]}}
`
	skips := func(text string) map[string]bool {
		t.Helper()
		w := mustCompile(t, text, closed)
		out := map[string]bool{"workflow": w.Skip != ""}
		for _, s := range append(w.Services, w.Steps...) {
			out[s.Name] = s.Skip != ""
		}
		return out
	}
	want := map[string]bool{"workflow": false, "db": false, "test": true, "branch": true, "clean": false}
	if d := cmp.Diff(want, skips(steps)); d != "" {
		t.Errorf("a step names it: skipped (-want +got)\n%s", d)
	}
	want = map[string]bool{"workflow": false, "db": false, "test": false, "branch": false, "clean": false}
	if d := cmp.Diff(want, skips("when: {event: pull_request_closed}"+steps)); d != "" {
		t.Errorf("the workflow names it: skipped (-want +got)\n%s", d)
	}
	w := mustCompile(t, oneStep(""), closed)
	if w.Skip == "" {
		t.Error("a workflow that names no event runs at the end of a pull request")
	}
}
