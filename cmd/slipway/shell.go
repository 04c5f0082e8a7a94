package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/moby/term"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// shellReady is what a step prints that waits for the shell.
const shellReady = "the shell is ready"

// holdForShell makes a step wait instead of doing its work, so that a shell can
// be opened in its container.
func holdForShell(s *pipeline.Step) {
	s.Kind = pipeline.KindCommands
	s.Entrypoint, s.Args = nil, nil
	s.Retry, s.Timeout = nil, 0 // the person decides how long
	s.Commands = []string{"trap 'exit 0' TERM; while :; do sleep 1; done # " + shellReady}
}

// openShell opens the shell when the step's turn has come, and cancels the run
// when the shell has ended. The returned function waits for that.
func (r *localRun) openShell(ctx context.Context, cancel context.CancelCauseFunc, obs *localObserver, job *runner.Job) (wait func()) {
	if r.Shell == "" {
		return func() {}
	}
	var wg sync.WaitGroup
	obs.onShell = func(step int) {
		wg.Go(func() {
			defer cancel(fmt.Errorf("%w: the shell has ended", runner.ErrCancel))
			name := runner.ContainerName(job.Server, job.ID, step, 1)
			r.view.say("a shell in step %s; leave it with exit", r.Shell)
			r.view.hush(true)
			err := shell(ctx, r.DockerHost, name, job.Workflow.Workspace.Dir())
			r.view.hush(false)
			if err != nil {
				r.view.say("the shell failed: %v", err)
			}
		})
	}
	return wg.Wait
}

// shell runs an interactive shell in a container that runs, on this terminal.
func shell(ctx context.Context, host, name, dir string) error {
	cli, err := docker.Dial(host)
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	in, out := os.Stdin, os.Stdout
	tty := term.IsTerminal(in.Fd())
	exec, err := cli.ContainerExecCreate(ctx, name, container.ExecOptions{
		Cmd: []string{"/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"}, WorkingDir: dir,
		Tty: tty, AttachStdin: true, AttachStdout: true, AttachStderr: true, Env: []string{"TERM=" + os.Getenv("TERM")},
	})
	if err != nil {
		return fmt.Errorf("open shell: %w", err)
	}
	conn, err := cli.ContainerExecAttach(ctx, exec.ID, container.ExecAttachOptions{Tty: tty})
	if err != nil {
		return fmt.Errorf("open shell: %w", err)
	}
	defer conn.Close()
	if tty {
		state, err := term.SetRawTerminal(in.Fd())
		if err != nil {
			return fmt.Errorf("set terminal: %w", err)
		}
		defer func() { _ = term.RestoreTerminal(in.Fd(), state) }()
		resize(ctx, cli, exec.ID, out)
	}
	go func() { // ends with the process: a read of the terminal cannot be cut off
		_, _ = io.Copy(conn.Conn, in)
		_ = conn.CloseWrite()
	}()
	if tty {
		_, err = io.Copy(out, conn.Reader)
	} else {
		_, err = stdcopy.StdCopy(out, os.Stderr, conn.Reader)
	}
	return err
}

// resize tells the engine how large the terminal is.
func resize(ctx context.Context, cli *client.Client, id string, out *os.File) {
	size, err := term.GetWinsize(out.Fd())
	if err == nil {
		_ = cli.ContainerExecResize(ctx, id, container.ResizeOptions{Height: uint(size.Height), Width: uint(size.Width)}) // a wrong size is no reason to stop
	}
}
