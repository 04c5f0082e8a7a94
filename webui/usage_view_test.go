package webui

import (
	"testing"
	"time"

	"github.com/slipway-ci/slipway/store"
)

func TestUsedSaysWhatIsKnown(t *testing.T) {
	at := time.Unix(1, 0)
	for want, st := range map[string]store.Step{
		"CPU 12s, memory 1.5 GiB": {Status: store.Success, StartedAt: at, CPU: 12 * time.Second, PeakMemory: 3 << 29},
		"CPU 8ms, memory 620 KiB": {Status: store.Success, StartedAt: at, CPU: 8 * time.Millisecond, PeakMemory: 620 << 10},
		"CPU –, memory 1.5 GiB":   {Status: store.Failure, StartedAt: at, PeakMemory: 3 << 29},
		"CPU –, memory –":         {Status: store.Failure, StartedAt: at},
		"":                        {Status: store.Running, StartedAt: at, CPU: time.Second},
	} {
		if got := (stepView{Step: st}).Used(); got != want {
			t.Errorf("%s: %q, want %q", st.Status, got, want)
		}
	}
	if got := (stepView{Step: store.Step{Status: store.Skipped}}).Used(); got != "" {
		t.Errorf("a step that never ran: %q", got)
	}
}
