package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// innocent forks, writes and holds memory until it is told to end.
const innocent = `
steps:
  - name: test
    image: IMAGE
    commands:
      - until test -e /tmp/end; do head -c 1000000 /dev/zero | md5sum > sum; usleep 50000; done
      - test "$(cut -c1-6 sum)" = 879f4b
`

// runInnocent returns when the innocent build runs.
func (w *world) runInnocent() (r *githubtest.Repo, sha string) {
	w.Helper()
	r = w.repo("innocent")
	sha = w.push(r, w.files(innocent))
	w.waitStatus(r, sha, "running")
	return r, sha
}

// endInnocent lets the innocent build end, which must have gone on all the time.
func (w *world) endInnocent(r *githubtest.Repo, sha string) {
	w.Helper()
	w.touch(r, 1, "/tmp/end")
	w.wantVerdict(r, sha, "success: passed in …")
}

// TestNeighbours: whatever a build does to the machine is its own failure, which
// says what it did, and nobody else's.
func TestNeighbours(t *testing.T) {
	w := newWorld(t, func(c *config) {
		c.MaxJobs, c.StepPIDs, c.StepOutput, c.Grace = 5, 100, 4<<20, 3*time.Second
	})
	nice, niceSHA := w.runInnocent()
	type build struct{ name, step, reason string }
	hostile := []build{
		// The shell that forks dies of it, and leaves what it has started.
		{"bomb", `commands: "(while true; do sleep 600 & done) || exec sleep 600", timeout: 8s`, "timed out after 8s; pids limit 100 reached"},
		// The engine may hear of it a little after the kill, and not at all once the container is gone.
		{"hog", `commands: "sh -c 'x=0123456789; while true; do x=$x$x; done' || { code=$?; sleep 1; exit $code; }", resources: {memory: 32MiB}`, "exit code 137 (killed); out of memory (limit 32 MiB)"},
		{"flood", `commands: "yes"`, "stopped: more than 4.0 MiB of output"},
		// It takes no longer than the bomb, and the shell has seconds to come to its trap.
		{"stubborn", `commands: "trap : TERM; while true; do usleep 10000; done", timeout: 5s`, "timed out after 5s; killed after the grace period of 3s"},
	}
	repos, shas := make([]*githubtest.Repo, len(hostile)), make([]string, len(hostile))
	for i, b := range hostile {
		repos[i] = w.repo(b.name)
		shas[i] = w.push(repos[i], w.files("steps: [{name: test, image: IMAGE, "+b.step+"}]\n"))
	}
	for i, b := range hostile {
		w.wantVerdict(repos[i], shas[i], "failure: step test failed: "+b.reason)
		w.wantLines(w.log(repos[i], 1, 1, 1), b.reason)
	}
	w.endInnocent(nice, niceSHA)
	if s := w.build(nice, 1).Jobs[0].Steps[0]; s.CPU <= 0 || s.Memory <= 0 || s.Memory > 512<<20 {
		t.Errorf("the API says that the innocent step used %v s of CPU and %d bytes", s.CPU, s.Memory)
	}
}

// TestNeighbourThatFillsTheDisk has the engine on a disk of its own.
func TestNeighbourThatFillsTheDisk(t *testing.T) {
	d := runnertest.NewDaemon(t, "--data-root="+smallDisk(t, 512<<20))
	image := d.Image()
	w := newWorld(t, func(c *config) {
		c.DockerHost, c.DiskFloor, c.StepMemory = d.Client().DaemonHost(), 200<<20, 2<<30
	})
	w.image = image
	nice, niceSHA := w.runInnocent()
	r := w.repo("filler")
	sha := w.push(r, w.files(`steps: [{name: test, image: IMAGE, commands: "dd if=/dev/zero of=big bs=1M count=430; exec sleep 600"}]`))
	// More than 400 MiB: it need not have written all when less than 100 are left.
	w.wantVerdict(r, sha, "failure: step test failed: the disk is nearly full, and this job takes the most of it: 4…")
	w.endInnocent(nice, niceSHA)
	// With the job what it wrote has gone, and there is room again.
	w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …")
}

// TestFullDataDirectory: what cannot be stored is not acknowledged, and is built
// when GitHub sends it again.
func TestFullDataDirectory(t *testing.T) {
	dir := smallDisk(t, 32<<20)
	w := newWorld(t, func(c *config) { c.Data = dir })
	r := w.repo("app")
	w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …")
	full := filepath.Join(dir, "foreign")
	if err := os.WriteFile(full, make([]byte, 64<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	sha := w.push(r, map[string]string{"more": "1"})
	if err := w.github.Settle(w.ctx); err != nil {
		t.Fatal(err)
	}
	sent := w.github.Deliveries()
	last := sent[len(sent)-1]
	if last.Status != http.StatusServiceUnavailable {
		t.Fatalf("delivery %s on a full disk: %d", last.Event, last.Status)
	}
	if status, body := w.request(http.MethodGet, "/readyz", ""); status != http.StatusServiceUnavailable || !strings.Contains(string(body), `"disk":"failing"`) {
		t.Errorf("readyz on a full disk: %d %s", status, body)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	if _, err := w.github.Redeliver(w.ctx, last.GUID); err != nil {
		t.Fatal(err)
	}
	w.wantVerdict(r, sha, "success: passed in …")
	for _, d := range sent {
		if _, err := w.app.store.DeliveryByGUID(w.ctx, d.GUID); err != nil && d.Status == http.StatusAccepted {
			t.Errorf("delivery %s was accepted: %v", d.GUID, err)
		}
	}
	found, err := store.Inspect(w.ctx, filepath.Join(dir, "slipway.db"), 0)
	if err != nil || len(found.Damage)+len(found.Dangling) > 0 {
		t.Errorf("the database: %+v, %v", found, err)
	}
}
