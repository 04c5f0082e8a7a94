package runnertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	dockercontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/docker"
)

// Daemon is a Docker engine of a test's own, beside that of the machine, which
// can be killed and started again. It has a network namespace of its own, since
// an engine without a bridge removes that of the machine when it starts, and
// networks that are made in it lead nowhere.
type Daemon struct {
	tb   testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
}

// NewDaemon starts an engine, with further flags for dockerd, and returns when
// it answers. It needs root. At the end of the test it is stopped, and all that
// it had is removed.
func NewDaemon(tb testing.TB, flags ...string) *Daemon {
	tb.Helper()
	dir, err := os.MkdirTemp("", "engine-") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // users that the engine maps have to come through
		tb.Fatal(err)
	}
	d := &Daemon{tb: tb, dir: dir, args: append([]string{
		"--data-root", filepath.Join(dir, "root"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--host", socketURL(dir), "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false",
	}, flags...)}
	tb.Cleanup(d.close)
	d.Start()
	return d
}

func socketURL(dir string) string { return "unix://" + filepath.Join(dir, "docker.sock") }

// Client returns a client for the engine, closed with the test.
func (d *Daemon) Client() *client.Client {
	d.tb.Helper()
	cli, err := docker.Dial(socketURL(d.dir))
	if err != nil {
		d.tb.Fatal(err)
	}
	d.tb.Cleanup(func() { cli.Close() })
	return cli
}

// Image is Image for this engine.
func (d *Daemon) Image() string {
	d.tb.Helper()
	return importImage(d.tb, d.Client(), "slipway/busybox:test")
}

// Start starts the engine after Kill or Stop and returns when it answers.
func (d *Daemon) Start() {
	d.tb.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.tb.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command("dockerd", d.args...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := d.cmd.Start(); err != nil {
		d.tb.Fatal("this test needs dockerd, and to be root: ", err)
	}
	cli := d.Client()
	deadline := time.Now().Add(patience)
	for {
		if _, err = cli.Ping(d.tb.Context()); err == nil {
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			d.tb.Fatalf("the engine does not answer: %v\n%s", err, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the engine as a crash does. Its containers run on.
func (d *Daemon) Kill() { d.end(syscall.SIGKILL) }

// Stop ends the engine in order, and with it its containers, unless it has
// --live-restore.
func (d *Daemon) Stop() { d.end(syscall.SIGTERM) }

func (d *Daemon) end(s syscall.Signal) {
	_ = d.cmd.Process.Signal(s) // it may have ended
	_ = d.cmd.Wait()            // with an error, as it was asked to
	// These keep the next from starting while a process has that number, be it
	// one that has ended and waits for init to take note.
	_ = os.Remove(filepath.Join(d.dir, "pid"))
	_ = os.Remove(filepath.Join(d.dir, "exec", "containerd", "containerd.pid"))
}

func (d *Daemon) close() {
	if d.cmd == nil {
		return
	}
	if d.cmd.ProcessState != nil { // a test that failed in between
		d.Start()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := removeAll(ctx, d.Client()); err != nil {
		d.tb.Errorf("clean up: %v", err)
	}
	d.Stop()
	d.unmount()
	if err := os.RemoveAll(d.dir); err != nil {
		d.tb.Errorf("clean up: %v", err)
	}
}

// unmount lets go of what an engine that was killed had mounted.
func (d *Daemon) unmount() {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		d.tb.Error(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], d.dir+"/") {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH) // else its removal fails
		}
	}
}

// removeAll removes every container of an engine.
func removeAll(ctx context.Context, cli *client.Client) error {
	all, err := cli.ContainerList(ctx, dockercontainer.ListOptions{All: true})
	for _, c := range all {
		err = errors.Join(err, cli.ContainerRemove(ctx, c.ID, dockercontainer.RemoveOptions{Force: true}))
	}
	return err
}
