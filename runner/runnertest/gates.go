package runnertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-ci/slipway/runner"
)

// gated says what opened its gate and shows a file of its volume.
var gated = script{`read -r line || exit 97; exec </dev/null; echo "opened by $line"; cat /work/src/hello.txt; cat`, func(p *Process) int {
	fmt.Fprintf(p.Stdout(), "opened by %s\n", p.Line())
	return showFile.program(p)
}}

// gateHolds: nothing of the container's program runs before its gate is opened,
// what is copied into it meanwhile is there, and opening twice does nothing more.
func gateHolds(r *rig) {
	s := r.spec(gated)
	s.Gate, s.VolumeID, s.MountPath = true, r.volume(), "/work"
	id := r.create(s)
	r.start(id)
	r.ok("FillVolume of a container that runs", r.fill(s.VolumeID, Archive("src/hello.txt", "hello\n")))
	r.ok("Start what runs", r.engine.Start(r.ctx, id))
	if st, err := r.engine.Inspect(r.ctx, id); err != nil || !st.Running {
		r.Fatalf("before it is opened: %+v, %v", st, err)
	}
	if stdout, stderr := r.logs(id); stdout+stderr != "" {
		r.Errorf("output before the gate is opened: %q, %q", stdout, stderr)
	}
	// An opener that dies with the connection opens nothing for others.
	other, cancel := context.WithCancel(r.ctx)
	cancel()
	if err := r.engine.Open(other, id, "a dead one"); err == nil {
		r.Error("Open with a context that has ended: no error")
	}
	for _, line := range []string{"one", "another"} {
		if err := r.engine.Open(r.ctx, id, line); err != nil {
			r.Logf("Open with %s: %v", line, err) // it may have ended, even of the first line before that is told
		}
	}
	if st := r.wait(id); st.ExitCode != 0 {
		r.Errorf("exit code %d", st.ExitCode)
	}
	ctx, stop := context.WithTimeout(r.ctx, patience)
	defer stop()
	if err := r.engine.Open(ctx, id, "late"); errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("Open what has ended: %v", err) // it may be an error, but nobody has to wait for it
	}
	if stdout, stderr := r.logs(id); stdout != "opened by one\nhello\n" {
		r.Errorf("output %q, %q", stdout, stderr)
	}
}

// gateIsClosedByStop: what was never opened never runs.
func gateIsClosedByStop(r *rig) {
	s := r.spec(gated)
	s.Gate = true
	id := r.create(s)
	r.start(id)
	r.ok("Stop", r.engine.Stop(r.ctx, id, patience))
	if st := r.wait(id); st.ExitCode == 0 {
		r.Error("exit code 0 of what was never opened")
	}
	if stdout, _ := r.logs(id); stdout != "" {
		r.Errorf("output %q", stdout)
	}
	r.is("Open what is gone", r.engine.Open(r.ctx, "nosuch", ""), runner.ErrNotFound)
}
