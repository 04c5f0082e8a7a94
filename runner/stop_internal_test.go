package runner

import (
	"context"
	"testing"
)

// TestEndOfWhatAnEarlierRunStopped: a container that an earlier Run told to stop may
// end just before this one would.
func TestEndOfWhatAnEarlierRunStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		intended, canceled, want bool
	}{
		"stopped":          {true, true, true},
		"the cause is off": {true, false, false},
		"by itself":        {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &step{number: 1, attempt: 1, run: &run{state: State{Ops: map[string]OpRecord{}}}}
			if tt.intended {
				s.run.state.Ops[s.op(OpStop).Key()] = OpRecord{}
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.canceled {
				cancel(errJobEnded)
			}
			ended := make(chan struct{})
			close(ended)
			x := &execution{run: s.run, step: s, ctx: ctx}
			x.stopWhenTold("c1", ended, nil)
			if x.stopping != tt.want {
				t.Errorf("stopping is %v", x.stopping)
			}
		})
	}
}
