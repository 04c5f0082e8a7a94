package webui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/slipway-ci/slipway/store"
)

// BenchmarkBuildPage renders a build's page with a full window of its log.
func BenchmarkBuildPage(b *testing.B) {
	s := newSite(b)
	s.create(push(s.repo("ada", "engine", false), 1), job("test", "build"))
	j := s.claim()
	s.startStep(j, 1, 0)
	w := s.writer(j, 1)
	for i := range 20000 {
		must(b, w.Append(output(fmt.Sprintf(" \x1b[32m✓\x1b[39m hull/plank-%d.test.js \x1b[2m(%d tests)\x1b[22m", i, i+3))))
	}
	must(b, w.Close())
	s.finishStep(j, 1, store.Success, 0)
	s.finishJob(j, store.Success, "", 0)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		rec := httptest.NewRecorder()
		s.echo.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/repos/ada/engine/builds/1", nil))
		if size = rec.Body.Len(); rec.Code != http.StatusOK {
			b.Fatalf("status %d", rec.Code)
		}
	}
	b.ReportMetric(float64(size), "bytes/page")
}

// BenchmarkLines renders the rows that a browser asks for at once.
func BenchmarkLines(b *testing.B) {
	s := newSite(b)
	s.million()
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		s.echo.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, stepPage+"/lines?from=500201&n=200", nil))
		if rec.Code != http.StatusOK {
			b.Fatalf("status %d", rec.Code)
		}
	}
}

// BenchmarkMillionPage renders the page of a log of a million rows.
func BenchmarkMillionPage(b *testing.B) {
	s := newSite(b)
	s.million()
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		s.echo.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, stepPage, nil))
		if rec.Code != http.StatusOK {
			b.Fatalf("status %d", rec.Code)
		}
	}
}
