package runner_test

import (
	"context"
	"fmt"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

const (
	floodCap  = 64 << 20 // bytes
	floodLine = 1 << 10  // bytes, with the newline
)

// floodLog counts numbered lines and keeps none.
type floodLog struct {
	lines int64
	wrong string // the first that is not the next
	heap  uint64 // most bytes in use that were seen
}

func (l *floodLog) Append(lines ...runner.Line) error {
	for _, line := range lines {
		if line.Stream != runner.StreamStdout || !line.End || line.Kind != runner.LineOutput {
			continue
		}
		if n, err := strconv.ParseInt(string(line.Text), 10, 64); (err != nil || n != l.lines || len(line.Text) != floodLine-1) && l.wrong == "" {
			l.wrong = fmt.Sprintf("%d bytes %q in place of line %d", len(line.Text), line.Text, l.lines)
		}
		l.lines++
	}
	l.heap = max(l.heap, heapInUse())
	return nil
}

func (l *floodLog) SourceLines(runner.Stream) int64 { return 0 }
func (l *floodLog) Notices(int64) ([]string, error) { return nil, nil }
func (l *floodLog) Close() error                    { return nil }

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// floodLedger has one log for every step.
type floodLedger struct {
	*ledger
	log *floodLog
}

func (l floodLedger) Log(context.Context, int) (runner.Log, error) { return l.log, nil }

// TestDockerFlood: a step that writes for ever is stopped at the limit. All that
// it wrote below that is stored, and the runner holds little of it.
func TestDockerFlood(t *testing.T) {
	t.Parallel()
	s := newDockerScenario(t, with(step("flood"),
		commands(fmt.Sprintf(`awk 'BEGIN { for (i = 0; ; i++) printf "%%0%dd\n", i }'`, floodLine-1))))
	s.job.MaxOutput, s.done = floodCap, make(chan struct{})
	defer close(s.done)
	l := floodLedger{s.ledger, &floodLog{}}
	before := heapInUse()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	result, err := runner.Run(ctx, s.job, runner.State{}, s.engine, l)
	if want := "step flood failed: stopped: more than 64 MiB of output"; err != nil || result.Reason != want {
		t.Errorf("the job ended %+v, %v; want %q", result, err, want)
	}
	if l.log.wrong != "" {
		t.Error(l.log.wrong)
	}
	// The marker of the command and the beginning of a line are below the limit too.
	if most := int64(floodCap / floodLine); l.log.lines > most || l.log.lines < most-1 {
		t.Errorf("%d lines are stored, want %d", l.log.lines, most-1)
	}
	if held := int64(l.log.heap) - int64(before); held > 32<<20 {
		t.Errorf("%d MiB of memory are held", held>>20)
	}
	s.wantNothingLeft()
}
