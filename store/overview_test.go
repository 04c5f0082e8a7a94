package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// hide makes a repository private.
func (w *world) hide(r store.Repo) store.Repo {
	w.Helper()
	r.Private = true
	r, err := w.UpsertRepo(w.Context(), r)
	w.ok(err)
	return r
}

func numbersOf[T any](all []T, number func(T) int64) []int64 {
	out := []int64{}
	for _, v := range all {
		out = append(out, number(v))
	}
	return out
}

func TestActiveBuilds(t *testing.T) {
	w := newWorld(t)
	r, hidden := w.repo("ferry"), w.hide(w.repo("submarine"))
	w.run(r, main, "a", store.Success)
	w.build(r, store.Build{}, job("test"))
	w.claim()
	w.build(r, store.Build{NeedsApproval: true}, job("test"))
	w.build(hidden, store.Build{}, job("test"))
	w.claim()
	active := func(private bool, limit int) []int64 {
		t.Helper()
		all, err := w.ActiveBuilds(t.Context(), private, limit)
		w.ok(err)
		return numbersOf(all, func(b store.RepoBuild) int64 { return b.Build.Number })
	}
	w.want(active(false, 10), []int64{2, 3})
	w.want(active(true, 10), []int64{2, 1, 3}) // what runs comes first
	w.want(active(true, 1), []int64{2})
}

func TestRedBranches(t *testing.T) {
	w := newWorld(t)
	red, green, never, hidden := w.repo("ferry"), w.repo("buoy"), w.repo("raft"), w.hide(w.repo("submarine"))
	w.run(red, main, "a", store.Success)
	w.run(red, main, "b", store.Failure) // since here
	w.run(red, "refs/heads/x", "c", store.Success)
	w.run(red, main, "d", store.Canceled) // is no verdict
	w.run(red, main, "e", store.Error)
	w.run(red, "refs/heads/x", "f", store.Success)
	w.run(green, main, "a", store.Failure)
	w.run(green, main, "b", store.Success)
	w.run(never, main, "a", store.Failure)
	w.run(never, main, "b", store.Failure)
	w.run(hidden, main, "a", store.Failure)
	got := func(private bool) []string {
		t.Helper()
		all, err := w.RedBranches(t.Context(), private, 10)
		w.ok(err)
		out := []string{}
		for _, b := range all {
			out = append(out, fmt.Sprintf("%s %d since %d", b.Repo.Name, b.Latest.Number, b.Since.Number))
		}
		return out
	}
	w.want(got(false), []string{"ferry 5 since 2", "raft 2 since 1"})
	w.want(got(true), []string{"ferry 5 since 2", "raft 2 since 1", "submarine 1 since 1"})
}

func TestHeadsAndVerdicts(t *testing.T) {
	w := newWorld(t)
	r := w.repo("ferry")
	w.run(r, main, "a", store.Success)
	w.run(r, "refs/heads/x", "b", store.Failure)
	w.run(r, "refs/pull/7/head", "c", store.Success)
	w.run(r, main, "d", store.Canceled)
	w.run(w.repo("buoy"), "refs/heads/y", "e", store.Success)
	heads := func(prefix string, limit int) []int64 {
		t.Helper()
		all, err := w.RefHeads(t.Context(), r.ID, prefix, limit)
		w.ok(err)
		return numbersOf(all, func(b store.Build) int64 { return b.Number })
	}
	w.want(heads("refs/heads/", 10), []int64{4, 2})
	w.want(heads("refs/heads/", 1), []int64{4})
	w.want(heads("refs/pull/", 10), []int64{3})
	w.want(heads("refs/tags/", 10), []int64{})
	verdicts := func(branch string) []int64 {
		t.Helper()
		all, err := w.Verdicts(t.Context(), r.ID, branch, 10)
		w.ok(err)
		return numbersOf(all, func(b store.Build) int64 { return b.Number })
	}
	w.want(verdicts(""), []int64{3, 2, 1})
	w.want(verdicts("main"), []int64{1})
	byRef, err := w.Builds(t.Context(), r.ID, store.BuildFilter{Ref: "refs/heads/x"})
	w.ok(err)
	w.want(numbersOf(byRef, func(b store.Build) int64 { return b.Number }), []int64{2})
}

// The queue shows the order in which jobs are claimed.
func TestQueueShowsTheOrderOfClaims(t *testing.T) {
	w := newWorld(t)
	a, b, hidden := w.repo("ferry"), w.repo("buoy"), w.hide(w.repo("submarine"))
	group := job("deploy")
	group.Group = store.Group{Name: "deploy", Limit: 1}
	w.build(a, store.Build{}, job("one"), job("two"), group, group)
	w.build(b, store.Build{}, job("three"))
	w.build(hidden, store.Build{}, job("four"))
	w.claim()
	q, err := w.Queue(t.Context(), true, 10)
	w.ok(err)
	w.want(numbersOf(q.Running, func(j store.QueuedJob) int64 { return j.JobID }), []int64{1})
	w.want(q.Pending, 5)
	last := q.Waiting[len(q.Waiting)-1]
	w.want(last.Place, 0)
	w.want(last.Reason, "waits for its turn in the group deploy")
	open, err := w.Queue(t.Context(), false, 10)
	w.ok(err)
	var places []int // those of the private one are left out
	for _, j := range open.Waiting {
		places = append(places, j.Place)
	}
	w.want(places, []int{1, 3, 4, 0})
	for i, j := range q.Waiting[:4] {
		w.want(j.Place, i+1)
		w.want(w.claim().ID, j.JobID)
	}
}

func TestDeliveriesAreFound(t *testing.T) {
	w := newWorld(t)
	for i, repo := range []string{"acme/ferry", "acme/buoy", "other/ferry"} {
		_, err := w.AddDelivery(t.Context(), store.Delivery{GUID: fmt.Sprintf("guid-%d", i+1), Event: "push", Repo: repo,
			SHA: fmt.Sprintf("%dabc%036d", i+1, 0), Body: []byte("{}")})
		w.ok(err)
	}
	w.ok(w.FinishDelivery(t.Context(), "guid-2", store.DeliveryIgnored, "no pipeline file", 0))
	for _, tt := range []struct {
		filter store.DeliveryFilter
		want   []int64
	}{
		{store.DeliveryFilter{}, []int64{3, 2, 1}},
		{store.DeliveryFilter{Text: "guid-1"}, []int64{1}},
		{store.DeliveryFilter{Text: " Acme/Ferry "}, []int64{1}},
		{store.DeliveryFilter{Text: "acme/"}, []int64{2, 1}},
		{store.DeliveryFilter{Text: "2abc0"}, []int64{2}},
		{store.DeliveryFilter{Text: "ferry"}, []int64{}},
		{store.DeliveryFilter{Status: store.DeliveryIgnored}, []int64{2}},
	} {
		ds, err := w.Deliveries(t.Context(), tt.filter)
		w.ok(err)
		if got := numbersOf(ds, func(d store.Delivery) int64 { return d.ID }); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%+v: %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func TestRedeliver(t *testing.T) {
	w := newWorld(t)
	_, err := w.AddDelivery(t.Context(), store.Delivery{GUID: "a", Event: "push", Body: []byte("{}")})
	w.ok(err)
	if err := w.Redeliver(t.Context(), "a"); !errors.Is(err, store.ErrConflict) {
		t.Errorf("while pending: %v", err)
	}
	if err := w.Redeliver(t.Context(), "b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	w.ok(w.FinishDelivery(t.Context(), "a", store.DeliveryFailed, "cannot be read", 0))
	sub := w.Subscribe()
	defer sub.Close()
	w.now = w.now.Add(time.Hour)
	w.ok(w.Redeliver(t.Context(), "a"))
	w.want(sub.Take(), []store.Event{{Kind: store.DeliveryChanged}})
	next, err := w.NextDeliveries(t.Context())
	w.ok(err)
	w.want(len(next), 1)
	w.want(next[0].Outcome, "")
	w.want(next[0].NextAt, w.now)
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	r, hidden := w.repo("ferry"), w.hide(w.repo("ferry-secret"))
	w.build(r, store.Build{Branch: "main", Author: "Ada Lovelace", SHA: "abcd111"})
	w.build(r, store.Build{Branch: "feature/Hull", Author: "Grace Hopper", SHA: "abcd222"})
	w.build(r, store.Build{Branch: "feature/Hull", Author: "ada lovelace", SHA: "eeee333"})
	w.build(hidden, store.Build{Branch: "feature/hull", Author: "Ada Lovelace", SHA: "abcd444"})
	find := func(text string, private bool) string {
		t.Helper()
		f, err := w.Search(t.Context(), text, private, 10)
		w.ok(err)
		n := func(b store.RepoBuild) int64 { return b.Build.Number }
		return fmt.Sprint(len(f.Repos), numbersOf(f.Numbers, n), numbersOf(f.Commits, n), numbersOf(f.Branches, n), numbersOf(f.Authors, n))
	}
	for _, tt := range []struct {
		text    string
		private bool
		want    string
	}{
		{"FERRY", false, "1 [] [] [] []"},
		{"acme/ferry", true, "2 [] [] [] []"},
		{"#2", false, "0 [2] [] [] []"},
		{"1", true, "0 [1 1] [] [] []"},
		{"abcd", false, "0 [] [2 1] [] []"},
		{"hull", false, "0 [] [] [3] []"},
		{"hull", true, "0 [] [] [1 3] []"},
		{"lovelace", false, "0 [] [] [] [3]"},
		{"  ", true, "0 [] [] [] []"},
		{"%", true, "0 [] [] [] []"},
	} {
		if got := find(tt.text, tt.private); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}

// BenchmarkLists reads what the pages with lists read, with 100,000 builds of 50
// repositories, of which 500 wait.
func BenchmarkLists(b *testing.B) {
	s := manyBuilds(b, 50, 100_000, 500)
	ctx := b.Context()
	for _, list := range []struct {
		name string
		read func() error
	}{
		{"repos", func() error { _, err := s.Repos(ctx, true); return err }},
		{"active", func() error { _, err := s.ActiveBuilds(ctx, true, 50); return err }},
		{"red", func() error { _, err := s.RedBranches(ctx, true, 50); return err }},
		{"queue", func() error { _, err := s.Queue(ctx, true, 100); return err }},
		{"builds", func() error { _, err := s.Builds(ctx, 1, store.BuildFilter{Limit: 31}); return err }},
		{"author", func() error { _, err := s.Builds(ctx, 1, store.BuildFilter{Author: "nobody", Limit: 31}); return err }},
		{"status", func() error {
			_, err := s.Builds(ctx, 1, store.BuildFilter{Status: store.Canceled, Limit: 31})
			return err
		}},
		{"heads", func() error { _, err := s.RefHeads(ctx, 1, "refs/heads/", 100); return err }},
		{"verdicts", func() error { _, err := s.Verdicts(ctx, 1, "main", 500); return err }},
		{"search-text", func() error { _, err := s.Search(ctx, "ada", true, 10); return err }},
		{"search-commit", func() error { _, err := s.Search(ctx, "00012", true, 10); return err }},
	} {
		b.Run(list.name, func(b *testing.B) {
			for b.Loop() {
				if err := list.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manyBuilds is a store with builds of repositories; the last ones wait. All but
// the first are rows that are copied, since so many take minutes otherwise.
func manyBuilds(b *testing.B, repos, builds, waiting int) *store.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "slipway.db")
	open := func() *store.Store {
		s, err := store.Open(b.Context(), path, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	s := open()
	r, err := s.UpsertRepo(b.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "app", DefaultBranch: "main"})
	if err == nil {
		_, err = s.CreateBuild(b.Context(), store.Build{RepoID: r.ID, Number: 1, Planned: true, Event: "push"},
			[]store.NewJob{{Name: "test", Plan: []byte("{}"), OnSuccess: true}})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, table := range []struct {
		name, set string
		rows      int
	}{
		{"repos", "remote_id = id, name = 'app' || id, last_number = ?2 / ?1", repos},
		{"builds", `repo_id = id % ?1 + 1, number = (id - 1) / ?1 + 1, origin_id = id, sha = printf('%040x', id),
			branch = iif(id % 7 > 3, 'feature/' || id % 1000, 'main'), ref = 'refs/heads/' || iif(id % 7 > 3, 'feature/' || id % 1000, 'main'),
			author = 'author ' || id % 40, status = iif(id > ?2 - ?3, 'pending', iif(id % 5, 'success', 'failure'))`, builds},
		{"jobs", "build_id = ?2 - id + 1, repo_id = (?2 - id + 1) % ?1 + 1", waiting},
	} {
		for _, q := range []string{
			"CREATE TEMP TABLE many AS SELECT * FROM " + table.name,
			fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO many SELECT m.* FROM n, (SELECT * FROM many LIMIT 1) m", table.rows-1),
			"UPDATE many SET id = rowid",
			"UPDATE many SET " + table.set + " WHERE ?1 + ?2 + ?3 > 0",
			"DELETE FROM " + table.name,
			"INSERT INTO " + table.name + " SELECT * FROM many",
			"DROP TABLE many",
		} {
			args := []any{repos, builds, waiting}
			if !strings.Contains(q, "?") {
				args = nil
			}
			if _, err := db.ExecContext(b.Context(), q, args...); err != nil {
				b.Fatalf("%v\n%s", err, q)
			}
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	s = open()
	b.Cleanup(func() { _ = s.Close() })
	return s
}
