package source

import (
	"fmt"
	"os/exec"
	"syscall"
)

// guard puts a process into a process group that kills the group when this
// process dies, however it dies. procAttr sees to git itself, but not to its
// helpers: they may hang on a connection, with the credential in their
// environment, until the remote stalls for too long.
//
// release ends the group, and is called when git has ended.
func guard(pgid int) (release func(), err error) {
	//nolint:noctx // it ends with this process or by release, and kills itself
	sh := exec.Command("/bin/sh", "-c", "read _; kill -KILL 0")
	sh.Env = []string{}
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: pgid}
	ours, err := sh.StdinPipe() // closed by the kernel when this process ends
	if err != nil {
		return nil, fmt.Errorf("guard git: %w", err)
	}
	if err := sh.Start(); err != nil {
		return nil, fmt.Errorf("guard git: %w", err)
	}
	return func() {
		_ = ours.Close()
		_ = sh.Wait() // it kills itself with the group
	}, nil
}
