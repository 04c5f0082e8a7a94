package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

func TestTwoPushesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.repo("a"), w.repo("b")
	var wg sync.WaitGroup
	for _, r := range []*githubtest.Repo{a, b} {
		wg.Go(func() { w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …") })
	}
	wg.Wait()
}

// payload returns the webhook that announced a push.
func (w *world) payload(sha string) githubtest.Delivery {
	w.Helper()
	if err := w.github.Settle(w.ctx); err != nil {
		w.Fatal(err)
	}
	for _, d := range w.github.Deliveries() {
		if d.Event == "push" && bytes.Contains(d.Payload, []byte(sha)) {
			return d
		}
	}
	w.Fatalf("no webhook announced %s", sha)
	return githubtest.Delivery{}
}

func TestDuplicateDeliveriesMakeOneBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(oneStep))
	d := w.payload(sha)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			again, err := w.github.Redeliver(w.ctx, d.GUID)
			if err != nil || again[0].Status != http.StatusAccepted {
				t.Errorf("redelivery: %v %v", again, err)
			}
		})
	}
	wg.Wait()
	w.wantVerdict(r, sha, "success: passed in …")
	if status, _ := w.request(http.MethodGet, "/api/repos/acme/app/builds/2", ""); status != http.StatusNotFound {
		t.Errorf("a second build was made of one delivery")
	}
}

func TestStatusOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.github.FailNext(githubtest.ScopeStatuses, 10, http.StatusBadGateway, nil)
	sha := w.push(r, w.files(oneStep))
	w.wantVerdict(r, sha, "success: passed in …")
	if n := w.github.FaultsLeft(); n != 0 {
		t.Errorf("%d of ten failures did not happen", n)
	}
	// States come in order, and a stale pending is never sent after the verdict.
	all := r.Statuses(sha)
	if last := all[len(all)-1]; last.State != "success" {
		t.Errorf("the last status is %s", last.State)
	}
}

func TestRefusedStatusIsKeptAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.github.FailNext(githubtest.ScopeStatuses, 1000, http.StatusUnprocessableEntity, nil)
	first := w.push(r, w.files(oneStep))
	refused := w.waitRefused(first, "success")
	if refused.Refused != http.StatusUnprocessableEntity || refused.Error == "" {
		t.Errorf("refused: %+v", refused)
	}
	if _, page := w.request(http.MethodGet, "/repos/acme/app/builds/1", ""); !bytes.Contains(page, []byte("refused")) {
		t.Errorf("the build page does not say that GitHub refused the status")
	}
	w.github.ClearFaults()
	second := w.push(r, map[string]string{"a": "1"})
	w.wantVerdict(r, second, "success: passed in …")
	if got := r.Statuses(first); len(got) != 0 {
		t.Errorf("a refused status was sent again at once: %v", got)
	}
	if err := w.app.store.RetryStatuses(w.ctx, refused.RepoID, first); err != nil {
		t.Fatal(err)
	}
	w.wantVerdict(r, first, "success: passed in …")
}

// waitRefused waits until GitHub has refused that state of a commit.
func (w *world) waitRefused(sha, state string) store.CommitStatus {
	w.Helper()
	sub := w.app.store.Subscribe()
	defer sub.Close()
	for {
		unsent, err := w.app.store.UnsentStatuses(w.ctx, 100)
		if err != nil {
			w.Fatal(err)
		}
		for _, st := range unsent {
			if st.SHA == sha && st.State == state && st.Refused != 0 {
				return st
			}
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("wait for a refusal: %v", err)
		}
	}
}

// TestManyPushes sends 500 pushes of one repository from 16 connections. None
// is refused, each ends in a final status, and a push to another repository is
// not held up by them.
func TestManyPushes(t *testing.T) {
	const pushes, connections = 500, 16
	w := newWorld(t)
	busy, other := w.repo("busy"), w.repo("other")
	// What is measured is the flood and not the containers: nothing runs.
	base := w.push(busy, w.files("steps:\n  - {name: x, image: IMAGE, commands: ['true'], when: {event: tag}}\n"))
	w.wantVerdict(busy, base, "success: skipped: no workflow matches")
	template := w.payload(base)
	changes := make([]githubtest.Change, pushes)
	for i := range changes {
		changes[i].Files = map[string]string{"n": fmt.Sprint(i)}
	}
	shas, err := busy.CommitAll(w.ctx, changes)
	if err != nil {
		t.Fatal(err)
	}
	files := openFiles(t)

	work := make(chan string)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for sha := range work {
				payload := bytes.ReplaceAll(template.Payload, []byte(base), []byte(sha))
				sent, err := w.github.Deliver(w.ctx, "push", payload, "")
				if err != nil || sent[0].Status != http.StatusAccepted {
					t.Errorf("push refused: %+v %v", sent, err)
				}
			}
		})
	}
	for i, sha := range shas {
		if i == pushes/2 {
			wg.Go(func() {
				w.wantVerdict(other, w.push(other, w.files(oneStep)), "success: passed in …")
				if n := w.pendingDeliveries(); n == 0 {
					t.Log("the flood was over before the other repository's verdict")
				}
			})
		}
		work <- sha
	}
	close(work)
	wg.Wait()
	for _, sha := range shas {
		w.wantVerdict(busy, sha, "success: skipped: no workflow matches")
	}
	// Idle connections close in their own time; a leak would be one for each push.
	if after := openFiles(t); after > files+2*connections+20 {
		t.Errorf("%d descriptors before the flood, %d after", files, after)
	}
}

func (w *world) pendingDeliveries() (n int) {
	w.Helper()
	all, err := w.app.store.Deliveries(w.ctx, store.DeliveryFilter{Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range all {
		if d.Status == store.DeliveryPending {
			n++
		}
	}
	return n
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestEventsOfABuildResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	w.wantVerdict(r, w.push(r, w.files(oneStep)), "success: passed in …")
	const path = "/api/repos/acme/app/builds/1/events"
	status, body := w.request(http.MethodGet, path, "") // ends, as the build has
	var id int64
	var b build
	lines := strings.Split(string(body), "\n")
	if _, err := fmt.Sscanf(lines[1], "id: %d", &id); err != nil || status != http.StatusOK || lines[0] != "event: build" {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(lines[2], "data: ")), &b); err != nil || b.Status != "success" {
		t.Errorf("event: %s (%v)", body, err)
	}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", fmt.Sprint(id))
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("a reader who has seen the end gets %s", resp.Status)
	}
}
