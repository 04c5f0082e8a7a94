package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/slipway-ci/slipway/server/github/githubtest"
)

// soakPipeline counts how often its steps begin, in the volume of the job, and
// marks what each beginning writes.
const soakPipeline = `
steps:
  - name: long
    image: IMAGE
    commands:
      - |
        id=$(cat /proc/sys/kernel/random/uuid); echo long >> begun
        for i in $(seq 30); do echo "$id line $i"; usleep 100000; done
        head -c 100000 /dev/zero | tr '\0' x; echo; printf 'caf\351 end'
  - name: after
    image: IMAGE
    commands: [echo after >> begun, sort begun | uniq -c | tr -s " "]
`

// soakLines are what the long step writes.
const soakLines = 30

// push pushes commits while few builds are under way, and has each one's log read.
func (s *soak) push() {
	room := make(chan struct{}, 3)
	for number := 1; !s.ended(); number++ {
		select {
		case room <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		sha, err := s.repo.Push(s.ctx, githubtest.Change{Files: s.files(soakPipeline, "number", fmt.Sprint(number))})
		if err != nil {
			s.Errorf("push: %v", err)
			return
		}
		s.mu.Lock()
		s.commits = append(s.commits, sha)
		s.mu.Unlock()
		s.insist(sha)
		s.load.Go(func() {
			defer func() { <-room }()
			s.read(number)
		})
	}
}

// insist announces a commit until the server has accepted that.
func (s *soak) insist(sha string) {
	if err := s.github.Settle(s.ctx); err != nil {
		s.Errorf("wait for webhooks: %v", err)
		return
	}
	var guid string
	for _, d := range s.github.Deliveries() {
		var p struct{ After string }
		if d.Event == "push" && json.Unmarshal(d.Payload, &p) == nil && p.After == sha {
			guid = d.GUID
			if d.Status == http.StatusAccepted {
				s.note(guid)
				return
			}
		}
	}
	for again := false; s.ctx.Err() == nil; again = true {
		sent, err := s.github.Redeliver(s.ctx, guid)
		if err != nil {
			s.Errorf("announce %s again: %v", sha, err)
			return
		}
		if !again {
			s.mu.Lock()
			s.redelivered++
			s.mu.Unlock()
		}
		if sent[0].Status == http.StatusAccepted {
			s.note(guid)
			return
		}
		s.pause()
	}
}

// announce sends webhooks that make no build, one after the other.
func (s *soak) announce() {
	for !s.ended() {
		sent, err := s.github.Deliver(s.ctx, "star", []byte(`{"action":"created"}`), "")
		if err != nil {
			s.Errorf("send a webhook: %v", err)
			return
		}
		if sent[0].Status == http.StatusAccepted {
			s.note(sent[0].GUID)
		}
		s.pause()
	}
}

// note keeps the GUID of a webhook that was accepted.
func (s *soak) note(guid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = append(s.accepted, guid)
}

// read follows the log of a build's first step to its end, from where it was cut
// off whenever it was, and compares what it saw with what the log is then.
func (s *soak) read(number int) {
	path := fmt.Sprintf("/api/repos/acme/app/builds/%d/jobs/1/steps/1/log", number)
	var seen []string
	for ended := false; !ended && s.ctx.Err() == nil; {
		more, err := s.lineByLine(fmt.Sprintf("%s?follow=1&from=%d", path, len(seen)+1))
		seen, ended = append(seen, more...), err == nil
		if !ended {
			s.pause()
		}
	}
	for s.ctx.Err() == nil {
		if all, err := s.lineByLine(path); err == nil {
			if a, b := strings.Join(seen, "\n"), strings.Join(all, "\n"); a != b {
				s.Errorf("build %d: a reader saw\n%s\nand the log is\n%s", number, shorten(a), shorten(b))
			}
			return
		}
		s.pause()
	}
	s.Errorf("build %d: its log was not read to the end: %d lines", number, len(seen))
}

// lineByLine reads whole lines. The error is that there may be more.
func (s *soak) lineByLine(path string) (lines []string, err error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.url(path), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer %s", resp.Status)
	}
	for r := bufio.NewReader(resp.Body); err == nil; {
		var line string
		if line, err = r.ReadString('\n'); err == nil {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	s.lines += len(lines)
	if err == io.EOF {
		return lines, nil
	}
	return lines, err
}

var (
	soakLine = regexp.MustCompile(`^([0-9a-f-]{36}) line (\d+)$`)
	longLine = regexp.MustCompile(`x{1000,}`)
)

// shorten makes a log fit for a message.
func shorten(log string) string {
	return longLine.ReplaceAllStringFunc(log, func(x string) string { return fmt.Sprintf("(x %d times)", len(x)) })
}

// checkBuilds checks how each build ended and what its steps wrote.
func (s *soak) checkBuilds() {
	for i, sha := range s.commits {
		number := int64(i + 1)
		s.wantVerdict(s.repo, sha, "success: passed in …")
		for _, st := range s.repo.Statuses(sha) {
			if st.State != "pending" && st.State != "success" {
				s.Errorf("build %d: a status says %s: %s", number, st.State, st.Description)
			}
		}
		if b := s.build(s.repo, number); b.Commit != sha || b.steps() != "long=success after=success" {
			s.Errorf("build %d of %.7s: commit %.7s, steps %s", number, sha, b.Commit, b.steps())
		}
		s.checkOutput(number, s.log(s.repo, number, 1, 1))
		s.wantLines(s.log(s.repo, number, 1, 2), " 1 after", " 1 long")
	}
}

// checkOutput checks that the long step wrote everything once, and once only.
func (s *soak) checkOutput(number int64, log string) {
	var got []string
	ids := map[string]bool{}
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if m := soakLine.FindStringSubmatch(line); m != nil {
			ids[m[1]] = true
			got = append(got, m[2])
		} else if line == "caf\uFFFD end" || line == strings.Repeat("x", 100_000) {
			got = append(got, line[:3])
		}
	}
	var want bytes.Buffer
	for i := range soakLines {
		fmt.Fprint(&want, i+1, " ")
	}
	want.WriteString("xxx caf")
	if strings.Join(got, " ") != want.String() || len(ids) != 1 {
		s.Errorf("build %d: %d beginnings wrote\n%s", number, len(ids), shorten(log))
	}
}
