// Package storetest gives tests a real database in a temporary directory.
package storetest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// Open returns an empty store that is closed when the test ends. now is its
// clock; nil means time.Now.
func Open(tb testing.TB, now func() time.Time) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), filepath.Join(tb.TempDir(), "slipway.db"), store.Options{Now: now})
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return s
}
