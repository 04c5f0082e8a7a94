package pipeline

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestVariables(t *testing.T) {
	common := map[string]string{
		"CI": "slipway", "CI_SYSTEM_NAME": "slipway", "CI_SYSTEM_HOST": "ci.example.com",
		"CI_SYSTEM_URL": "https://ci.example.com", "CI_SYSTEM_VERSION": "1.2.3",
		"CI_FORGE_TYPE": "github", "CI_FORGE_URL": "https://github.com",
		"CI_REPO": "octo/app", "CI_REPO_OWNER": "octo", "CI_REPO_NAME": "app", "CI_REPO_REMOTE_ID": "7",
		"CI_REPO_SCM": "git", "CI_REPO_URL": "https://github.com/octo/app", "CI_REPO_PRIVATE": "false",
		"CI_REPO_CLONE_URL": "https://github.com/octo/app.git", "CI_REPO_DEFAULT_BRANCH": "main",
		"CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567", "CI_COMMIT_MESSAGE": "Fix it",
		"CI_COMMIT_AUTHOR": "mona", "CI_COMMIT_AUTHOR_EMAIL": "mona@example.com",
		"CI_PIPELINE_NUMBER": "12", "CI_PIPELINE_URL": "https://ci.example.com/octo/app/12",
		"CI_PIPELINE_CREATED": "1700000000", "CI_PIPELINE_AUTHOR": "mona",
		"CI_REPO_TRUSTED": "false", "CI_REPO_TRUSTED_NETWORK": "false", "CI_REPO_TRUSTED_SECURITY": "false",
		"CI_REPO_TRUSTED_VOLUMES": "false",
		"CI_WORKFLOW_NAME":        "main", "CI_WORKFLOW_NUMBER": "1", "CI_WORKSPACE": "/slipway/src",
	}
	tests := map[string]struct {
		facts Facts
		own   map[string]string
	}{
		"push": {pushFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "push", "CI_COMMIT_REF": "refs/heads/main", "CI_COMMIT_BRANCH": "main",
			"CI_PIPELINE_FILES": "[]",
		}},
		"tag": {tagFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "tag", "CI_COMMIT_REF": "refs/tags/v1.0.0", "CI_COMMIT_TAG": "v1.0.0",
		}},
		"pull request": {pullRequestFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "pull_request", "CI_COMMIT_REF": "refs/pull/3/head", "CI_COMMIT_BRANCH": "main",
			"CI_PIPELINE_FILES": "[]", "CI_COMMIT_PULL_REQUEST": "3", "CI_COMMIT_PULL_REQUEST_LABELS": "bug,ci",
			"CI_COMMIT_SOURCE_BRANCH": "mend", "CI_COMMIT_TARGET_BRANCH": "main", "CI_COMMIT_REFSPEC": "mend:main",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{}
			for _, m := range []map[string]string{common, tt.own} {
				for k, v := range m {
					want[k] = v
				}
			}
			got := mustCompile(t, oneStep(""), tt.facts).Environment
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
			for k := range got {
				if _, ok := variableSet[k]; !ok {
					t.Errorf("%s is set and cannot be substituted", k)
				}
			}
		})
	}
}

// Every variable that Woodpecker documents for a file has a fact that sets it.
func TestVariablesAreComplete(t *testing.T) {
	f := pullRequestFacts()
	f.PullRequest.Milestone, f.SenderAvatar, f.Commit.AvatarURL = "m1", "https://a/1", "https://a/2"
	f.Commit.Tag, f.Commit.URL, f.Repo.CloneSSHURL, f.System.Platform = "v1", "https://u/1", "git@x:octo/app", "linux/amd64"
	f.Changed.Files = []string{"a.go", "ü <b>"}
	f.Build.Parent, f.Build.Started = 3, time.Unix(1700000001, 0)
	f.Deploy = DeployFacts{Target: "production", Task: "migrate"}
	f.Previous = &PreviousFacts{
		Build: BuildFacts{Number: 11, Parent: 2, Created: time.Unix(1, 0), Started: time.Unix(2, 0), URL: "https://u/11"},
		Event: EventPush, Status: "failure", Finished: time.Unix(3, 0), Source: "s", Target: "t",
		Commit: CommitFacts{SHA: "abc", Ref: "refs/heads/b", Branch: "b", URL: "https://u/2", Message: "m", Author: "a",
			AuthorEmail: "a@b", AvatarURL: "https://a/3"},
		Deploy: DeployFacts{Target: "staging", Task: "seed"}, Sender: "hub", Avatar: "https://a/4",
	}
	got := mustCompile(t, oneStep(""), f).Environment
	f.Event, f.Release = EventRelease, ReleaseFacts{Prerelease: true}
	got["CI_COMMIT_PRERELEASE"] = mustCompile(t, oneStep(""), f).Environment["CI_COMMIT_PRERELEASE"]
	for name := range variableSet {
		if got[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	for name, want := range map[string]string{
		"CI_PIPELINE_FILES": `["a.go","ü <b>"]`, "CI_COMMIT_PRERELEASE": "true", "CI_PREV_COMMIT_SHA": "abc",
		"CI_PREV_COMMIT_REFSPEC": "s:t", "CI_PREV_PIPELINE_FINISHED": "3", "CI_PIPELINE_DEPLOY_TASK": "migrate",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// The list of files is left out where it is not known or too long.
func TestVariableOfFiles(t *testing.T) {
	f := pushFacts()
	f.Changed.Unknown = "the commit before the push is gone"
	if got, ok := mustCompile(t, oneStep(""), f).Environment["CI_PIPELINE_FILES"]; ok {
		t.Errorf("unknown files are %q", got)
	}
	f = pushFacts()
	f.Changed.Files = make([]string, 501)
	if got, ok := mustCompile(t, oneStep(""), f).Environment["CI_PIPELINE_FILES"]; ok {
		t.Errorf("501 files are %.20q", got)
	}
}

// What is given by hand is a variable like the others, and does not hide them.
func TestVariablesByHand(t *testing.T) {
	f := pushFacts()
	f.Event, f.Variables = EventManual, map[string]string{"TARGET": "blue", "CI_COMMIT_SHA": "forged", "EMPTY": ""}
	w := mustCompile(t, oneStep("commands: ['deploy ${TARGET}${EMPTY} ${OTHER}']\nenvironment: {SHA: '${CI_COMMIT_SHA}'}"), f)
	if w.Environment["TARGET"] != "blue" || w.Steps[0].Environment["SHA"] != f.Commit.SHA {
		t.Errorf("environment is %v, %v", w.Environment["TARGET"], w.Steps[0].Environment)
	}
	if got := w.Steps[0].Commands[0]; got != "deploy blue ${OTHER}" {
		t.Errorf("command is %q", got)
	}
}

func TestVariablesOfUnknownFacts(t *testing.T) {
	got := mustCompile(t, oneStep(""), Facts{}).Environment
	want := map[string]string{
		"CI": "slipway", "CI_SYSTEM_NAME": "slipway", "CI_WORKFLOW_NAME": "main", "CI_WORKFLOW_NUMBER": "1",
		"CI_WORKSPACE": "/slipway/src",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// The kernel takes no NUL and no value of 128 KiB, JSON nothing but UTF-8.
func TestVariablesFitAProcess(t *testing.T) {
	f := pushFacts()
	f.Commit.Message = "a\x00b\xff" + strings.Repeat("é", 100_000)
	got := mustCompile(t, oneStep(""), f).Environment["CI_COMMIT_MESSAGE"]
	if len(got) > maxVariable || len(got) < maxVariable-utf8.UTFMax || !utf8.ValidString(got) || !strings.HasPrefix(got, "ab\ufffdé") {
		t.Errorf("got %d bytes, valid %v, %.10q", len(got), utf8.ValidString(got), got)
	}
}

func TestStepVariables(t *testing.T) {
	w := mustCompile(t, "services: {db: {image: x}}\nsteps:\n  a: {image: x, settings: {k: 1}, environment: {CI_STEP_NAME: mine}}\n  b: {image: x}\n", pushFacts())
	if diff := cmp.Diff(map[string]string{"CI_STEP_NAME": "mine", "CI_STEP_NUMBER": "2", "PLUGIN_K": "1"}, w.Steps[0].Environment); diff != "" {
		t.Errorf("a (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"CI_STEP_NAME": "b", "CI_STEP_NUMBER": "3"}, w.Steps[1].Environment); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
}
