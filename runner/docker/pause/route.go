package pause

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
)

// blackhole makes a prefix unreachable in this network namespace. A route that
// is more specific, such as that of the namespace's own network, goes before it.
// A namespace in which IPv6 is off needs no routes for it.
func blackhole(prefix netip.Prefix) error {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	if err := syscall.Sendto(fd, newRoute(prefix.Masked()), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, syscall.Getpagesize())
	n, _, err := syscall.Recvfrom(fd, answer, 0)
	if err != nil {
		return err
	}
	err = acknowledged(answer[:n])
	switch {
	case errors.Is(err, syscall.EEXIST):
		return nil
	case prefix.Addr().Is6() && (errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EAFNOSUPPORT)):
		return nil // what the kernel answers where IPv6 is disabled
	}
	return err
}

// newRoute is the request for a blackhole route in the main table, with an
// answer (rtnetlink(7)).
func newRoute(prefix netip.Prefix) []byte {
	family, dst := byte(syscall.AF_INET), prefix.Addr().AsSlice()
	if prefix.Addr().Is6() {
		family = syscall.AF_INET6
	}
	length := syscall.SizeofNlMsghdr + syscall.SizeofRtMsg + syscall.SizeofRtAttr + len(dst)
	b := make([]byte, 0, length)
	b = binary.NativeEndian.AppendUint32(b, uint32(length))
	b = binary.NativeEndian.AppendUint16(b, syscall.RTM_NEWROUTE)
	b = binary.NativeEndian.AppendUint16(b, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|syscall.NLM_F_CREATE|syscall.NLM_F_EXCL)
	b = binary.NativeEndian.AppendUint32(b, 1) // sequence
	b = binary.NativeEndian.AppendUint32(b, 0) // port: the kernel's

	b = append(b, family, byte(prefix.Bits()), 0, 0, syscall.RT_TABLE_MAIN, syscall.RTPROT_STATIC, syscall.RT_SCOPE_UNIVERSE, syscall.RTN_BLACKHOLE)
	b = binary.NativeEndian.AppendUint32(b, 0) // flags

	b = binary.NativeEndian.AppendUint16(b, uint16(syscall.SizeofRtAttr+len(dst)))
	b = binary.NativeEndian.AppendUint16(b, syscall.RTA_DST)
	return append(b, dst...)
}

// acknowledged returns the error that an answer tells of.
func acknowledged(answer []byte) error {
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if m.Header.Type != syscall.NLMSG_ERROR || len(m.Data) < 4 {
			continue
		}
		if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
			return syscall.Errno(-code)
		}
		return nil
	}
	return errors.New("the kernel did not answer")
}
