package docker

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestPoolGivesWay: nothing is made while a job runs that took a network, unless
// there is none for the next one, or it runs long.
func TestPoolGivesWay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready int
		jobs  int
		until func(*Pool) // called a second after the last job took its network
		want  time.Duration
	}{
		{"NoJob", 1, 0, nil, 0},
		{"LongJob", 1, 1, nil, courtesy},
		{"LastSet", 0, 1, nil, 0},
		{"JobEnds", 1, 1, func(p *Pool) { p.networkRemoved("n") }, time.Second},
		{"OneOfTwoEnds", 1, 2, func(p *Pool) { p.networkRemoved("n") }, courtesy},
		{"LastIsTaken", 1, 1, func(p *Pool) {
			if last, ok := p.pop(1); ok {
				p.give(last, "3")
			}
		}, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPool(&Engine{}, PoolOptions{Logger: slog.New(slog.DiscardHandler)})
				for i := range tt.jobs {
					p.give(set{name: string('a' + rune(i)), network: string('n' + rune(i))}, "1")
				}
				p.ready = make([]set, tt.ready)
				began := time.Now()
				if tt.until != nil {
					go func() {
						time.Sleep(time.Second)
						tt.until(p)
					}()
				}
				p.giveWay(t.Context())
				if got := time.Since(began); got != tt.want {
					t.Errorf("gave way for %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestSetThatSuits: a job takes what it needs and leaves the larger to others.
func TestSetThatSuits(t *testing.T) {
	for width, want := range map[int]string{1: "narrow", 2: "middle", 3: "middle", 4: "wide", 9: "wide"} {
		p := NewPool(&Engine{}, PoolOptions{})
		p.ready = []set{{name: "wide", spares: make([]string, 5)}, {name: "narrow"}, {name: "middle", spares: make([]string, 2)}}
		if got, _ := p.pop(width); got.name != want {
			t.Errorf("a job of %d sandboxes takes the %s set, want the %s", width, got.name, want)
		}
	}
}
