package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// Migrations run at every start; what is there stays there.
func TestMigrationsRunTwice(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "slipway.db")
	first, err := store.Open(t.Context(), path, store.Options{})
	w.ok(err)
	r, err := first.UpsertRepo(t.Context(), store.Repo{RemoteID: 1, Owner: "acme", Name: "app"})
	w.ok(err)
	b, err := first.CreateBuild(t.Context(), store.Build{RepoID: r.ID, Number: 1, Planned: true, Event: "push", SHA: "a"},
		[]store.NewJob{job("main")})
	w.ok(err)
	w.ok(first.Close())
	for range 2 {
		again, err := store.Open(t.Context(), path, store.Options{})
		w.ok(err)
		got, err := again.BuildByID(t.Context(), b.ID)
		w.ok(err)
		w.want(got, b)
		w.ok(again.Close())
	}
}

func TestOpenOfWhatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.db")
	if err := os.WriteFile(path, []byte("this is no database, but long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), path, store.Options{}); err == nil {
		_ = s.Close()
		t.Error("it was opened")
	}
	if s, err := store.Open(t.Context(), filepath.Join(path, "below"), store.Options{}); err == nil {
		_ = s.Close()
		t.Error("a file was taken for a directory")
	}
}

func TestPingFindsADatabaseThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Ping(t.Context()))
	closed, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "slipway.db"), store.Options{})
	w.ok(err)
	w.ok(closed.Close())
	if err := closed.Ping(t.Context()); err == nil {
		t.Error("a closed database answers")
	}
}

// Break is what other packages' tests of a failing database stand on.
func TestBreak(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := storetest.OpenAt(t, path, nil)
	var wg sync.WaitGroup
	add := func(guid string) error {
		_, err := s.AddDelivery(context.WithoutCancel(t.Context()), store.Delivery{GUID: guid, Event: "push", Body: []byte("{}")})
		return err
	}
	if err := add("before"); err != nil {
		t.Fatal(err)
	}
	mend := storetest.Break(t, path, "INSERT", "deliveries")
	for _, guid := range []string{"a", "b", "c"} {
		wg.Go(func() {
			if err := add(guid); err == nil {
				t.Errorf("delivery %s was stored in a broken table", guid)
			}
		})
	}
	wg.Wait()
	mend()
	mend()
	if err := add("a"); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
}

// What is stored is nobody else's business, also where the directory was there
// before and is open to all.
func TestFilesArePrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := storetest.OpenAt(t, filepath.Join(dir, "copied.db"), nil)
	fresh, err := store.Open(t.Context(), filepath.Join(dir, "slipway.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fresh.Close() }()
	for _, s := range []*store.Store{s, fresh} {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 { // each with its write-ahead log
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

// TestOlderSlipway: a database of a newer version is left as it is.
func TestOlderSlipway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), path, store.Options{})
	if err == nil || !strings.Contains(err.Error(), "newer slipway (its schema is 9999") || !strings.Contains(err.Error(), "restore the backup") {
		t.Errorf("it is opened: %v", err)
	}
}
