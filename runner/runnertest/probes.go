package runnertest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

func execInContainer(r *rig) {
	id := r.begun(r.spec(answering))
	got, err := r.engine.Exec(r.ctx, id, []string{"/bin/sh", "-c", bothWords.sh})
	r.ok("Exec", err)
	if got.ExitCode != 3 || !strings.Contains(got.Output, "out\n") || !strings.Contains(got.Output, "err\n") {
		r.Errorf("%+v, want both streams and exit code 3", got)
	}
	got, err = r.engine.Exec(r.ctx, id, []string{"/bin/sh", "-c", fastWriter.sh})
	r.ok("Exec", err)
	if got.ExitCode != 0 || len(got.Output) != 1024 {
		r.Errorf("of much output it keeps %d bytes, with exit code %d", len(got.Output), got.ExitCode)
	}
	got, err = r.engine.Exec(r.ctx, id, []string{"/no/such/command"})
	r.ok("Exec of what is not there", err)
	if got.ExitCode != 126 && got.ExitCode != 127 {
		r.Errorf("exit code %d of a command that is not there", got.ExitCode)
	}
}

// execAsUser: a command runs as the container does.
func execAsUser(r *rig) {
	s := r.shell("echo ready; exec sleep 300")
	s.User, s.Env = "1000", []string{"WORD=here"}
	got, err := r.engine.Exec(r.ctx, r.begun(s), []string{"/bin/sh", "-c", "id -u; echo $WORD"})
	r.ok("Exec", err)
	if got.ExitCode != 0 || got.Output != "1000\nhere\n" {
		r.Errorf("%+v, want the user and the environment of the container", got)
	}
}

// execEndsWithContext: a command that hangs does not hold up who asked.
func execEndsWithContext(r *rig) {
	id := r.begun(r.shell("echo ready; exec sleep 300"))
	ctx, cancel := context.WithTimeout(r.ctx, 300*time.Millisecond)
	defer cancel()
	if got, err := r.engine.Exec(ctx, id, []string{"sleep", "300"}); !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("a command that hangs: %+v, %v", got, err)
	}
}

func execNeedsOneThatRuns(r *rig) {
	command := []string{"/bin/sh", "-c", bothWords.sh}
	_, err := r.engine.Exec(r.ctx, r.name(), command)
	r.is("Exec in nothing", err, runner.ErrNotFound)
	_, err = r.engine.Listening(r.ctx, r.name(), 80)
	r.is("Listening of nothing", err, runner.ErrNotFound)
	ended := r.create(r.spec(exitZero))
	r.start(ended)
	r.wait(ended)
	for _, id := range []string{ended, r.create(r.spec(exitZero))} {
		if got, err := r.engine.Exec(r.ctx, id, command); err == nil {
			r.Errorf("a command ran in a container that does not: %+v", got)
		}
		if _, err := r.engine.Listening(r.ctx, id, 80); err == nil {
			r.Error("a container that does not run was asked for a port")
		}
	}
}

// listeningTells: only what others can reach counts.
func listeningTells(r *rig) {
	for name, prefix := range map[string]string{"with cat": "", "without cat": "rm /bin/cat; "} {
		s := r.shell(prefix + "httpd -p 8081; httpd -p 127.0.0.1:8082; echo ready; exec sleep 300")
		s.NetworkID = r.network()
		id := r.begun(s)
		for port, want := range map[int]bool{8081: true, 8082: false, 8083: false} {
			if got, err := r.engine.Listening(r.ctx, id, port); err != nil || got != want {
				r.Errorf("%s: port %d is listened on: %v, %v; want %v", name, port, got, err, want)
			}
		}
	}
}

// listeningCannotTell: without a network and without cat there is no way.
func listeningCannotTell(r *rig) {
	id := r.begun(r.shell("rm /bin/cat; httpd -p 8081; echo ready; exec sleep 300"))
	_, err := r.engine.Listening(r.ctx, id, 8081)
	r.is("Listening", err, runner.ErrNoProbe)
	if err != nil && !strings.Contains(err.Error(), strconv.Itoa(8081)) {
		r.Errorf("the error names no port: %v", err)
	}
}

// begun starts a container and returns its ID when it says that it is ready.
func (r *rig) begun(s runner.ContainerSpec) (id string) {
	r.Helper()
	f := r.begin(s)
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	return f.id
}
