package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	in := strings.Join([]string{
		"goos: linux",
		"goarch: amd64",
		"pkg: github.com/slipway-ci/slipway/server",
		"cpu: Some CPU",
		"BenchmarkWebhook/connections=16-2 \t 1\t 8.858 ack-p50-ms\t 1223 acks/s",
		"PASS",
		"ok  \tgithub.com/slipway-ci/slipway/server\t29.155s",
		"pkg: github.com/slipway-ci/slipway/store",
		"cpu: Some CPU",
		"BenchmarkClaim-2 \t 100\t 250 ns/op",
		"--- FAIL: BenchmarkAdd",
		"    store_test.go:54: disk: full",
		"FAIL",
	}, "\n")
	want := `2 cores, Some CPU

server
  Webhook/connections=16                      8.858 ack-p50-ms
                                               1223 acks/s

store
  Claim                                         250 ns/op
--- FAIL: BenchmarkAdd
    store_test.go:54: disk: full
FAIL
`
	var out strings.Builder
	if err := (&table{out: &out, cores: 2}).read(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestWriteGoals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n"+tableBegin+"old\n"+tableEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := "cpu: Some CPU\nBenchmarkPush-2 1 300 docker-run-ms 0.7512 verdict/docker-run\nBenchmarkMemory-2 1 35.1 idle-MB\n" +
		"BenchmarkWebhookPaced-2 1 9.5 ack-p99-ms 12.25 fsync-p99-ms\n"
	table := &table{out: io.Discard, cores: 2}
	if err := table.read(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := table.write(file); err != nil {
			t.Fatal(err)
		}
	}
	want := "before\n" + tableBegin + `Measured on 2 cores (Some CPU); figures beside ` + "`docker run`" + ` are ratios of the
same run, medians of seven rounds. One ` + "`docker run --rm` of `true`" + ` took 300 ms.

| | measured | goal |
|---|---|---|
| push → final status of a build of one step | 0.75 × ` + "`docker run`" + ` | ≤ 1.0 |
| the server's memory (RSS), idle | 35 MB | ≤ 40 |
| 99 of 100 webhooks, at 200/s, are acknowledged within | 9.50 ms (an append with fsync at that rate: 12 ms) | < 10 |
` + tableEnd + "after\n"
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s\n%v", got, want, err)
	}
	if err := os.WriteFile(file, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := table.write(file); err == nil {
		t.Error("a file without marks is no error")
	}
}
