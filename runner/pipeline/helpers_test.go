package pipeline

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// pushFacts are a push to main of a public repository.
func pushFacts() Facts {
	return Facts{
		Event: EventPush,
		Repo: RepoFacts{
			RemoteID: "7", Owner: "octo", Name: "app", URL: "https://github.com/octo/app",
			CloneURL: "https://github.com/octo/app.git", DefaultBranch: "main",
		},
		Commit: CommitFacts{
			SHA: "0123456789abcdef0123456789abcdef01234567", Ref: "refs/heads/main", Branch: "main",
			Message: "Fix it", Author: "mona", AuthorEmail: "mona@example.com",
		},
		Sender: "mona",
		Build:  BuildFacts{Number: 12, Created: time.Unix(1700000000, 0), URL: "https://ci.example.com/octo/app/12"},
		System: SystemFacts{Host: "ci.example.com", URL: "https://ci.example.com", Version: "1.2.3", ForgeURL: "https://github.com"},
	}
}

func tagFacts() Facts {
	f := pushFacts()
	f.Event = EventTag
	f.Commit.Ref, f.Commit.Branch, f.Commit.Tag = "refs/tags/v1.0.0", "", "v1.0.0"
	return f
}

func pullRequestFacts() Facts {
	f := pushFacts()
	f.Event = EventPullRequest
	f.Commit.Ref = "refs/pull/3/head"
	f.PullRequest = &PullRequestFacts{
		Number: 3, Action: PullSynchronized, Title: "Mend", SourceBranch: "mend", TargetBranch: "main",
		SourceRepo: "octo/app", Labels: []string{"bug", "ci"},
	}
	return f
}

// single is a repository with one file.
func single(text string) []File { return []File{{Path: ".slipway.yml", Data: []byte(text)}} }

// mustCompile plans one .slipway.yml.
func mustCompile(t *testing.T, text string, f Facts) Workflow {
	t.Helper()
	plan, err := Compile(single(text), f)
	if err != nil {
		t.Fatalf("Compile: %v", lines(err))
	}
	return plan.Workflows[0]
}

// lines returns a Problems error as one string a problem.
func lines(err error) []string {
	var ps Problems
	if !errors.As(err, &ps) {
		if err == nil {
			return nil
		}
		return []string{"not Problems: " + err.Error()}
	}
	var out []string
	for _, p := range ps {
		out = append(out, p.Error())
	}
	return out
}

// oneStep is a file whose only step has the given further lines.
func oneStep(body string) string {
	var b strings.Builder
	b.WriteString("steps:\n  - name: a\n    image: alpine\n")
	for _, l := range strings.Split(strings.Trim(body, "\n"), "\n") {
		b.WriteString("    " + l + "\n")
	}
	return b.String()
}
