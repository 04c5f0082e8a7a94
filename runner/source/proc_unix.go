//go:build unix && !linux

package source

import "syscall"

// procAttr puts git and its helpers in a process group of their own, to be
// killed together.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
