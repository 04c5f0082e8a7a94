package server_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/store/storetest"
)

const (
	benchSecret = "webhook-secret"
	benchRounds = 5
	benchAcks   = 1000 // in a round
)

// BenchmarkWebhook sends signed pushes of 10 KB and waits for each to be
// acknowledged, beside appending the same bytes to a file with an fsync for
// each: what a durable acknowledgement costs at least, where each has its own.
func BenchmarkWebhook(b *testing.B) {
	body := benchPush()
	for _, connections := range []int{1, 16} {
		b.Run(fmt.Sprint("connections=", connections), func(b *testing.B) {
			url := benchServer(b)
			disk := newAppender(b)
			var acks, appends latencies
			for b.Loop() {
				for range benchRounds {
					appends.add(together(1, benchAcks, func(int) { disk.append(body) }))
					acks.add(together(connections, benchAcks, func(int) { postPush(b, url, body) }))
				}
			}
			b.ReportMetric(0, "ns/op") // of no meaning here
			acks.report(b, "ack")
			appends.report(b, "fsync")
			b.ReportMetric(acks.p50()/appends.p50(), "ack-p50/fsync-p50")
			b.ReportMetric(acks.rate()/appends.rate(), "ack-rate/fsync-rate")
		})
	}
}

// BenchmarkWebhookPaced sends 200 signed pushes a second for five seconds, whether
// or not those before are acknowledged, and then appends as often: some disks
// stall now and then, whoever writes.
func BenchmarkWebhookPaced(b *testing.B) {
	body, url, disk := benchPush(), benchServer(b), newAppender(b)
	var mu sync.Mutex // of the disk: one append after the other, as the database does
	var acks, appends latencies
	for b.Loop() {
		acks.add(paced(func() { postPush(b, url, body) }))
		appends.add(paced(func() {
			mu.Lock()
			defer mu.Unlock()
			disk.append(body)
		}))
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	acks.report(b, "ack")
	appends.report(b, "fsync")
}

// paced calls f 200 times a second, and returns how long each call took and how
// long all did.
func paced(f func()) ([]time.Duration, time.Duration) {
	took := make([]time.Duration, benchAcks)
	var running sync.WaitGroup
	began := time.Now()
	tick := time.NewTicker(time.Second / 200)
	defer tick.Stop()
	for i := range took {
		<-tick.C
		running.Go(func() {
			at := time.Now()
			f()
			took[i] = time.Since(at)
		})
	}
	running.Wait()
	return took, time.Since(began)
}

// benchServer is a server with a database of its own.
func benchServer(b *testing.B) (url string) {
	b.Helper()
	s := server.New(server.Options{
		Store: storetest.Open(b, nil), Logger: slog.New(slog.DiscardHandler), WebhookSecret: benchSecret,
	})
	ts := httptest.NewUnstartedServer(nil)
	ts.Config = s.HTTPServer()
	ts.Start()
	b.Cleanup(ts.Close)
	return ts.URL + "/webhook"
}

// benchPush is the payload of a push of some commits.
func benchPush() []byte {
	commit := `{"id":"0123456789012345678901234567890123456789","message":"` + strings.Repeat("word ", 180) + `"}`
	return []byte(`{"ref":"refs/heads/main","repository":{"full_name":"acme/bench"},"commits":[` +
		strings.Repeat(commit+",", 9) + commit + `]}`)
}

var benchGUID atomic.Int64

func postPush(b *testing.B, url string, body []byte) {
	mac := hmac.New(sha256.New, []byte(benchSecret))
	mac.Write(body)
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Github-Event", "push")
	req.Header.Set("X-Github-Delivery", fmt.Sprint("delivery-", benchGUID.Add(1)))
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := benchClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusAccepted {
		b.Errorf("webhook: %s (%v)", resp.Status, err)
	}
}

var benchClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// An appender appends to a file, durably.
type appender struct {
	b *testing.B
	f *os.File
}

func newAppender(b *testing.B) *appender {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "appended"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	return &appender{b, f}
}

func (a *appender) append(p []byte) {
	if _, err := a.f.Write(p); err != nil {
		a.b.Error(err)
	}
	if err := a.f.Sync(); err != nil {
		a.b.Error(err)
	}
}

// together calls f n times from so many goroutines, and returns how long each
// call took and how long all did.
func together(goroutines, n int, f func(i int)) ([]time.Duration, time.Duration) {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range goroutines {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				at := time.Now()
				f(i)
				took[i] = time.Since(at)
			}
		})
	}
	wg.Wait()
	return took, time.Since(began)
}

// latencies are those of all rounds.
type latencies struct {
	took  []time.Duration
	rates []float64 // of each round, in 1/s
}

func (l *latencies) add(took []time.Duration, all time.Duration) {
	l.took = append(l.took, took...)
	l.rates = append(l.rates, float64(len(took))/all.Seconds())
}

// rate is the median of the rounds'.
func (l *latencies) rate() float64 {
	slices.Sort(l.rates)
	return l.rates[len(l.rates)/2]
}

func (l *latencies) p50() float64 { return l.quantile(50) }

// quantile is so many percent of the way from the least to the most, in ms.
func (l *latencies) quantile(percent int) float64 {
	slices.Sort(l.took)
	return l.took[len(l.took)*percent/100].Seconds() * 1000
}

func (l *latencies) report(b *testing.B, name string) {
	b.ReportMetric(l.p50(), name+"-p50-ms")
	b.ReportMetric(l.quantile(99), name+"-p99-ms")
	b.ReportMetric(l.rate(), name+"s/s")
}
