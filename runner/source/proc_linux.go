package source

import "syscall"

// procAttr puts git and its helpers in a process group of their own, to be
// killed together, and has git killed when this process dies without a chance
// to do so. The latter is bound to the thread that starts it: see gitCmd.wait.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
