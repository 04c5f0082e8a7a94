package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// benchRounds are enough for a median. A round does everything that is
// compared, one after the other, so that what else the machine does meanwhile
// is the same for all.
const benchRounds = 7

// BenchmarkPush takes pushes of one `true` step to their first output and their
// verdict, beside `docker run` of the same. The clock starts when the webhook
// leaves the stand-in GitHub and ends when that has the status, or when a reader
// of the log has the line.
func BenchmarkPush(b *testing.B) {
	w := benchWorld(b, 2)
	r := w.repo("bench")
	files := w.files("steps:\n  - name: one\n    image: IMAGE\n    commands:\n      - \"true\"\n")
	w.measure(b, "docker-run", func() samples {
		unit := w.dockerRun(1)
		p := w.pushAndWatch(r, files)
		return samples{"docker-run": unit, "first-output": p.firstOutput, "verdict": p.verdict}
	})
}

// samples are the times of one round, by name.
type samples map[string]time.Duration

// measure reports the median of each sample in ms, and as a multiple of unit.
func (w *world) measure(b *testing.B, unit string, round func() samples) {
	b.Helper()
	all := map[string][]time.Duration{}
	round() // everything is warm after it: the mirror, the image, the engine's caches
	for b.Loop() {
		for range benchRounds {
			for name, took := range round() {
				all[name] = append(all[name], took)
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	for name, took := range all {
		b.ReportMetric(median(took).Seconds()*1000, name+"-ms")
		if name != unit {
			b.ReportMetric(median(took).Seconds()/median(all[unit]).Seconds(), name+"/"+unit)
		}
	}
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// benchWorld is a world whose server says little, and that a busy machine may
// take longer over than over a test.
func benchWorld(b *testing.B, pool int, options ...func(*config)) *world {
	w := newWorld(b, append(options, func(c *config) { c.LogLevel, c.Pool = "warn", pool })...)
	w.ctx = b.Context()
	return w
}

// dockerRun runs the image with `true` that often, one after the other.
func (w *world) dockerRun(times int) time.Duration {
	w.Helper()
	began := time.Now()
	for range times {
		if out, err := exec.CommandContext(w.ctx, "docker", "run", "--rm", w.image, "true").CombinedOutput(); err != nil {
			w.Fatalf("docker run: %v: %s", err, out)
		}
	}
	return time.Since(began)
}

// pushTimes are what a push took from the webhook on.
type pushTimes struct{ firstOutput, verdict time.Duration }

// pushAndWatch pushes the files, with one more that is new, follows the log of
// the first step and waits for success.
func (w *world) pushAndWatch(r *githubtest.Repo, files map[string]string) pushTimes {
	w.Helper()
	files["round"] = time.Now().String()
	sub := w.app.store.Subscribe()
	defer sub.Close()
	return w.watch(r, sub, w.push(r, files))
}

// watch follows the log of the first step of a commit that was pushed, of which
// sub tells, and waits for success.
func (w *world) watch(r *githubtest.Repo, sub *store.Subscription, sha string) pushTimes {
	w.Helper()
	firstOutput := w.firstOutput(r, w.buildOf(sub, sha))
	verdict := w.wantVerdict(r, sha, "success: passed in …")
	sent := w.webhookSent(sha)
	w.waitRemoved() // else what is measured next would pay for it
	return pushTimes{firstOutput.Sub(sent), verdict.CreatedAt.Sub(sent)}
}

// waitRemoved waits until the server's jobs have nothing in the engine, and its
// pool is full again.
func (w *world) waitRemoved() {
	w.Helper()
	engine := docker.New(runnertest.Docker(w), docker.Options{})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := engine.List(w.ctx, map[string]string{runner.LabelServer: w.serverID})
		if err != nil {
			w.Fatal(err)
		}
		left = slices.DeleteFunc(left, func(r runner.Resource) bool { return strings.Contains(r.Name, "-pool-") }) // this engine has no pool
		if len(left) == 0 && w.app.pool.Ready() == w.config.Pool {
			return
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.Fatalf("left behind: %v", left)
		}
	}
}

// buildOf waits for the first build of a commit.
func (w *world) buildOf(sub *store.Subscription, sha string) store.Build {
	w.Helper()
	for {
		events, err := sub.Next(w.ctx)
		if err != nil {
			w.Fatalf("wait for a build of %.7s: %v", sha, err)
		}
		for _, e := range events {
			if e.Kind != store.BuildChanged {
				continue
			}
			b, err := w.app.store.BuildByID(w.ctx, e.BuildID)
			if err != nil {
				w.Fatal(err)
			}
			if b.SHA == sha {
				return b
			}
		}
	}
}

// firstOutput follows the log of a build's first step and returns when the
// first line of it was here.
func (w *world) firstOutput(r *githubtest.Repo, build store.Build) time.Time {
	w.Helper()
	url := w.url(fmt.Sprintf("/api/repos/%s/builds/%d/jobs/1/steps/1/log?follow=1", r.FullName(), build.Number))
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, url, nil)
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body := bufio.NewReader(resp.Body)
	line, err := body.ReadString('\n')
	at := time.Now()
	if err != nil || resp.StatusCode != http.StatusOK {
		w.Fatalf("follow log: %s %q (%v)", resp.Status, line, err)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		w.Fatal(err)
	}
	return at
}

// webhookSent returns when the push event of a commit left the stand-in GitHub.
func (w *world) webhookSent(sha string) time.Time {
	w.Helper()
	if err := w.github.Settle(w.ctx); err != nil {
		w.Fatal(err)
	}
	for _, d := range w.github.Deliveries() {
		var push struct{ After string }
		if d.Event != "push" || json.Unmarshal(d.Payload, &push) != nil || push.After != sha {
			continue
		}
		return d.SentAt
	}
	w.Fatalf("no webhook told of %.7s", sha)
	return time.Time{}
}
