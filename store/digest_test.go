package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// run makes a build of a commit whose only step ends so, after a second.
func (w *world) run(r store.Repo, ref, sha string, status store.Status) store.Build {
	w.Helper()
	b := w.build(r, store.Build{Ref: ref, SHA: sha, Branch: strings.TrimPrefix(ref, "refs/heads/")}, job("test"))
	j := w.claim()
	w.ok(w.StartStep(w.Context(), j.ID, 1, w.now))
	w.ok(w.FinishStep(w.Context(), store.Step{JobID: j.ID, Number: 1, Status: status, FinishedAt: w.now.Add(time.Second)}))
	w.ok(w.FinishJob(w.Context(), j.ID, status, "", 0))
	b, err := w.BuildByID(w.Context(), b.ID)
	w.ok(err)
	return b
}

// digest stores a digest of the oldest failed step that has none.
func (w *world) digest(title, text string, c *store.Changes) store.Digest {
	w.Helper()
	steps, err := w.UndigestedSteps(w.Context(), 1)
	w.ok(err)
	if len(steps) != 1 {
		w.Fatal("no step without a digest")
	}
	d := store.Digest{StepID: steps[0].ID, BuildID: steps[0].Build.ID, RepoID: steps[0].Build.RepoID, Line: 7, Title: title,
		Command: "go test ./...", Excerpt: []store.DigestLine{{N: 7, Text: "\x1b[31m" + text}}, Text: text}
	w.ok(w.SaveDigest(w.Context(), d, c))
	return d
}

func TestDigestOfAFailedStep(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Success)
	b := w.run(r, main, "b", store.Failure)
	sub := w.Subscribe()
	defer sub.Close()

	changes := store.Changes{Number: 1, SHA: "a", Commits: []store.ChangedCommit{{SHA: "b", Author: "Ada", Subject: "Wait"}}, Files: []string{"ferry.go"}}
	d := w.digest("departed too early", "ferry_test.go:41: departed too early", &changes)

	got, err := w.Digest(t.Context(), d.StepID)
	w.ok(err)
	w.want(got, d)
	all, err := w.Digests(t.Context(), b.ID)
	w.ok(err)
	w.want(all, map[int64]store.Digest{d.StepID: d})
	kept, err := w.BuildChanges(t.Context(), b.ID)
	w.ok(err)
	w.want(kept, changes)
	w.want(sub.Take(), []store.Event{{Kind: store.BuildChanged, RepoID: r.ID, BuildID: b.ID}})

	left, err := w.UndigestedSteps(t.Context(), 10)
	w.ok(err)
	w.want(len(left), 0)
	second := d
	second.Title = "worked out by somebody else too"
	w.ok(w.SaveDigest(t.Context(), second, &store.Changes{Number: 9}))
	got, err = w.Digest(t.Context(), d.StepID)
	w.ok(err)
	w.want(got, d)
}

// A finding is stored before the digest is complete, and makes the commit's
// statuses be worked out again if its title is known.
func TestFindingsAreForTheStatuses(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	for _, known := range []bool{false, true} {
		b := w.run(r, main, "a", store.Failure)
		steps, err := w.UndigestedSteps(t.Context(), 1)
		w.ok(err)
		w.want(w.culprits(b), map[int]store.Culprit{})
		w.ok(w.SetStatuses(t.Context(), w.dirty()[0], nil))
		d := store.Digest{StepID: steps[0].ID, BuildID: b.ID, RepoID: r.ID, Title: "too early", Known: known}
		w.ok(w.SaveFinding(t.Context(), d))
		w.ok(w.SaveFinding(t.Context(), store.Digest{StepID: steps[0].ID, BuildID: b.ID, RepoID: r.ID, Title: "again", Known: true}))
		w.want(len(w.dirty()), map[bool]int{false: 0, true: 1}[known])
		steps, err = w.UndigestedSteps(t.Context(), 1)
		w.ok(err)
		w.want(len(steps), 1)
		w.ok(w.SaveDigest(t.Context(), d, nil))
		got, err := w.Digest(t.Context(), d.StepID)
		w.ok(err)
		w.want(got, d)
	}
}

func TestCulprits(t *testing.T) {
	w := newWorld(t)
	b := w.build(w.repo("ferry"), store.Build{Ref: main, SHA: "a"}, job("lint"), job("test"), job("docs"), job("none"))
	for n, end := range []struct {
		step   store.Status
		failed int
	}{{store.Failure, 1}, {store.Failure, 1}, {store.Canceled, 1}, {store.Failure, 0}} {
		j := w.claim()
		w.want(w.culprits(b)[n+1], store.Culprit{})
		w.ok(w.StartStep(t.Context(), j.ID, 1, w.now))
		w.ok(w.FinishStep(t.Context(), store.Step{JobID: j.ID, Number: 1, Status: end.step, FinishedAt: w.now}))
		w.ok(w.FinishJob(t.Context(), j.ID, store.Failure, "step test failed", end.failed))
	}
	ended := w.culprits(b)[1].JobFinishedAt
	w.want(w.culprits(b), map[int]store.Culprit{1: {Step: "test", JobFinishedAt: ended}, 2: {Step: "test", JobFinishedAt: ended}})
	w.digest("a guess", "", nil)
	w.want(w.culprits(b)[1], store.Culprit{Step: "test", JobFinishedAt: ended, Digested: true})
	steps, err := w.UndigestedSteps(t.Context(), 1)
	w.ok(err)
	w.ok(w.SaveFinding(t.Context(), store.Digest{StepID: steps[0].ID, BuildID: b.ID, RepoID: b.RepoID, Title: "too early", Known: true}))
	w.want(w.culprits(b)[2], store.Culprit{Step: "test", JobFinishedAt: ended, Digested: true, Title: "too early"})
}

func (w *world) culprits(b store.Build) map[int]store.Culprit {
	w.Helper()
	out, err := w.Culprits(w.Context(), b.ID)
	w.ok(err)
	return out
}

func (w *world) dirty() []store.Commit {
	w.Helper()
	out, err := w.DirtyCommits(w.Context(), 100)
	w.ok(err)
	return out
}

func TestSearchFailures(t *testing.T) {
	w := newWorld(t)
	open, secret := w.repo("ferry"), w.repo("submarine")
	secret.Private = true
	_, err := w.UpsertRepo(t.Context(), secret)
	w.ok(err)
	for _, f := range []struct {
		repo        store.Repo
		title, text string
	}{
		{open, "departed too early", "ferry_test.go:41: departed too early, want 12:09"},
		{open, "cannot find module", "Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'tide'"},
		{secret, "departed under water", "dive_test.go:3: departed"},
		{open, "exit code 1", "departed at last"},
	} {
		w.run(f.repo, main, "a", store.Failure)
		w.digest(f.title, f.text, nil)
	}
	found := func(q store.FailureQuery) (titles []string) {
		t.Helper()
		all, err := w.SearchFailures(t.Context(), q)
		w.ok(err)
		for _, f := range all {
			titles = append(titles, f.Title)
		}
		return titles
	}
	for _, c := range []struct {
		name  string
		query store.FailureQuery
		want  []string
	}{
		{"the title counts most", store.FailureQuery{Text: "departed"}, []string{"departed too early", "exit code 1"}},
		{"private", store.FailureQuery{Text: "departed water", Private: true}, []string{"departed under water"}},
		{"not for everybody", store.FailureQuery{Text: "departed water"}, nil},
		{"of one repository", store.FailureQuery{Text: "departed", Private: true, RepoID: secret.ID}, []string{"departed under water"}},
		{"an unfinished word", store.FailureQuery{Text: "err_module_not"}, []string{"cannot find module"}},
		{"a place", store.FailureQuery{Text: "ferry_test.go:41:"}, []string{"departed too early"}},
		{"operators are words", store.FailureQuery{Text: `departed NOT "early`}, nil},
		{"signs only", store.FailureQuery{Text: `"* ( :`}, nil},
		{"signs among words", store.FailureQuery{Text: `departed (too* -- early)`}, []string{"departed too early"}},
		{"the next page", store.FailureQuery{Text: "departed", Limit: 1, Offset: 1}, []string{"exit code 1"}},
	} {
		if diff := cmp.Diff(c.want, found(c.query)); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}

	all, err := w.SearchFailures(t.Context(), store.FailureQuery{Text: "last"})
	w.ok(err)
	w.want(len(all), 1)
	w.want(all[0].Snippet, []store.Fragment{{Text: "departed at "}, {Text: "last", Match: true}})
	w.want([]any{all[0].Owner, all[0].Name, all[0].BuildNumber, all[0].JobNumber, all[0].StepNumber, all[0].Workflow, all[0].Step},
		[]any{"acme", "ferry", int64(3), 1, 1, "test", "test"})
}

func TestLastPassed(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Success)
	w.run(r, main, "b", store.Success)
	w.run(r, main, "c", store.Failure)
	w.run(r, "refs/heads/other", "d", store.Success)
	b, err := w.LastPassed(t.Context(), r.ID, main, 4)
	w.ok(err)
	w.want(b.Number, int64(2))
	b, err = w.LastPassed(t.Context(), r.ID, main, 2)
	w.ok(err)
	w.want(b.Number, int64(1))
}

// A digest goes with its step, and out of the search's index too.
func TestSearchForgetsWhatIsDeleted(t *testing.T) {
	w := &world{T: t, now: time.UnixMilli(1_700_000_000_000)}
	path := filepath.Join(t.TempDir(), "slipway.db")
	w.Store = storetest.OpenAt(t, path, func() time.Time { return w.now })
	w.run(w.repo("ferry"), main, "a", store.Failure)
	d := w.digest("departed too early", "departed too early", nil)
	db, err := sql.Open("sqlite", path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)")
	w.ok(err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `DELETE FROM steps WHERE id = ?`, d.StepID)
	w.ok(err)
	if _, err := w.Digest(t.Context(), d.StepID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the digest: %v", err)
	}
	found, err := w.SearchFailures(t.Context(), store.FailureQuery{Text: "departed"})
	w.ok(err)
	w.want(len(found), 0)
	_, err = db.ExecContext(t.Context(), `INSERT INTO digests_text (digests_text) VALUES ('integrity-check')`)
	w.ok(err)
}
