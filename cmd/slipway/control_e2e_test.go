package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// waitBuild waits for a build to have that status.
func (w *world) waitBuild(r *githubtest.Repo, number int64, want store.Status) {
	w.Helper()
	sub := w.app.store.Subscribe()
	defer sub.Close()
	repo, err := w.app.store.Repo(w.ctx, r.Owner(), r.Name())
	if err != nil {
		w.Fatal(err)
	}
	for {
		b, err := w.app.store.Build(w.ctx, repo.ID, number)
		switch {
		case err != nil:
			w.Fatal(err)
		case b.Status == want:
			return
		case b.Status.Final():
			w.Fatalf("build %d is %s: %s; want %s", number, b.Status, b.Reason, want)
		}
		if _, err := sub.Next(w.ctx); err != nil {
			w.Fatalf("wait for build %d to be %s: %v", number, want, err)
		}
	}
}

// follow reads the live log of a step and returns when the line has come. The
// rest is read by the returned function, which ends with the log.
func (w *world) follow(r *githubtest.Repo, number int64, job, step int, line string) (rest func() string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet,
		w.url(fmt.Sprintf("/api/repos/%s/builds/%d/jobs/%d/steps/%d/log?follow=1", r.FullName(), number, job, step)), nil)
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testAdmin)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = resp.Body.Close() })
	sc := bufio.NewScanner(resp.Body)
	for sc.Scan() {
		if sc.Text() == line {
			return func() string {
				var b strings.Builder
				for sc.Scan() {
					b.WriteString(sc.Text() + "\n")
				}
				if sc.Err() != nil {
					w.Errorf("follow: %v", sc.Err())
				}
				return b.String()
			}
		}
	}
	w.Fatalf("the log ended without the line %q (%v)", line, sc.Err())
	return nil
}

const longStep = `
steps:
  - name: long
    image: IMAGE
    commands:
      - echo begun
      - sleep 600
  - {name: never, image: IMAGE, commands: echo never}
`

func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(longStep))
	w.waitStatus(r, sha, "running")
	rest := w.follow(r, 1, 1, 1, "begun")
	if status, body := w.request(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", ""); status != http.StatusOK {
		t.Fatalf("cancel: %d %s", status, body)
	}
	w.wantVerdict(r, sha, "error: canceled by admin")
	rest()
	if got := w.build(r, 1).steps(); got != "long=canceled never=canceled" {
		t.Errorf("steps: %s", got)
	}
	if status, body := w.request(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", ""); status != http.StatusConflict {
		t.Errorf("cancel of an ended build: %d %s", status, body)
	}
}

func TestSecondCancelKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *config) { c.Grace = patience }) // the test ends before this does
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: stubborn
    image: IMAGE
    commands:
      - trap 'echo not yet' TERM
      - echo begun
      - while true; do sleep 1; done
`))
	w.waitStatus(r, sha, "running")
	rest := w.follow(r, 1, 1, 1, "begun")
	for range 2 {
		if status, body := w.request(http.MethodPost, "/api/repos/acme/app/builds/1/cancel", ""); status != http.StatusOK {
			t.Fatalf("cancel: %d %s", status, body)
		}
	}
	w.wantVerdict(r, sha, "error: canceled by admin")
	rest()
}

func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	// Fails in the first build only: the number tells them apart.
	sha := w.push(r, w.files("steps:\n  - {name: test, image: IMAGE, commands: ['test \"$CI_PIPELINE_NUMBER\" != 1']}\n"))
	failed := w.wantVerdict(r, sha, "failure: step test failed: exit code 1")
	status, body := w.request(http.MethodPost, "/api/repos/acme/app/builds/1/restart", "")
	if status != http.StatusCreated || !strings.Contains(string(body), `"restarts":1`) {
		t.Fatalf("restart: %d %s", status, body)
	}
	// The restart reopens the verdict, and its end is the new one.
	after := func(state string) githubtest.Status {
		t.Helper()
		st, err := r.WaitStatus(w.ctx, sha, "slipway", func(s githubtest.Status) bool { return s.ID > failed.ID && s.State == state })
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if pending, green := after("pending"), after("success"); pending.ID > green.ID {
		t.Errorf("pending came after success")
	}
}

func TestServerRestartInMidBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: long
    image: IMAGE
    commands:
      - echo begun
      - until test -e /tmp/go || test "$i" = 100; do i=$((i+1)); echo tick $i; usleep 100000; done
      - echo finished
  - {name: after, image: IMAGE, commands: echo after}
`))
	w.waitStatus(r, sha, "running")
	w.follow(r, 1, 1, 1, "tick 5")
	w.stop()
	w.start()
	w.wantVerdict(r, sha, "success: passed in …")
	log := w.log(r, 1, 1, 1)
	for i := 1; i <= 100; i++ {
		if n := strings.Count(log, fmt.Sprintf("tick %d\n", i)); n != 1 {
			t.Fatalf("line \"tick %d\" stands %d times in the log of a step that ran across a restart", i, n)
		}
	}
	if got := w.build(r, 1).steps(); got != "long=success after=success" {
		t.Errorf("steps: %s", got)
	}
}

func TestImageThatRunsAsAUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.image = runnertest.UserImage(t)
	r := w.repo("app")
	sha := w.push(r, w.files(`
steps:
  - name: write
    image: IMAGE
    commands:
      - test "$(id -u)" = 1000
      - echo more >> file.txt
      - mkdir dir/sub && touch dir/sub/new
      - ./run.sh
`, "file.txt", "text\n", "dir/a", "a", "run.sh", "#!/bin/sh\necho ran as $(id -u)\n"))
	w.wantVerdict(r, sha, "success: passed in …")
	w.wantLines(w.log(r, 1, 1, 1), "ran as 1000")
}
