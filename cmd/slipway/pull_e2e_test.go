package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

const oneStep = "steps:\n  - {name: test, image: IMAGE, commands: ['true']}\n"

// outcome waits for the last delivery of an event to be worked out and returns
// what became of it.
func (w *world) outcome(event string) store.Delivery {
	w.Helper()
	if err := w.github.Settle(w.ctx); err != nil {
		w.Fatal(err)
	}
	sub := w.app.store.Subscribe()
	defer sub.Close()
	for {
		deliveries, err := w.app.store.Deliveries(w.ctx, store.DeliveryFilter{Limit: 100})
		if err != nil {
			w.Fatal(err)
		}
		for _, d := range deliveries {
			if d.Event != event {
				continue
			}
			if d.Status != store.DeliveryPending {
				return d
			}
			break
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("wait for the outcome of %s: %v", event, err)
		}
	}
}

func (w *world) openPull(base *githubtest.Repo, pr githubtest.PullRequest) int {
	w.Helper()
	n, err := base.OpenPullRequest(w.ctx, pr)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

func TestOwnPullRequestIsCoveredByItsPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.verdict(r, w.push(r, w.files(oneStep))) // so that it is build #1, and ends before the server
	head := w.pushChange(r, githubtest.Change{Branch: "feature", Files: map[string]string{"a": "1"}})
	w.wantVerdict(r, head, "success: passed in …")
	w.openPull(r, githubtest.PullRequest{Title: "Feature", Head: "feature"})
	if d := w.outcome("pull_request"); d.Outcome != "build #2 of the push has the same plan" {
		t.Errorf("outcome: %s", d.Outcome)
	}
}

func TestOwnPullRequestWithAnotherPlanIsBuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.verdict(r, w.push(r, w.files(oneStep))) // so that it is build #1, and ends before the server
	files := w.files(oneStep + "  - {name: review, image: IMAGE, commands: ['echo \"PR $CI_COMMIT_PULL_REQUEST to $CI_COMMIT_TARGET_BRANCH\"'], when: {event: pull_request}}\n")
	head := w.pushChange(r, githubtest.Change{Branch: "feature", Files: files})
	w.wantVerdict(r, head, "success: passed in …")
	n := w.openPull(r, githubtest.PullRequest{Title: "Feature", Head: "feature"})
	if d := w.outcome("pull_request"); d.Outcome != "build #3" {
		t.Fatalf("outcome: %s", d.Outcome)
	}
	w.waitBuild(r, 3, store.Success)
	w.wantLines(w.log(r, 3, 1, 2), fmt.Sprintf("PR %d to main", n))
}

func TestForkWaitsForApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …")
	fork, err := r.Fork(w.ctx, "mallory")
	if err != nil {
		t.Fatal(err)
	}
	// A fork cannot skip the check either.
	sha, err := fork.Commit(w.ctx, githubtest.Change{Branch: "evil", Files: w.files(oneStep, "a", "1"), Message: "Harmless [skip ci]"})
	if err != nil {
		t.Fatal(err)
	}
	w.openPull(r, githubtest.PullRequest{Title: "Evil", Head: "evil", From: fork})
	w.waitStatus(r, sha, "waits for approval: a pull request from a fork")
	const build = "/api/repos/acme/app/builds/2"
	if got := w.build(r, 2); got.Status != "blocked" || got.Jobs[0].Steps[0].Status != "blocked" {
		t.Fatalf("a fork's build is %s", got.Status)
	}
	if status, _ := w.request(http.MethodPost, "!"+build+"/approve", ""); status != http.StatusUnauthorized {
		t.Errorf("approval without the token: %d", status)
	}
	if status, body := w.request(http.MethodPost, build+"/approve", `{"commit": "`+strings.Repeat("0", 40)+`"}`); status != http.StatusConflict {
		t.Errorf("approval of another commit: %d %s", status, body)
	}
	if status, body := w.request(http.MethodPost, build+"/approve", `{"commit": "`+sha+`"}`); status != http.StatusOK {
		t.Fatalf("approval: %d %s", status, body)
	}
	w.wantVerdict(r, sha, "success: passed in …")

	// The approval was for that commit: the next one waits again.
	next, err := fork.Push(w.ctx, githubtest.Change{Branch: "evil", Files: map[string]string{"a": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	w.waitStatus(r, next, "waits for approval: a pull request from a fork")
	w.verdict(fork, next) // the push to the fork is a build of the fork's own
}

func TestPrivateRepositoryDoesNotExistForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("secret", true)
	w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …")
	for _, path := range []string{"/api/repos/acme/%s/builds", "/api/repos/acme/%s/builds/1", "/api/repos/acme/%s/builds/1/events",
		"/api/repos/acme/%s/builds/1/jobs/1/steps/1/log", "/repos/acme/%s", "/repos/acme/%s/builds/1"} {
		hidden, hiddenBody := w.request(http.MethodGet, "!"+fmt.Sprintf(path, "secret"), "")
		missing, missingBody := w.request(http.MethodGet, "!"+fmt.Sprintf(path, "nosuch"), "")
		if hidden != http.StatusNotFound || hidden != missing {
			t.Errorf("%s: %d, a missing one: %d", path, hidden, missing)
		}
		if strings.HasPrefix(path, "/api") && !bytes.Equal(hiddenBody, missingBody) {
			t.Errorf("%s: %s, a missing one: %s", path, hiddenBody, missingBody)
		}
	}
	for _, action := range []string{"cancel", "restart", "approve"} {
		if status, _ := w.request(http.MethodPost, "!/api/repos/acme/secret/builds/1/"+action, ""); status != http.StatusNotFound {
			t.Errorf("%s of a private repository's build without the token: %d", action, status)
		}
	}
	if _, body := w.request(http.MethodGet, "!/api/repos", ""); strings.Contains(string(body), "secret") {
		t.Errorf("a private repository is listed: %s", body)
	}
	if status, _ := w.request(http.MethodGet, "/api/repos/acme/secret/builds/1", ""); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
}
