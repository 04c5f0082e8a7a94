package server_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// On a disk that is full a webhook is refused, so that GitHub keeps it for
// later; what was accepted before is there, and the database is whole.
func TestWebhooksOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("slipway-test", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Fatalf("mount a small disk (as root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "slipway.db")
	ledger := storetest.OpenAt(t, path, nil)
	w := newWorld(t, func(o *server.Options) { o.Store = ledger })
	foreign := filepath.Join(dir, "foreign")
	w.ok(os.WriteFile(foreign, make([]byte, 3<<20), 0o600))

	body := `{"repository":{"full_name":"acme/app"},"padding":"` + strings.Repeat("x", 100<<10) + `"}`
	send := func(n int) answer {
		return w.do(http.MethodPost, "/webhook", body, hook(fmt.Sprint(n), "ping", body)...)
	}
	accepted := 0
	a := send(accepted)
	for a.status == http.StatusAccepted {
		accepted++
		a = send(accepted)
	}
	w.wantError(a, 503, "service_unavailable", "the delivery cannot be stored now; send it again")
	for n := range accepted {
		if _, err := ledger.DeliveryByGUID(w.ctx, fmt.Sprint(n)); err != nil {
			t.Errorf("delivery %d was accepted: %v", n, err)
		}
	}
	w.ok(os.Remove(foreign))
	w.want(send(accepted).status, http.StatusAccepted)
	found, err := store.Inspect(w.ctx, path, 0)
	if err != nil || len(found.Damage)+len(found.Dangling) > 0 {
		t.Errorf("the database: %+v, %v", found, err)
	}
}
