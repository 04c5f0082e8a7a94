package queue

import "testing"

func TestRoom(t *testing.T) {
	q := New(Options{MaxJobs: 2})
	for _, tt := range []struct {
		running, ended int
		want           bool
	}{{0, 0, true}, {1, 0, true}, {2, 0, false}, {1, 1, true}, {2, 1, false}, {1, 2, true}, {0, 3, true}, {1, 3, false}, {0, 4, false}} {
		set := map[int64]*active{}
		for i := range tt.running + tt.ended {
			set[int64(i)] = &active{ended: i < tt.ended}
		}
		if got := q.room(set); got != tt.want {
			t.Errorf("%d run and %d are being removed: %t", tt.running, tt.ended, got)
		}
	}
}
