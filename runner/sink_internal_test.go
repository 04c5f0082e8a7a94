package runner

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-ci/slipway/runner/mask"
)

// clockLog notes when rows were appended, from its making on.
type clockLog struct {
	countLog
	began time.Time
	at    []time.Duration
}

func (l *clockLog) Append(lines ...Line) error {
	l.at = append(l.at, time.Since(l.began))
	return l.countLog.Append(lines...)
}

func TestLineAfterAPauseIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &clockLog{began: time.Now()}
		s := newSink(log, mask.Compile(nil))
		for range 3 { // at once
			s.notice("one")
		}
		time.Sleep(10 * time.Millisecond)
		for range 6 { // every 10 ms
			s.notice("two")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		s.notice("three")
		time.Sleep(time.Second)
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{
			flushSoon,
			flushSoon + flushAfter,
			flushSoon + 2*flushAfter,
			70*time.Millisecond + time.Second + flushSoon,
		}
		if !slices.Equal(log.at, want) || log.rows != 10 {
			t.Errorf("%d rows appended at %v, want 10 at %v", log.rows, log.at, want)
		}
	})
}
