package store_test

import (
	"testing"

	"github.com/slipway-ci/slipway/store"
)

// verdicts are the numbers of the builds that make up a commit's verdict.
func (w *world) verdicts(b store.Build) (numbers []int64) {
	w.Helper()
	runs, err := w.CommitRuns(w.Context(), b.RepoID, b.SHA)
	w.ok(err)
	for _, r := range runs {
		numbers = append(numbers, r.Number)
	}
	return numbers
}

func TestRefThatComesBackToItsCommitIsANewRun(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	main := store.Build{SHA: "aaaa", Ref: "refs/heads/main", Branch: "main"}
	red := w.build(r, main, job("main"))
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Failure, "flaky", 1))
	again := w.build(r, main, job("main"))
	w.want(again.OriginID, red.ID)
	w.want(w.verdicts(again), []int64{2})

	// Another ref, or another kind of event, is a build of its own.
	w.build(r, store.Build{SHA: "aaaa", Ref: "refs/heads/other", Branch: "other"}, job("main"))
	w.build(r, store.Build{SHA: "aaaa", Ref: "refs/pull/1/head", Event: "pull_request", Pull: &store.Pull{Number: 1}}, job("main"))
	w.build(w.repo("copy"), main, job("main"))
	w.want(w.verdicts(again), []int64{2, 3, 4})
}

// A commit from which nothing waits for approval any more must not stay pending,
// nor red for a build that only made room for a newer one.
func TestReopenedPullRequestWaitsOnce(t *testing.T) {
	w := newWorld(t)
	r := w.repo("app")
	pull := func(sha string) store.Build {
		return w.build(r, store.Build{Event: "pull_request", Ref: "refs/pull/7/head", SHA: sha,
			Pull: &store.Pull{Number: 7, Fork: true}, NeedsApproval: true}, job("main"))
	}
	opened, reopened := pull("aaaa"), pull("aaaa")
	w.want(w.status(opened), "canceled: superseded by aaaa")
	pull("bbbb")
	w.want(w.status(reopened), "canceled: superseded by bbbb")

	back := pull("aaaa")
	w.ok(w.Approve(t.Context(), back.ID, "aaaa", "admin"))
	w.ok(w.FinishJob(t.Context(), w.claim().ID, store.Success, "", 0))
	w.want(w.verdicts(back), []int64{back.Number})
	w.want(w.status(back), "success")
}
