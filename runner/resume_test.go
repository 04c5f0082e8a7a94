package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// resumable is a job with a service, steps side by side and one that fails.
// begun counts how often each step's program has begun.
func resumable(t *testing.T) (s *scenario, begun *[6]atomic.Int32) {
	s = newScenario(t,
		with(step("build"), commands("make", "make\ninstall")),
		with(step("lint"), ignoreFailure),
		step("test", "build", "lint"),
		with(step("notify", "test"), onFailure),
	)
	s.services(step("db"))
	begun = new([6]atomic.Int32)
	count := func(name string, next runnertest.Program) {
		n := s.number(name)
		s.runs(name, func(p *runnertest.Process) int {
			begun[n].Add(1)
			return next(p)
		})
	}
	count("db", runnertest.Then(say("ready\n"), runnertest.Block()))
	count("build", say(marker("0", "-1")+"one\ntw", "o\n"+marker("1", "0"), "three\nfour"))
	count("lint", func(p *runnertest.Process) int {
		io.WriteString(p.Stderr(), "warning\n")
		return 3
	})
	count("test", runnertest.Print("FAIL\n", 1))
	count("notify", say("told\n"))
	return s, begun
}

func (s *scenario) wantResumableDone(begun *[6]atomic.Int32) {
	s.Helper()
	s.wantJob(runner.Failure, "step test failed: exit code 1", "test")
	s.wantStep("db", runner.Success, "stopped with the job")
	s.wantStep("build", runner.Success, "")
	s.wantStep("lint", runner.Failure, "exit code 3")
	s.wantStep("notify", runner.Success, "")
	s.wantOutput("db", "ready")
	s.wantOutput("build", "$ make [-1]", "one", "two", "$ make [0]", "> install", "three", "four")
	s.wantOutput("lint", "2:warning")
	s.wantOutput("test", "FAIL")
	s.wantOutput("notify", "told")
	for n := 1; n <= 5; n++ {
		if got := begun[n].Load(); got != 1 {
			s.Errorf("step %s began %d times", s.job.Step(n).Name, got)
		}
	}
}

func TestUninterrupted(t *testing.T) {
	s, begun := resumable(t)
	s.run()
	s.wantResumableDone(begun)
}

// TestDiedAtEachRecord lets the process die at each Intend and each Done, before
// and after it is durable, and goes on with another.
func TestDiedAtEachRecord(t *testing.T) {
	for at := 1; ; at++ {
		died := false
		for _, recorded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", at, recorded), func(t *testing.T) {
				s, begun := resumable(t)
				s.ledger.dieAt, s.ledger.recorded = at, recorded
				s.run()
				if s.err == nil {
					return
				}
				if !errors.Is(s.err, errDead) {
					t.Fatalf("Run: %v", s.err)
				}
				died = true
				t.Logf("died at %s", s.ledger.ops[at-1])
				s.resume(s.ledger.revive())
				s.wait()
				s.wantResumableDone(begun)
			})
		}
		if !died {
			if at < 20 {
				t.Errorf("only %d records", at)
			}
			return
		}
	}
}

// TestDetachedAtEachRecord is the same for a process that goes down in order.
func TestDetachedAtEachRecord(t *testing.T) {
	probe, _ := resumable(t)
	probe.run()
	for _, op := range probe.ledger.ops {
		t.Run(op, func(t *testing.T) {
			s, begun := resumable(t)
			there := s.ledger.when(op)
			s.start()
			s.reached(there, op)
			s.cancel(runner.ErrDetach)
			s.wait()
			for errors.Is(s.err, runner.ErrDetach) {
				s.renew()
				s.resume(s.ledger.revive())
				s.wait()
			}
			s.wantResumableDone(begun)
		})
	}
}

func TestDetachLeavesTheContainerRunning(t *testing.T) {
	s := newScenario(t, step("build"))
	goOn := make(chan struct{})
	s.runs("build", runnertest.Then(say("before\nhal"), runnertest.Until(goOn, 0), say("f\nafter\n")))
	s.start()
	if err := s.ledger.until(s.ctx, 1, func(lines []runner.Line, open map[runner.Stream]string) bool {
		return len(lines) > 0 && open[runner.StreamStdout] == "hal"
	}); err != nil {
		t.Fatal(err)
	}
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	if n := s.eng.Count("Stop") + s.eng.Count("RemoveContainer"); n > 0 {
		t.Errorf("%d calls stopped or removed", n)
	}
	s.renew()
	s.resume(s.ledger.revive())
	close(goOn)
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "before", "half", "after")
}

func TestContextThatEndsForAnotherReasonDetaches(t *testing.T) {
	s := newScenario(t, step("build"))
	program, begun := signal(runnertest.Block())
	s.runs("build", program)
	s.start()
	s.reached(begun, "the build")
	s.cancel(errors.New("power failure"))
	s.wait()
	s.wantDetached()
}

// died starts a job whose step runs on after the process has died.
func died(t *testing.T, program runnertest.Program) *scenario {
	s := newScenario(t, step("build"), step("test", "build"))
	started, begun := signal(program)
	s.runs("build", started)
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	s.renew()
	return s
}

func TestContainerEndedMeanwhile(t *testing.T) {
	goOn := make(chan struct{})
	s := died(t, runnertest.Then(runnertest.Until(goOn, 0), say("done\n"), runnertest.Exit(4)))
	close(goOn)
	if _, err := s.eng.Wait(s.ctx, runner.ContainerName("srv", "j1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Failure, "step build failed: exit code 4", "build")
	s.wantOutput("build", "done")
}

func TestContainerGoneMeanwhile(t *testing.T) {
	s := died(t, runnertest.Block())
	if err := s.eng.RemoveContainer(s.ctx, runner.ContainerName("srv", "j1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	s.resume(s.ledger.revive())
	s.wait()
	reason := "the server restarted while it ran, and its container is gone"
	s.wantStep("build", runner.Error, reason)
	s.wantJob(runner.Error, "step build failed: "+reason, "build")
}

func TestCanceledMeanwhile(t *testing.T) {
	s := died(t, runnertest.Block())
	s.cancel(runner.ErrCancel)
	s.resume(s.ledger.revive())
	s.wait()
	s.wantStep("test", runner.Canceled, "canceled")
	s.wantJob(runner.Canceled, "canceled", "build")
}

func TestDiedWhileItWasCanceled(t *testing.T) {
	for _, op := range []string{"intend stop/1/1", "done stop/1/1"} {
		t.Run(op, func(t *testing.T) {
			s := newScenario(t, step("build"), step("test", "build"))
			program, begun := signal(runnertest.Block())
			s.runs("build", program)
			s.ledger.dieOn, s.ledger.recorded = op, true
			s.start()
			s.reached(begun, "the build")
			s.cancel(runner.ErrCancel)
			s.wait()
			s.resume(s.ledger.revive())
			s.wait()
			s.wantStep("build", runner.Canceled, "canceled")
			s.wantJob(runner.Canceled, "canceled", "build")
		})
	}
}

// forgetful is an engine whose logs lack the last lines when they are followed.
type forgetful struct {
	*runnertest.Engine
	followed func() // called when they are
}

func (f forgetful) Logs(ctx context.Context, id string, follow bool) (runner.Output, error) {
	out, err := f.Engine.Logs(ctx, id, follow)
	if err != nil || !follow {
		return out, err
	}
	f.followed()
	return firstLine{out}, nil
}

type firstLine struct{ runner.Output }

func (o firstLine) Copy(stdout, stderr io.Writer) error {
	var all bytes.Buffer
	if err := o.Output.Copy(&all, stderr); err != nil {
		return err
	}
	line, err := all.ReadBytes('\n')
	if err != nil {
		return err
	}
	_, err = stdout.Write(line)
	return err
}

func TestFollowedLogsLackTheirEnd(t *testing.T) {
	goOn := make(chan struct{})
	s := died(t, runnertest.Then(say("one\n"), runnertest.Until(goOn, 0), say("two\n", "three")))
	s.engine = forgetful{s.eng, sync.OnceFunc(func() { close(goOn) })}
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "one", "two", "three")
}

// TestEngineGoesAway: the attached output breaks while the container runs on.
func TestEngineGoesAway(t *testing.T) {
	s := newScenario(t, with(step("build"), commands("make")))
	goOn := make(chan struct{})
	s.runs("build", func(p *runnertest.Process) int {
		long := strings.Repeat("x", runner.MaxLine+10)
		io.WriteString(p.Stdout(), marker("0", "-1")+"before\n"+long)
		<-goOn
		io.WriteString(p.Stdout(), "y\nafter")
		return 7
	})
	s.start()
	if err := s.ledger.until(s.ctx, 1, func(_ []runner.Line, open map[runner.Stream]string) bool {
		return open[runner.StreamStdout] != ""
	}); err != nil {
		t.Fatal(err)
	}
	s.eng.Down(errors.New("connection refused"))
	close(goOn)
	s.eng.Up()
	s.wait()
	s.wantJob(runner.Failure, "step build failed: exit code 7", "build")
	s.wantOutput("build", "$ make [-1]", "before", strings.Repeat("x", runner.MaxLine)+"…", strings.Repeat("x", 10)+"y", "after")
}

func TestStepThatWasNeverStartedIsStarted(t *testing.T) {
	s := newScenario(t, step("build"))
	s.runs("build", say("once\n"))
	starting, release := s.eng.Hang("Attach", 1)
	s.start()
	s.reached(starting, "the start")
	s.ledger.kill()
	release()
	s.wait()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "once")
}
