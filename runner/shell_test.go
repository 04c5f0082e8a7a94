package runner_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// inShell runs commands as a step, whose container is a shell of this machine,
// and returns the rows of the log and the exit code.
func inShell(t *testing.T, shell, lines []string) (rows []string, code int) {
	t.Helper()
	s := newScenario(t, with(step("build"), commands(lines...)))
	s.job.Workflow.Workspace = pipeline.Workspace{Base: t.TempDir(), Path: "src"}
	s.runs("build", func(p *runnertest.Process) int {
		script := p.Spec().Cmd[0]
		cmd := exec.Command(shell[0], append(shell[1:len(shell):len(shell)], "-c", script)...)
		cmd.Stdin = strings.NewReader(p.Line() + "\n")
		cmd.Env = append(os.Environ(), "HOME=/root")
		cmd.Stdout, cmd.Stderr = p.Stdout(), p.Stderr()
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			return exit.ExitCode()
		case err != nil:
			t.Errorf("%s: %v", strings.Join(shell, " "), err)
		}
		return 0
	})
	s.run()
	for _, row := range s.ledger.rows(1) {
		if !strings.HasPrefix(row, "# ") {
			rows = append(rows, row)
		}
	}
	return rows, s.ledger.state.Results[1].ExitCode
}
