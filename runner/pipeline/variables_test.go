package pipeline

import (
	"strings"
	"testing"
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
		"CI_WORKFLOW_NAME": "main", "CI_WORKFLOW_NUMBER": "1", "CI_WORKSPACE": "/slipway/src",
	}
	tests := map[string]struct {
		facts Facts
		own   map[string]string
	}{
		"push": {pushFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "push", "CI_COMMIT_REF": "refs/heads/main", "CI_COMMIT_BRANCH": "main",
		}},
		"tag": {tagFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "tag", "CI_COMMIT_REF": "refs/tags/v1.0.0", "CI_COMMIT_TAG": "v1.0.0",
		}},
		"pull request": {pullRequestFacts(), map[string]string{
			"CI_PIPELINE_EVENT": "pull_request", "CI_COMMIT_REF": "refs/pull/3/head", "CI_COMMIT_BRANCH": "main",
			"CI_COMMIT_PULL_REQUEST": "3", "CI_COMMIT_PULL_REQUEST_LABELS": "bug,ci",
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
				if !isVariable(k) {
					t.Errorf("%s is set and cannot be substituted", k)
				}
			}
		})
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
