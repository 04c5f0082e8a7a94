package store_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/storetest"
)

// BenchmarkClaim claims from a queue of 100,000 jobs of 50 repositories.
func BenchmarkClaim(b *testing.B) {
	const repos, queued = 50, 100_000
	s := storetest.Open(b, nil)
	var left int
	for b.Loop() {
		if left < queued/2 { // it is to stay a long queue
			b.StopTimer()
			fillQueue(b, s, repos, queued-left, func(int) store.Group { return store.Group{} })
			left = queued
			b.StartTimer()
		}
		if _, err := s.Claim(b.Context()); err != nil {
			b.Fatal(err)
		}
		left--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}

// fillQueue adds pending jobs, 100 in a build, to repositories in turn. group is
// asked for the group of each job of a build.
func fillQueue(b *testing.B, s *store.Store, repos, jobs int, group func(i int) store.Group) {
	b.Helper()
	const perBuild = 100
	plan := make([]store.NewJob, perBuild)
	for i := range plan {
		plan[i] = store.NewJob{Name: fmt.Sprint(i), Plan: []byte("{}"), OnSuccess: true, Group: group(i)}
	}
	for n := 0; n < jobs; n += perBuild {
		r, err := s.UpsertRepo(b.Context(), store.Repo{RemoteID: int64(n/perBuild%repos) + 1, Owner: "acme",
			Name: fmt.Sprint("app", n/perBuild%repos)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.CreateBuild(b.Context(), store.Build{RepoID: r.ID, Number: r.LastNumber + 1, Planned: true, Event: "push",
			SHA: fmt.Sprint(r.LastNumber)}, plan[:min(perBuild, jobs-n)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAddDelivery stores deliveries of 10 KB, each durable when it is
// acknowledged.
func BenchmarkAddDelivery(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := storetest.Open(b, nil)
			body := []byte(strings.Repeat("x", 10_000))
			header := http.Header{"X-Github-Event": {"push"}, "Content-Type": {"application/json"}}
			var next atomic.Int64
			add := func() error {
				n := next.Add(1)
				added, err := s.AddDelivery(b.Context(), store.Delivery{GUID: fmt.Sprint(n), Event: "push", Repo: "acme/app",
					Headers: header, Body: body})
				if err == nil && !added {
					err = errors.New("taken for a duplicate")
				}
				return err
			}
			b.SetBytes(int64(len(body)))
			b.ResetTimer()
			var wg sync.WaitGroup
			var begun atomic.Int64
			for range callers {
				wg.Go(func() {
					for begun.Add(1) <= int64(b.N) {
						if err := add(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
		})
	}
}
