package webui_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/store"
)

// seedEverything makes a repository with a build of each kind.
func (s *site) seedEverything() {
	r := s.repo("harbour", "ferry", false)
	s.repo("harbour", "lighthouse-keeper-with-a-rather-long-name", true)
	s.seedPassed(r, 1)
	s.seedFailed(r, 2)
	s.seedProblems(r, 3)
	s.seedApproval(r, 4)
	s.seedRunning(r, 5)
	s.seedHarbour(r, 6)
	s.seedHistory(s.repo("harbour", "buoy", false))
	s.seedDeliveries()
}

// seedHistory makes builds of the last weeks, the newest of which failed.
func (s *site) seedHistory(r store.Repo) {
	s.t.Helper()
	subjects := []string{"Anchor the buoy", "Paint it red", "Ring the bell when it rains", "Count the gulls", "Sleep until the tide turns"}
	authors := []string{"Ada Lovelace", "Grace Hopper", "Karen Spärck Jones"}
	for n := range 36 {
		s.past.Store(int64(time.Duration(36-n) * 17 * time.Hour))
		b := push(r, int64(n+1))
		b.Message, b.Author, b.SHA = subjects[n%len(subjects)], authors[n%len(authors)], fmt.Sprintf("%07x%s", n*7919+1000, sha1[7:])
		switch {
		case n%6 == 4:
			b.Branch, b.Ref = "paint/red", "refs/heads/paint/red"
		case n%9 == 7:
			b.Event, b.Ref = "pull_request", "refs/pull/12/head"
			b.Pull = &store.Pull{Number: 12, Title: "Ring the bell when it rains", HeadBranch: "bell", BaseBranch: "main", HeadRepo: "harbour/buoy"}
		}
		s.create(b, job("test", "build", "test"))
		j := s.claim()
		s.startStep(j, 1, 0)
		status, reason, failed := store.Success, "", 0
		if n%7 == 3 || n > 33 {
			status, reason, failed = store.Failure, "step test failed: exit code 1", 2
		}
		s.past.Add(-int64(time.Duration(90+n%5*25) * time.Second))
		s.finishJob(j, status, reason, failed)
	}
	s.past.Store(0)
	waiting := push(r, 37)
	waiting.Message, waiting.Branch, waiting.Ref = "Try the new bell", "bell", "refs/heads/bell"
	s.create(waiting, job("test", "build"), job("lint", "vet"))
}

// seedDeliveries makes a delivery of each outcome.
func (s *site) seedDeliveries() {
	s.t.Helper()
	ctx := s.t.Context()
	for i, d := range []struct {
		status  store.DeliveryStatus
		outcome string
		build   int64
	}{
		{store.DeliveryDone, "build #2", 2}, {store.DeliveryIgnored, "there is no pipeline file in it", 0},
		{store.DeliveryFailed, "the body is no JSON: unexpected end", 0}, {store.DeliveryPending, "", 0},
	} {
		guid := fmt.Sprintf("7a1f00%d0-9c1e-11ef-8b1a-325096b39f47", i)
		_, err := s.store.AddDelivery(ctx, store.Delivery{GUID: guid, Event: "push", Repo: "harbour/ferry", SHA: sha1,
			Headers: map[string][]string{"X-Github-Event": {"push"}, "Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/044aadd"}},
			Body:    []byte(`{"ref":"refs/heads/main","after":"` + sha1 + `","repository":{"full_name":"harbour/ferry"},"head_commit":{"message":"<b>Let the ferry wait</b>"}}`)})
		must(s.t, err)
		if d.status != store.DeliveryPending {
			must(s.t, s.store.FinishDelivery(ctx, guid, d.status, d.outcome, d.build))
		}
	}
}

func (s *site) seedPassed(r store.Repo, number int64) {
	s.t.Helper()
	test := job("test", "build", "deploy")
	skipStep(&test, "branch is main, wanted release/*",
		pipeline.Condition{Key: "event", Want: []string{"push", "tag"}, Got: "push", Result: true},
		pipeline.Condition{Key: "branch", Want: []string{"release/*"}, Got: "main"},
		pipeline.Condition{Key: "path", Want: []string{"deploy/**", "not **.md"}, Got: "cmd/ferry/main.go, go.mod, go.sum and 12 more"})
	s.create(push(r, number), test)
	j := s.claim()
	s.startStep(j, 1, 65*time.Second)
	w := s.writer(j, 1)
	must(s.t, w.Append(notice("pulling golang:1.26"), command("go build ./... # "+strings.Repeat("all of it, ", 200), -1), output("ok")))
	must(s.t, w.Close())
	s.finishStep(j, 1, store.Success, 0)
	s.finishStep(j, 2, store.Skipped, 0)
	s.finishJob(j, store.Success, "", 0)
}

func (s *site) seedFailed(r store.Repo, number int64) {
	s.t.Helper()
	b := push(r, number)
	b.Message = "Let the ferry wait for late passengers\n\nThe timetable says 12:05, the tide says 12:09.\nWe follow the tide."
	b.Parent = 1
	lint := job("lint", "vet", "staticcheck")
	test := job("test", "postgres", "build", "test", "upload-coverage")
	test.Steps[0].Kind, test.Steps[0].Image = string(pipeline.KindService), "postgres:16"
	docs := job("docs", "publish")
	skipJob(&docs, "branch is main, wanted release/*",
		pipeline.Condition{Key: "event", Want: []string{"push"}, Got: "push", Result: true, Entry: 1},
		pipeline.Condition{Key: "branch", Want: []string{"release/*", "hotfix/**"}, Got: "main", Entry: 1},
		pipeline.Condition{Key: "event", Want: []string{"tag"}, Got: "push", Entry: 2})
	s.create(b, lint, test, docs)
	lj, tj := s.claim(), s.claim()
	for i := range 2 {
		s.startStep(lj, i+1, 20*time.Second)
		s.finishStep(lj, i+1, store.Success, 0)
	}
	s.finishJob(lj, store.Success, "", 0)
	s.startStep(tj, 1, 90*time.Second)
	s.startStep(tj, 2, 80*time.Second)
	s.finishStep(tj, 2, store.Success, 0)
	s.startStep(tj, 3, 42*time.Second)
	w := s.writer(tj, 3)
	at := time.Now().Add(-42 * time.Second)
	lines := []string{
		"\x1b[32mok\x1b[0m  \tharbour.example/ferry/tide\t0.412s",
		"\x1b[32mok\x1b[0m  \tharbour.example/ferry/rope\t1.027s",
		"=== RUN   TestFerryWaits",
		"    ferry_test.go:41: departed at \x1b[1;31m12:05\x1b[0m, want \x1b[1;32m12:09\x1b[0m",
		"\x1b[31m--- FAIL: TestFerryWaits (0.02s)\x1b[0m",
		"\x1b[41;37m FAIL \x1b[0m \x1b[38;5;208mharbour.example/ferry\x1b[0m \x1b[38;2;120;120;255m0.031s\x1b[0m",
		"see \x1b]8;;https://harbour.example/tides\x07the tide table\x1b]8;;\x07 and a very long line: " + strings.Repeat("knot ", 60),
	}
	vet, test1 := command("go vet ./...", -1), command("go test \\", 0)
	vet.Time, test1.Time = at, at.Add(9*time.Second)
	more := output("  -race ./...")
	more.Kind, more.Time = 2, test1.Time
	must(s.t, w.Append(notice("image golang:1.26 is present"), vet, test1, more))
	for i, l := range lines {
		row := output(l)
		row.Time = test1.Time.Add(time.Duration(i) * time.Second)
		must(s.t, w.Append(row))
	}
	must(s.t, w.Append(notice("the step ended with exit code 1")))
	must(s.t, w.Close())
	st := store.Step{JobID: tj.ID, Number: 3, Status: store.Failure, Exited: true, ExitCode: 1, Reason: "exit code 1", FinishedAt: time.Now()}
	must(s.t, s.store.FinishStep(s.t.Context(), st))
	s.finishJob(tj, store.Failure, "step test failed: exit code 1", 3)
	s.digest(threeCommits)
	s.refuse(r)
}

// refuse leaves a status that GitHub took and one that it refused.
func (s *site) refuse(r store.Repo) {
	ctx := s.t.Context()
	c := store.Commit{RepoID: r.ID, SHA: sha1}
	must(s.t, s.store.SetStatuses(ctx, c, []store.WantedStatus{
		{Context: "slipway", State: "failure", Description: "step test failed: exit code 1"},
		{Context: "slipway/test", State: "failure", Description: "step test failed: exit code 1"},
	}))
	sts, err := s.store.CommitStatuses(ctx, r.ID, sha1)
	must(s.t, err)
	must(s.t, s.store.StatusSent(ctx, sts[0]))
	must(s.t, s.store.StatusFailed(ctx, sts[1], time.Now().Add(time.Hour), 422, "This SHA and context has reached the maximum number of statuses."))
}

func (s *site) seedProblems(r store.Repo, number int64) {
	s.t.Helper()
	b := push(r, number)
	b.Message, b.Status, b.Reason = "Write the pipeline by heart", store.Error, "2 problems in .slipway.yml"
	var err error
	b.Problems, err = json.Marshal(pipeline.Problems{
		{File: ".slipway.yml", Line: 4, Column: 5, Message: `unknown key "comands"`, Fix: `did you mean "commands"?`, Text: "    comands:"},
		{File: ".slipway.yml", Line: 9, Column: 12, Message: "step deploy depends on tset, which does not exist",
			Fix: "name one of: build, test", Text: "    depends_on: [tset] # " + strings.Repeat("and a long comment ", 9)},
		{File: ".slipway.yml", Line: 2, Column: 3, Message: "the tag latest moves", Fix: "name a version", Text: "  - image: golang:latest", Warning: true},
	})
	must(s.t, err)
	b.Texts = []store.PipelineFile{{Path: ".slipway.yml", Text: []byte(brokenFile)}}
	s.create(b)
}

const brokenFile = `steps:
  - image: golang:latest
    name: test
    comands:
      - go test ./...
      - go vet ./...
  - name: deploy
    image: alpine:3.23
    depends_on: [tset] # and a long comment and a long comment and a long comment and a long comment
    commands: [make deploy]
`

func (s *site) seedApproval(r store.Repo, number int64) {
	s.t.Helper()
	b := push(r, number)
	b.Event, b.Ref, b.SHA, b.Message = "pull_request", "refs/pull/7/head", "b"+sha1[1:], "Mine bitcoin between the tides"
	b.Author, b.NeedsApproval, b.Reason = "mallory", true, "waits for approval: pull request from a fork"
	b.Pull = &store.Pull{Number: 7, Title: b.Message, HeadBranch: "tides", BaseBranch: "main", HeadRepo: "mallory/ferry", Fork: true}
	s.create(b, job("test", "build", "test"))
}

func (s *site) seedRunning(r store.Repo, number int64) {
	s.t.Helper()
	b := push(r, number)
	b.Branch, b.Message = "feature/double-ended-hull", "Build the hull from both ends at once, so that nobody has to turn around"
	s.create(b, job("test", "build", "test", "deploy"))
	j := s.claim()
	s.startStep(j, 1, 33*time.Second)
	s.finishStep(j, 1, store.Success, 0)
	s.startStep(j, 2, 12*time.Second)
	w := s.writer(j, 2)
	s.t.Cleanup(func() { must(s.t, w.Close()) })
	must(s.t, w.Append(notice("pulling node:24: done"), command("npm ci", -1), output("added 311 packages in 4s"), command("npm test", 0)))
	for i := range 12 {
		must(s.t, w.Append(output(fmt.Sprintf(" \x1b[32m✓\x1b[39m hull/plank-%02d.test.js \x1b[2m(%d tests)\x1b[22m", i, i+3))))
	}
	must(s.t, w.Append(unfinished("\r [==>   ] 40%\r [====> ] 66%")))
}
