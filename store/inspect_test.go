package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// inspected makes a database with two repositories, does to it what damage says
// and returns what Inspect finds.
func inspected(t *testing.T, damage string) (store.Inspection, error) {
	t.Helper()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "slipway.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	w.ok(err)
	for i, name := range []string{"old", "new"} {
		r, err := s.UpsertRepo(t.Context(), store.Repo{RemoteID: int64(i + 1), Owner: "acme", Name: name})
		w.ok(err)
		_, err = s.CreateBuild(t.Context(), store.Build{RepoID: r.ID, Number: 1, Planned: true, Event: "push", SHA: "a"}, []store.NewJob{job("main")})
		w.ok(err)
	}
	w.ok(s.Close())
	if damage != "" {
		storetest.Exec(t, path, damage)
	}
	return store.Inspect(t.Context(), path, 1)
}

func TestInspect(t *testing.T) {
	got, err := inspected(t, "")
	if err != nil || len(got.Damage)+len(got.Dangling) > 0 || got.Schema != got.Newest || got.Schema == 0 || got.Bytes == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := []string{"acme/new"}; !slices.Equal(got.Repos, want) {
		t.Errorf("repositories: got %v, want %v", got.Repos, want)
	}
}

func TestInspectFindsRowsThatReferToNothing(t *testing.T) {
	got, err := inspected(t, `PRAGMA foreign_keys = 0; DELETE FROM builds WHERE id = 1`)
	if err != nil || !slices.Equal(got.Dangling, []string{"jobs"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInspectFindsAnOldSchema(t *testing.T) {
	got, err := inspected(t, `DELETE FROM goose_db_version WHERE version_id > 1`)
	if err != nil || got.Schema != 1 || got.Newest < 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInspectFindsDamage(t *testing.T) {
	// The index says otherwise than its table.
	got, err := inspected(t, `PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, '(repo_id, sha)', '(sha, repo_id)') WHERE name = 'builds_commit'`)
	if err != nil || len(got.Damage) == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInspectOfWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	if _, err := store.Inspect(t.Context(), filepath.Join(dir, "none.db"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
	path := filepath.Join(dir, "text.db")
	if err := os.WriteFile(path, []byte("this is no database, but long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Inspect(t.Context(), path, 1); err == nil {
		t.Errorf("of a text: %+v", got)
	}
}

// A server goes on writing while its database is inspected.
func TestInspectBesideAServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := storetest.OpenAt(t, path, nil)
	add := func(id int64, name string) {
		t.Helper()
		if _, err := s.UpsertRepo(t.Context(), store.Repo{RemoteID: id, Owner: "acme", Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"a", "b"} {
		add(int64(i+1), name)
		got, err := store.Inspect(t.Context(), path, 9)
		if err != nil || len(got.Damage) > 0 || len(got.Repos) != i+1 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}
