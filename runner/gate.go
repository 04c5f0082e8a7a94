package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// A step's container is costly to start, and its turn is when everybody waits
// for it. So where the runner writes the script itself, the container is started
// before the turn, and the script waits at a gate: for a line on its stdin. The
// line has what was not known earlier.

// gateClosed is the exit code of a script whose gate will not be opened.
const gateClosed = 97

// gateScript is how a script waits. Once it is through it has no stdin, so that
// a gate may be opened again by one who cannot know that it was.
const gateScript = `IFS= read -r _slipway_gate || exit 97
exec </dev/null
eval "$_slipway_gate"
unset _slipway_gate
`

// errNotBegun: the container ended by nobody's command.
var errNotBegun = errors.New("its container ended before the commands began")

// gated reports whether a step's container waits at a gate.
func gated(s *pipeline.Step) bool { return len(s.Commands) > 0 && len(s.Entrypoint) == 0 }

// gateLine returns the line that opens a gate: a command for the shell that
// makes environment have what was not there when the container was made. Both
// are lists of "KEY=value".
func gateLine(then, now []string) string {
	var changed []string
	for _, kv := range now {
		if k, v, ok := strings.Cut(kv, "="); ok && !slices.Contains(then, kv) {
			changed = append(changed, k+"="+quote(strings.ReplaceAll(v, "\n", " ")))
		}
	}
	if len(changed) == 0 {
		return ":"
	}
	return "export " + strings.Join(changed, " ")
}

// arrive starts a container whose script waits at its gate, its output attached.
// It prints nothing before the gate is opened, so nothing is missed of one that
// an earlier Run started.
func (s *step) arrive(id string) (Output, error) {
	r := s.run
	out, err := r.eng.Attach(r.live, id)
	if err != nil {
		return nil, err
	}
	_, err = r.do(s.op(OpWarm), func(ctx context.Context) (string, error) {
		return "", r.eng.Start(ctx, id)
	})
	if err != nil {
		_ = out.Close() // nobody will read it
		return nil, err
	}
	return out, nil
}

// openGate opens the gate of the step's container. Opening it twice does no more
// than once, so it is tried again while the engine does not answer. When it was
// is recorded.
func (x *execution) openGate(id string) error {
	r, s := x.run, x.step
	then, err := s.containerSpec(nil)
	if err != nil {
		return finalError{err}
	}
	now, err := s.containerSpec(x.failed)
	if err != nil {
		return finalError{err}
	}
	line, at := gateLine(then.Env, now.Env), time.Now()
	_, err = r.do(s.op(OpStart), func(ctx context.Context) (string, error) {
		if err := x.turn.wait(); err != nil {
			return "", err
		}
		return at.Format(time.RFC3339Nano), x.pushOpen(ctx, id, line)
	})
	return err
}

// pushOpen opens a gate, again and again until ctx ends. A container that has
// ended meanwhile is no error: whoever reads its output will find out.
func (x *execution) pushOpen(ctx context.Context, id, line string) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := x.run.eng.Open(ctx, id, line)
		if err == nil || errors.Is(err, ErrNotFound) {
			return err
		}
		if st, ierr := x.run.eng.Inspect(ctx, id); ierr == nil && !st.Running {
			return nil
		}
		if pause(ctx, wait) != nil || x.run.live.Err() != nil {
			return err
		}
	}
}

// reopen opens the gate of a container that an earlier Run may not have come to
// open.
func (x *execution) reopen(st ContainerState) error {
	if rec, _ := x.run.record(x.step.op(OpStart)); rec.Done || !st.Running || !gated(x.step.plan) {
		return nil
	}
	return x.openGate(st.ID)
}

// openedAt returns when the commands of an adopted container began, as far as is
// known: a gate's opening was recorded, any other container began when it was
// started.
func (x *execution) openedAt(st ContainerState) time.Time {
	if !gated(x.step.plan) {
		return st.StartedAt
	}
	rec, _ := x.run.record(x.step.op(OpStart))
	at, err := time.Parse(time.RFC3339Nano, rec.ID)
	if err != nil {
		return time.Now() // it was not opened, or nobody knows when
	}
	return at
}

// neverBegan reports whether a gated container ended without any command of
// the step: because the engine went down, or somebody killed it.
func (x *execution) neverBegan(st ContainerState) bool {
	return gated(x.step.plan) && !x.passes.begun() && slices.Contains([]int{gateClosed, 128 + 9, 128 + 15}, st.ExitCode)
}
