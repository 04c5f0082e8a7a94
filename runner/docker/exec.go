package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// execOutput is how much of a command's output is kept, in bytes.
const execOutput = 1 << 10

// errRunning: the command has not ended.
var errRunning = errors.New("the command runs on")

// Exec implements runner.Engine.
func (e *Engine) Exec(ctx context.Context, containerID string, command []string) (runner.ExecResult, error) {
	last := &tail{limit: execOutput}
	code, err := e.exec(ctx, containerID, command, last, last)
	return runner.ExecResult{ExitCode: code, Output: last.String()}, err
}

// exec runs a command in a container and returns its exit code.
func (e *Engine) exec(ctx context.Context, id string, command []string, stdout, stderr io.Writer) (int, error) {
	made, err := e.cli.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, wrap("run command in", "container", id, err)
	}
	resp, err := e.cli.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, wrap("run command in", "container", id, err)
	}
	out := newOutput(ctx, resp.Reader, resp.Conn)
	defer out.Close()
	if err := out.Copy(stdout, stderr); err != nil {
		return 0, fmt.Errorf("run command in container %s: %w", id, err)
	}
	return e.exitCode(ctx, made.ID)
}

// exitCode returns the exit code of a command whose output has ended, which the
// engine may tell a little later.
func (e *Engine) exitCode(ctx context.Context, exec string) (code int, err error) {
	err = retry(ctx, func(err error) bool { return errors.Is(err, errRunning) }, func() error {
		state, err := e.cli.ContainerExecInspect(ctx, exec)
		if err == nil && state.Running {
			return errRunning
		}
		code = state.ExitCode
		return err
	})
	return code, wrap("inspect", "command", exec, err)
}

// tail keeps the last bytes that are written to it.
type tail struct {
	limit int

	mu   sync.Mutex // guards text
	text []byte
}

// Write implements io.Writer. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-t.limit):]...)
	t.text = t.text[max(0, len(t.text)-t.limit):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
