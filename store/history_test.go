package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

const main, side = "refs/heads/main", "refs/heads/side"

func (w *world) history(b store.Build) store.StepHistory {
	w.Helper()
	h, err := w.StepHistory(w.Context(), b, store.StepKey{RepoID: b.RepoID, Workflow: "test", Step: "test"}, "main")
	w.ok(err)
	return h
}

func TestStepFailsSince(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Failure)
	w.run(r, main, "b", store.Success)
	w.run(r, main, "c", store.Failure)
	w.run(r, main, "c", store.Canceled) // says nothing
	w.run(r, side, "d", store.Success)
	b := w.run(r, main, "e", store.Error)
	w.run(r, main, "f", store.Success) // comes later

	h := w.history(b)
	w.want(h.Since.BuildNumber, int64(3))
	w.want(h.Longer, false)
	w.want(h.OnDefault == nil && h.Flaky == nil, true)
	var numbers []int64
	for _, run := range h.Runs {
		numbers = append(numbers, run.BuildNumber)
	}
	w.want(numbers, []int64{6, 3, 2, 1})
	w.want(h.Runs[0].Duration(), time.Second)
}

func TestStepFailsForLongerThanIsRemembered(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	var b store.Build
	for i := range 52 {
		b = w.run(r, main, fmt.Sprint(i), store.Failure)
	}
	h := w.history(b)
	w.want(len(h.Runs), 50)
	w.want(h.Since.BuildNumber, int64(3))
	w.want(h.Longer, true)
}

func TestStepFailsOnDefaultBranchToo(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Failure)
	b := w.run(r, side, "b", store.Failure)
	w.want(w.history(b).OnDefault.BuildNumber, int64(1))
	w.run(r, main, "c", store.Success)
	w.want(w.history(b).OnDefault == nil, true)
}

func TestFlakyStep(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	failed := w.run(r, main, "a", store.Failure)
	passed := w.run(r, side, "a", store.Success)
	w.want(w.history(failed).Flaky.BuildNumber, passed.Number)
	h := w.history(passed)
	w.want(h.Flaky == nil && h.Since == nil, true)
	w.want(len(h.Runs), 1)
}

// BenchmarkStepHistory asks for the history of a step in a repository of 100,000
// builds: of the default branch, where all are, and of a branch of one.
func BenchmarkStepHistory(b *testing.B) {
	const builds = 100_000
	path := filepath.Join(b.TempDir(), "slipway.db")
	s := storetest.OpenAt(b, path, nil)
	r, err := s.UpsertRepo(b.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "ferry", DefaultBranch: "main"})
	if err != nil {
		b.Fatal(err)
	}
	fillBuilds(b, path, builds)
	key := store.StepKey{RepoID: r.ID, Workflow: "test", Step: "test"}
	for name, build := range map[string]store.Build{
		"main":   {RepoID: r.ID, Number: builds - 1, Ref: main, SHA: "7"},
		"branch": {RepoID: r.ID, Number: builds, Ref: side, SHA: "8"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h, err := s.StepHistory(b.Context(), build, key, "main")
				if err != nil || h.Since == nil {
					b.Fatal(h, err)
				}
			}
		})
	}
}

// fillBuilds adds builds of one repository to a database, each with two jobs of
// one step that failed; the last one is of another branch.
func fillBuilds(b *testing.B, path string, builds int) {
	b.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO builds (id, repo_id, number, origin_id, status, planned, event, ref, branch, tag, sha, before_sha,
			message, url, author, author_email, avatar_url, sender, created_at, change)
		SELECT i, 1, i, i, 'failure', 1, 'push', CASE i WHEN ?1 THEN 'refs/heads/side' ELSE 'refs/heads/main' END,
			'main', '', i % 50000, '', '', '', '', '', '', '', 1, i FROM n`,
		`INSERT INTO jobs (id, build_id, repo_id, number, name, status, on_success, on_failure, plan, nonce, created_at)
		SELECT 2 * id + k, id, 1, 1 + k, CASE k WHEN 0 THEN 'lint' ELSE 'test' END, 'failure', 1, 0, '{}', '', 1
		FROM builds, (SELECT 0 AS k UNION SELECT 1) WHERE id <= ?1`,
		`INSERT INTO steps (job_id, number, name, kind, image, status, digested)
		SELECT id, 1, 'test', 'commands', 'busybox', 'failure', 1 FROM jobs WHERE build_id <= ?1`,
	} {
		if _, err := db.ExecContext(b.Context(), statement, builds); err != nil {
			b.Fatal(err)
		}
	}
}
