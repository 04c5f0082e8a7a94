package main

import (
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
	if err := run(strings.NewReader(in), &out, 2); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}
