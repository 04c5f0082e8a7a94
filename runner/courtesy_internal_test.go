package runner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRemovalsWaitForStarts: until the last one is over, for a while, and not beyond
// the end of the run.
func TestRemovalsWaitForStarts(t *testing.T) {
	for name, tt := range map[string]struct {
		starts, canceled time.Duration // 0: never
		want             time.Duration
	}{
		"nothing starts":   {0, 0, 0},
		"two start":        {time.Second, 0, time.Second},
		"for ever":         {time.Hour, 0, courtesyTime},
		"and the run ends": {time.Hour, time.Second / 2, time.Second / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var c starts
				began := time.Now()
				if tt.starts > 0 {
					first, second := c.begin(), c.begin()
					time.AfterFunc(tt.starts/2, first)
					time.AfterFunc(tt.starts, second)
				}
				if tt.canceled > 0 {
					time.AfterFunc(tt.canceled, cancel)
				}
				c.wait(ctx)
				if got := time.Since(began); got != tt.want {
					t.Errorf("waited %v, want %v", got, tt.want)
				}
				time.Sleep(tt.starts) // virtual: for the timers
			})
		})
	}
}
