package runner_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestSourceComesWhileTheContainerStarts: nothing of a start waits for the
// source, and no command is run without it.
func TestSourceComesWhileTheContainerStarts(t *testing.T) {
	s := newScenario(t, with(step("build"), commands("cat README")))
	fetched := make(chan struct{})
	s.job.Source = func(ctx context.Context) (io.ReadCloser, error) {
		select {
		case <-fetched:
			return io.NopCloser(runnertest.Archive("src/README", "hello")), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	s.runs("build", func(p *runnertest.Process) int {
		if text, _ := p.File("/slipway/src/README"); text != "hello" {
			t.Errorf("the source holds %q", text)
		}
		return 0
	})
	waits := s.ledger.when("done warm/1/1")
	s.start()
	s.reached(waits, "the gate")
	close(fetched)
	s.wait()
	s.wantJob(runner.Success, "", "")
	s.wantOrder("done warm/1/1", "intend start/1/1")
	s.wantOrder("done copy-source/0/0", "intend start/1/1")
}

// TestGateTellsWhatCameLater: what a container's environment could not have.
func TestGateTellsWhatCameLater(t *testing.T) {
	s := newScenario(t, with(step("test"), commands("false")), with(step("tell", "test"), commands("tell"), always))
	lines := make(chan string, 2)
	for name, code := range map[string]int{"test": 1, "tell": 0} {
		s.runs(name, func(p *runnertest.Process) int {
			lines <- p.Line()
			return code
		})
	}
	s.run()
	if got, want := []string{<-lines, <-lines}, []string{":", "export CI_PIPELINE_STATUS='failure'"}; !slices.Equal(got, want) {
		t.Errorf("the gates were opened with %q, want %q", got, want)
	}
}

// TestGateIsOpenedAgain: an answer that was lost may mean either.
func TestGateIsOpenedAgain(t *testing.T) {
	lost := errors.New("unexpected EOF")
	for name, fault := range map[string]func(*runnertest.Engine){
		"failed": func(e *runnertest.Engine) { e.Fail("Open", 1, lost); e.Fail("Open", 2, lost) },
		"lost":   func(e *runnertest.Engine) { e.Lose("Open", 1, lost) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, with(step("build"), commands("make")))
			s.runs("build", say("built\n"))
			fault(s.eng)
			s.run()
			s.wantJob(runner.Success, "", "")
			s.wantOutput("build", "built")
		})
	}
}

// TestGateThatNobodyOpens: a container that is killed at its gate has run
// nothing, and so it is not the step that failed.
func TestGateThatNobodyOpens(t *testing.T) {
	s := newScenario(t, with(step("build"), commands("make")))
	reached, release := s.eng.Hang("Open", 1)
	s.start()
	s.reached(reached, "the gate")
	if err := s.eng.Stop(t.Context(), runner.ContainerName("srv", "j1", 1, 1), 0); err != nil {
		t.Fatal(err)
	}
	release()
	s.wait()
	s.wantJob(runner.Error, "step build failed: its container ended before the commands began", "build")
}

// TestCancelAtTheGate: nobody waits for a source that is not coming.
func TestCancelAtTheGate(t *testing.T) {
	s := newScenario(t, with(step("build"), commands("make")))
	s.job.Source = func(ctx context.Context) (io.ReadCloser, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	s.runs("build", func(*runnertest.Process) int {
		t.Error("a command was run")
		return 0
	})
	waits := s.ledger.when("done warm/1/1")
	s.start()
	s.reached(waits, "the gate")
	s.cancel(runner.ErrCancel)
	s.wait()
	s.wantJob(runner.Canceled, "canceled", "build")
	s.wantNothingLeft()
}
