package runner_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// retried makes a step one that runs so often after the given ways to fail.
func retried(attempts int, on ...pipeline.RetryOn) func(*pipeline.Step) {
	return func(s *pipeline.Step) { s.Retry = &pipeline.Retry{Attempts: attempts, On: on} }
}

func timeout(d time.Duration) func(*pipeline.Step) {
	return func(s *pipeline.Step) { s.Timeout = d }
}

// notices returns slipway's words in a log, without those of pulls.
func (s *scenario) notices(name string) string {
	var list []string
	for _, row := range s.ledger.rows(s.number(name)) {
		if text, ok := strings.CutPrefix(row, "# "); ok && !strings.HasPrefix(text, "pulled ") {
			list = append(list, text)
		}
	}
	return strings.Join(list, "\n")
}

func TestRetryUntilItSucceeds(t *testing.T) {
	s := newScenario(t, with(step("flaky"), retried(3, pipeline.RetryFailure), commands("make")), step("next", "flaky"))
	s.eng.Step(1, runnertest.Print(marker("0", "-1")+"one\n", 1), runnertest.Print(marker("0", "-1")+"two", 2), say(marker("0", "-1")+"three\n"))
	s.run()
	s.wantJob(runner.Success, "", "")
	s.wantStep("flaky", runner.Success, "")
	s.wantStep("next", runner.Success, "")
	s.wantOutput("flaky", "$ make [-1]", "one", "$ make [-1]", "two", "$ make [-1]", "three")
	if got, want := s.notices("flaky"), "attempt 2 of 3: attempt 1 failed: exit code 1\nattempt 3 of 3: attempt 2 failed: exit code 2"; got != want {
		t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
	s.wantOrder("done attempt/1/2", "intend remove/1/1")
	s.wantOrder("done start/1/2", "done attempt/1/3")
}

func TestRetryEndsAsTheLastAttempt(t *testing.T) {
	s := newScenario(t, with(step("flaky"), retried(2, pipeline.RetryFailure)), step("next", "flaky"))
	s.eng.Step(1, runnertest.Exit(3), runnertest.Exit(4), runnertest.Exit(0))
	s.run()
	s.wantStep("next", runner.Skipped, "step flaky failed")
	s.wantJob(runner.Failure, "step flaky failed: exit code 4", "flaky")
}

func TestRetryOn(t *testing.T) {
	all := []pipeline.RetryOn{pipeline.RetryFailure, pipeline.RetryInfrastructure, pipeline.RetryTimeout}
	ways := map[pipeline.RetryOn]func(*scenario){
		pipeline.RetryFailure:        func(s *scenario) { s.eng.Step(1, runnertest.Exit(1), runnertest.Exit(0)) },
		pipeline.RetryInfrastructure: func(s *scenario) { s.eng.Fail("CreateContainer", 1, errors.New("no space left on device")) },
		pipeline.RetryTimeout:        func(s *scenario) { s.eng.Step(1, runnertest.Block(), runnertest.Exit(0)) },
	}
	for way, fails := range ways {
		for _, on := range all {
			t.Run(fmt.Sprintf("%s on %s", way, on), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // so that only what blocks takes time
					s := newScenario(t, with(step("build"), retried(2, on), timeout(200*time.Millisecond)))
					fails(s)
					s.run()
					if ok := s.result.Status == runner.Success; ok != (way == on) {
						t.Errorf("job ended %+v", s.result)
					}
					s.wantNothingLeft()
				})
			})
		}
	}
}

func TestRetryIsNoUse(t *testing.T) {
	all := retried(5, pipeline.RetryFailure, pipeline.RetryInfrastructure, pipeline.RetryTimeout)
	once := func(s *scenario) {
		s.Helper()
		if got := s.notices("build"); strings.Contains(got, "attempt") {
			s.Errorf("notices: %s", got)
		}
	}
	t.Run("secret", func(t *testing.T) {
		s := newScenario(t, with(step("build"), all, secretEnv("TOKEN", "none")))
		s.run()
		s.wantJob(runner.Error, "step build failed: resolve TOKEN: there is no secret `none`", "build")
		once(s)
	})
	t.Run("flood", func(t *testing.T) {
		s := newScenario(t, with(step("build"), all))
		s.job.MaxOutput = 10
		s.runs("build", runnertest.Then(say(strings.Repeat("x", 100)), runnertest.Block()))
		s.run()
		s.wantJob(runner.Failure, "step build failed: stopped: more than 10 B of output", "build")
		once(s)
	})
	t.Run("job timeout", func(t *testing.T) {
		s := newScenario(t, with(step("build"), all))
		s.job.Timeout = 50 * time.Millisecond
		s.runs("build", runnertest.Block())
		s.run()
		s.wantJob(runner.Failure, "step build failed: timed out after 50ms", "build")
		once(s)
	})
	t.Run("cancel", func(t *testing.T) {
		s := newScenario(t, with(step("build"), all))
		program, begun := signal(runnertest.Block())
		s.runs("build", program)
		s.start()
		s.reached(begun, "the build")
		s.cancel(runner.ErrCancel)
		s.wait()
		s.wantJob(runner.Canceled, "canceled", "build")
		once(s)
	})
}

// TestTimeoutIsThatOfOneAttempt: each has the time for itself.
func TestTimeoutIsThatOfOneAttempt(t *testing.T) {
	s := newScenario(t, with(step("hang"), retried(3, pipeline.RetryTimeout), timeout(30*time.Millisecond)))
	s.runs("hang", runnertest.Block())
	s.run()
	s.wantJob(runner.Failure, "step hang failed: timed out after 30ms", "hang")
	want := "attempt 2 of 3: attempt 1 failed: timed out after 30ms\nattempt 3 of 3: attempt 2 failed: timed out after 30ms\ntimed out after 30ms"
	if got := s.notices("hang"); got != want {
		t.Errorf("notices:\n%s\nwant:\n%s", got, want)
	}
}

// TestTimeoutCountsFromTheStart: a slow pull is not the step's fault.
func TestTimeoutCountsFromTheStart(t *testing.T) {
	s := newScenario(t, with(step("build"), timeout(time.Hour)))
	pulling, release := s.eng.Hang("PullImage", 1)
	s.start()
	s.reached(pulling, "the pull")
	s.ledger.kill()
	release()
	s.wait()
	state := s.ledger.revive()
	state.Started[1] = time.Now().Add(-2 * time.Hour)
	s.resume(state)
	s.wait()
	s.wantJob(runner.Success, "", "")
}

func TestTimeoutGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the first process goes down before the time is up
		s := newScenario(t, with(step("hang"), timeout(time.Second)))
		program, begun := signal(runnertest.Block())
		s.runs("hang", program)
		s.start()
		s.reached(begun, "the step")
		s.cancel(runner.ErrDetach)
		s.wait()
		s.wantDetached()
		s.renew()
		s.resume(s.ledger.revive())
		s.wait()
		s.wantJob(runner.Failure, "step hang failed: timed out after 1s", "hang")
	})
}

// TestRetryAfterAContainerThatIsGone: what a restart lost is an error that an
// attempt more cures.
func TestRetryAfterAContainerThatIsGone(t *testing.T) {
	s := newScenario(t, with(step("build"), retried(2, pipeline.RetryInfrastructure)))
	program, begun := signal(runnertest.Then(say("half"), runnertest.Block()))
	s.eng.Step(1, program, say("whole\n"))
	s.start()
	s.reached(begun, "the build")
	s.cancel(runner.ErrDetach)
	s.wait()
	if err := s.eng.RemoveContainer(t.Context(), runner.ContainerName("srv", "j1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	s.renew()
	s.resume(s.ledger.revive())
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOutput("build", "whole")
}

// flaky is a job with a step whose third attempt succeeds; begun counts
// the programs by attempt.
func flaky(t *testing.T) (s *scenario, begun *[4]atomic.Int32) {
	s = newScenario(t, with(step("flaky"), retried(3, pipeline.RetryFailure), commands("make", "make test")), step("next", "flaky"))
	begun = new([4]atomic.Int32)
	attempt := func(n int, next runnertest.Program) runnertest.Program {
		return func(p *runnertest.Process) int {
			begun[n].Add(1)
			io.WriteString(p.Stdout(), marker("0", "-1")+fmt.Sprintf("attempt %d\n", n)+marker("1", "0"))
			io.WriteString(p.Stderr(), "warning\n")
			return next(p)
		}
	}
	s.eng.Default(func(spec runner.ContainerSpec) runnertest.Program {
		switch spec.Name {
		case runner.ContainerName("srv", "j1", 1, 1):
			return attempt(1, runnertest.Print("FAIL", 1))
		case runner.ContainerName("srv", "j1", 1, 2):
			return attempt(2, runnertest.Print("attempt 2\nFAIL\n", 2))
		case runner.ContainerName("srv", "j1", 1, 3):
			return attempt(3, say("ok\n"))
		}
		return nil
	})
	return s, begun
}

func (s *scenario) wantFlakyDone(begun *[4]atomic.Int32) {
	s.Helper()
	s.wantJob(runner.Success, "", "")
	var stdout []string
	for _, row := range s.ledger.rows(1) {
		if !strings.HasPrefix(row, "2:") && !strings.HasPrefix(row, "# pulled") {
			stdout = append(stdout, row)
		}
	}
	want := []string{
		"$ make [-1]", "attempt 1", "$ make test [0]", "FAIL",
		"# attempt 2 of 3: attempt 1 failed: exit code 1",
		"$ make [-1]", "attempt 2", "$ make test [0]", "attempt 2", "FAIL",
		"# attempt 3 of 3: attempt 2 failed: exit code 2",
		"$ make [-1]", "attempt 3", "$ make test [0]", "ok",
	}
	if got := strings.Join(stdout, "\n"); got != strings.Join(want, "\n") {
		s.Errorf("log:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	if n := strings.Count(s.ledger.output(1), "2:warning\n"); n != 3 {
		s.Errorf("%d lines of stderr, want 3", n)
	}
	for n := 1; n <= 3; n++ {
		if got := begun[n].Load(); got != 1 {
			s.Errorf("attempt %d began %d times", n, got)
		}
	}
}

// TestDiedAtEachRecordOfARetry is TestDiedAtEachRecord for attempts.
func TestDiedAtEachRecordOfARetry(t *testing.T) {
	for at := 1; ; at++ {
		died := false
		for _, recorded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", at, recorded), func(t *testing.T) {
				s, begun := flaky(t)
				s.ledger.dieAt, s.ledger.recorded = at, recorded
				s.run()
				if s.err == nil {
					s.wantFlakyDone(begun)
					return
				}
				died = true
				t.Logf("died at %s", s.ledger.ops[at-1])
				s.resume(s.ledger.revive())
				s.wait()
				s.wantFlakyDone(begun)
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

// TestDetachedAtEachRecordOfARetry is the same for a process that goes down in
// order, at each record again.
func TestDetachedAtEachRecordOfARetry(t *testing.T) {
	probe, _ := flaky(t)
	probe.run()
	for _, op := range probe.ledger.ops {
		t.Run(op, func(t *testing.T) {
			s, begun := flaky(t)
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
			s.wantFlakyDone(begun)
		})
	}
}

// TestRetryAfterACutLine: the first attempt's output breaks off within a line
// that has rows already, and is not to be had any more.
func TestRetryAfterACutLine(t *testing.T) {
	s := newScenario(t, with(step("build"), retried(2, pipeline.RetryInfrastructure)))
	long := strings.Repeat("x", runner.MaxLine+10)
	s.eng.Step(1, runnertest.Then(say(long), runnertest.Block()), say("second\n"))
	s.start()
	if err := s.ledger.until(s.ctx, 1, func(lines []runner.Line, _ map[runner.Stream]string) bool {
		for _, l := range lines {
			if l.Stream == runner.StreamStdout {
				return true
			}
		}
		return false
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.eng.RemoveContainer(t.Context(), runner.ContainerName("srv", "j1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	s.wait()
	s.wantJob(runner.Success, "", "")
	rows := s.ledger.rows(1)
	if last := rows[len(rows)-1]; last != "second" {
		t.Errorf("the last row is %.40q", last)
	}
}
