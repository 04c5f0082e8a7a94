package runner_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// checked gives a step a healthcheck that takes no time.
func checked(h pipeline.Healthcheck) func(*pipeline.Step) {
	return func(s *pipeline.Step) {
		h.Interval, h.Timeout = time.Millisecond, 10*time.Second
		if h.Retries == 0 {
			h.Retries = 1 << 30
		}
		s.Healthcheck = &h
	}
}

func ports(list ...pipeline.Port) func(*pipeline.Step) {
	return func(s *pipeline.Step) { s.Ports = list }
}

// listenAfter returns a program that listens on a port once ready is closed.
func listenAfter(ready <-chan struct{}, port int) runnertest.Program {
	return runnertest.Then(runnertest.Until(ready, 0), func(p *runnertest.Process) int {
		p.Listen(port)
		return runnertest.Block()(p)
	})
}

// serving is a job whose step test uses the service db.
func serving(t *testing.T, db pipeline.Step, more ...pipeline.Step) *scenario {
	s := newScenario(t, append([]pipeline.Step{with(step("test"), func(p *pipeline.Step) { p.Services = []string{"db"} })}, more...)...)
	s.services(db)
	return s
}

// waits waits for the notice that test waits.
func (s *scenario) waits(notice string) {
	s.Helper()
	err := s.ledger.until(s.ctx, s.number("test"), func(lines []runner.Line, _ map[runner.Stream]string) bool {
		for _, l := range lines {
			if string(l.Text) == notice {
				return true
			}
		}
		return false
	})
	if err != nil {
		s.Fatalf("test does not say %q: %v; %q", notice, err, s.ledger.rows(s.number("test")))
	}
}

func TestStepWaitsUntilItsServiceListens(t *testing.T) {
	for name, tt := range map[string]struct {
		db      pipeline.Step
		exposed int
		port    int
	}{
		"port of the healthcheck": {with(step("db"), ports(pipeline.Port{Number: 1, Protocol: "tcp"}), checked(pipeline.Healthcheck{Port: 5432})), 2, 5432},
		"first port":              {with(step("db"), ports(pipeline.Port{Number: 53, Protocol: "udp"}, pipeline.Port{Number: 5432, Protocol: "tcp"}, pipeline.Port{Number: 1, Protocol: "tcp"})), 2, 5432},
		"port of the image":       {step("db"), 5432, 5432},
		"times only":              {with(step("db"), checked(pipeline.Healthcheck{})), 5432, 5432},
	} {
		t.Run(name, func(t *testing.T) {
			s := serving(t, tt.db)
			if tt.exposed > 0 {
				s.eng.Expose("image-db", tt.exposed)
			}
			ready := make(chan struct{})
			var listens atomic.Bool
			s.runs("db", runnertest.Then(runnertest.Until(ready, 0), func(p *runnertest.Process) int {
				listens.Store(true)
				p.Listen(tt.port)
				return runnertest.Block()(p)
			}))
			s.runs("test", func(*runnertest.Process) int {
				if !listens.Load() {
					return 1
				}
				return 0
			})
			s.start()
			s.waits(fmt.Sprintf("waiting for db to answer on %d", tt.port))
			close(ready)
			s.wait()
			s.wantJob(runner.Success, "", "")
		})
	}
}

func TestStepWaitsForTheCommand(t *testing.T) {
	command := []string{"pg_isready", "-q"}
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Command: command})))
	ready := make(chan struct{})
	var refused, answered atomic.Int32
	s.runs("db", func(p *runnertest.Process) int {
		p.OnExec(func(got []string) runner.ExecResult {
			if strings.Join(got, " ") != "pg_isready -q" {
				t.Errorf("ran %q", got)
			}
			if !closed(ready) || refused.Load() < 3 {
				refused.Add(1)
				return runner.ExecResult{ExitCode: 2, Output: "no response"}
			}
			answered.Add(1)
			return runner.ExecResult{}
		})
		return runnertest.Block()(p)
	})
	s.start()
	s.waits("waiting for db to answer its healthcheck")
	close(ready)
	s.wait()
	s.wantJob(runner.Success, "", "")
	if n := answered.Load(); n != 1 {
		t.Errorf("asked %d times after it had answered", n-1)
	}
}

func TestNothingToWaitFor(t *testing.T) {
	for name, db := range map[string]pipeline.Step{
		"no port":   step("db"),
		"UDP only":  with(step("db"), ports(pipeline.Port{Number: 53, Protocol: "udp"})),
		"none":      with(step("db"), ports(pipeline.Port{Number: 5432, Protocol: "tcp"}), checked(pipeline.Healthcheck{Disabled: true})),
		"not asked": with(step("other"), checked(pipeline.Healthcheck{Port: 1})),
	} {
		t.Run(name, func(t *testing.T) {
			s := serving(t, db)
			if db.Name == "other" {
				s.services(step("db"), db)
			}
			s.runs("db", runnertest.Block())
			s.eng.Default(func(runner.ContainerSpec) runnertest.Program { return runnertest.Block() })
			s.runs("test", runnertest.Exit(0))
			s.run()
			s.wantJob(runner.Success, "", "")
			if got := s.notices("test"); got != "" {
				t.Errorf("notices: %s", got)
			}
		})
	}
}

func TestServiceThatNeverAnswers(t *testing.T) {
	after := with(step("report"), onFailure, func(p *pipeline.Step) { p.DependsOn, p.Services = []string{"test"}, []string{"db"} })
	t.Run("port", func(t *testing.T) {
		s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432, Retries: 3})), after)
		s.runs("db", runnertest.Block())
		s.run()
		reason := "did not answer on port 5432 in 3 checks: connection refused"
		s.wantStep("db", runner.Error, reason)
		s.wantNotice("db", reason)
		s.wantStep("test", runner.Error, "service db "+reason)
		s.wantNotice("test", "service db "+reason)
		s.wantStep("report", runner.Success, "")
		s.wantNotice("report", "going on without service db: "+reason)
		s.wantJob(runner.Error, "service db failed: "+reason, "db")
		if n := s.eng.Count("Listening"); n != 3 {
			t.Errorf("asked %d times, want 3", n)
		}
	})
	t.Run("command", func(t *testing.T) {
		s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Command: []string{"ask"}, Retries: 2})), after)
		s.runs("db", func(p *runnertest.Process) int {
			p.OnExec(func([]string) runner.ExecResult {
				return runner.ExecResult{ExitCode: 2, Output: "asking\n no response\n\n"}
			})
			return runnertest.Block()(p)
		})
		s.run()
		s.wantJob(runner.Error, "service db failed: failed its healthcheck 2 times, the last with: exit code 2: no response", "db")
	})
	t.Run("hangs", func(t *testing.T) {
		s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Command: []string{"ask"}, Retries: 1}), func(p *pipeline.Step) { p.Healthcheck.Timeout = 10 * time.Millisecond }), after)
		s.eng.Hang("Exec", 1)
		s.runs("db", runnertest.Block())
		s.run()
		s.wantJob(runner.Error, "service db failed: failed its healthcheck 1 times, the last with: no answer in 10ms", "db")
	})
}

// TestStartPeriod: checks that fail early don't count.
func TestStartPeriod(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432, Retries: 1, StartPeriod: time.Hour})))
	ready := make(chan struct{})
	s.runs("db", listenAfter(ready, 5432))
	reached, release := s.eng.Hang("Listening", 10)
	s.start()
	s.reached(reached, "the tenth check")
	close(ready)
	release()
	s.wait()
	s.wantJob(runner.Success, "", "")
}

func TestServiceThatEndsBeforeItAnswers(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
	crash := make(chan struct{})
	s.runs("db", runnertest.Until(crash, 3))
	s.start()
	s.waits("waiting for db to answer on 5432")
	close(crash)
	s.wait()
	s.wantStep("db", runner.Failure, "exit code 3")
	s.wantStep("test", runner.Error, "service db ended before it answered: exit code 3")
	s.wantJob(runner.Error, "step test failed: service db ended before it answered: exit code 3", "test")
}

func TestCancelWhileAServiceIsWaitedFor(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
	s.runs("db", runnertest.Block())
	s.start()
	s.waits("waiting for db to answer on 5432")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "db")
	s.wantStep("test", runner.Canceled, "canceled")
}

// TestRestartWhileAServiceIsWaitedFor: the service is not started again, and
// what it was asked is asked again.
func TestRestartWhileAServiceIsWaitedFor(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
	ready := make(chan struct{})
	s.runs("db", listenAfter(ready, 5432))
	s.start()
	s.waits("waiting for db to answer on 5432")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	s.renew()
	s.resume(s.ledger.revive())
	close(ready)
	s.wait()
	s.wantJob(runner.Success, "", "")
	if n := s.eng.Count("CreateContainer"); n != 2 {
		t.Errorf("%d containers made, want 2", n)
	}
}

// TestAdoptedServiceIsLeftAlone: the step that waited for it runs already.
func TestAdoptedServiceIsLeftAlone(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
	s.runs("db", func(p *runnertest.Process) int {
		p.Listen(5432)
		return runnertest.Block()(p)
	})
	goOn := make(chan struct{})
	program, begun := signal(runnertest.Until(goOn, 0))
	s.runs("test", program)
	s.start()
	s.reached(begun, "the test")
	s.cancel(runner.ErrDetach)
	s.wait()
	s.wantDetached()
	asked := s.eng.Count("Listening")
	s.renew()
	s.resume(s.ledger.revive())
	close(goOn)
	s.wait()
	s.wantJob(runner.Success, "", "")
	if n := s.eng.Count("Listening"); n != asked {
		t.Errorf("asked %d times more", n-asked)
	}
}

func TestEngineThatCannotTell(t *testing.T) {
	cannot := fmt.Errorf("%w whether port 5432 is listened on", runner.ErrNoProbe)
	t.Run("by default", func(t *testing.T) {
		s := serving(t, with(step("db"), ports(pipeline.Port{Number: 5432, Protocol: "tcp"})))
		s.runs("db", runnertest.Block())
		s.eng.Fail("Listening", 1, cannot)
		s.run()
		s.wantJob(runner.Success, "", "")
		s.wantNotice("db", "it is taken to answer: Listening: "+cannot.Error())
	})
	t.Run("as asked for", func(t *testing.T) {
		s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
		s.runs("db", runnertest.Block())
		s.eng.Fail("Listening", 1, cannot)
		s.run()
		reason := "cannot be asked: Listening: " + cannot.Error() + "; give it a healthcheck with a command"
		s.wantStep("test", runner.Error, "service db "+reason)
		s.wantJob(runner.Error, "service db failed: "+reason, "db")
	})
}

// TestEngineThatFailsForAWhile: a check that could not be made is one that
// failed, and not the last.
func TestEngineThatFailsForAWhile(t *testing.T) {
	s := serving(t, with(step("db"), checked(pipeline.Healthcheck{Port: 5432})))
	s.runs("db", func(p *runnertest.Process) int {
		p.Listen(5432)
		return runnertest.Block()(p)
	})
	s.eng.Fail("Listening", 1, errors.New("connection reset"))
	s.run()
	s.wantJob(runner.Success, "", "")
}

func TestDetachedStepWithAHealthcheck(t *testing.T) {
	s := newScenario(t, with(step("server"), detached, checked(pipeline.Healthcheck{Port: 80})), step("test", "server"))
	ready := make(chan struct{})
	s.runs("server", listenAfter(ready, 80))
	s.start()
	s.waits("waiting for server to answer on 80")
	close(ready)
	s.wait()
	s.wantJob(runner.Success, "", "")
}

// TestStepThatNamesItsServices: another service that cannot be run is none of
// its concern.
func TestStepThatNamesItsServices(t *testing.T) {
	s := serving(t, step("db"), with(step("all"), func(p *pipeline.Step) { p.Services = []string{"db", "cache"} }))
	s.services(step("db"), step("cache"))
	s.runs("db", runnertest.Block())
	s.eng.Missing("image-cache")
	s.run()
	s.wantStep("test", runner.Success, "")
	s.wantStep("all", runner.Skipped, "service cache failed")
	s.wantJob(runner.Error, "service cache failed: image image-cache not found: manifest unknown", "cache")
}
