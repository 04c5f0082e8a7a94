package pause

import (
	"runtime"
	"syscall"
	"unsafe"
)

// capabilityVersion3 is _LINUX_CAPABILITY_VERSION_3: two words of 32 bits for
// each set (capset(2)).
const capabilityVersion3 = 0x20080522

type capabilityHeader struct {
	version uint32
	pid     int32
}

// capabilityData has a word of the effective, permitted and inheritable sets.
type capabilityData [3]uint32

// dropCapabilities empties the sets of all threads. Docker has set
// no_new_privs, so that nothing brings them back.
func dropCapabilities() error {
	header := capabilityHeader{version: capabilityVersion3} // pid 0: the calling thread
	var data [2]capabilityData
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0) //nolint:gosec // what the system call takes
	runtime.KeepAlive(&header)
	runtime.KeepAlive(&data)
	if errno != 0 {
		return errno
	}
	return nil
}
