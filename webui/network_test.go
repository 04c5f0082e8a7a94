package webui_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// ownNetwork tells the tests that their network is their own.
const ownNetwork = "SLIPWAY_TEST_OWN_NETWORK"

// inOwnNetwork runs the tests again, in a network namespace with nothing but
// loopback, and returns their exit code. In that of the machine, chromium ends
// all connections (ERR_NETWORK_CHANGED) whenever an interface comes or goes, as
// containers' do all the time. Who is not root stays in it.
func inOwnNetwork() (code int, ran bool) {
	if os.Getenv(ownNetwork) != "" || os.Geteuid() != 0 {
		return 0, false
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), ownNetwork+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, true
	case errors.As(err, &exit):
		return exit.ExitCode(), true
	default:
		return 0, false // no namespace is to be had, such as in a container
	}
}

// raiseLoopback makes 127.0.0.1 one that answers in a new network namespace.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func TestMain(m *testing.M) {
	if code, ran := inOwnNetwork(); ran {
		os.Exit(code)
	}
	if os.Getenv(ownNetwork) != "" {
		if err := raiseLoopback(); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	stopChromium()
	os.Exit(code)
}
