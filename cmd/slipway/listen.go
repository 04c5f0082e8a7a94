package main

import (
	"fmt"
	"net"
	"net/netip"
)

// guardedListener refuses what comes from the networks of jobs: builds have no
// business with the server, whose address of the many that this machine has they
// could find out. Such a connection is closed as soon as it is accepted.
//
// A server that is itself in a container is out of their reach already: the
// engine drops what goes from one of its bridges to another, published ports
// included. One that shares the host's network sees their own addresses, as a
// server on the host does: nothing is translated on the way to this machine.
type guardedListener struct {
	net.Listener
	jobs netip.Prefix
}

// listen listens on addr for everyone but jobs.
func listen(addr string, jobs netip.Prefix) (net.Listener, error) {
	l, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
	if err != nil {
		return nil, fmt.Errorf("listen: %w; set SLIPWAY_ADDR to a free address", err)
	}
	return guardedListener{l, jobs}, nil
}

// Accept implements net.Listener.
func (l guardedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		remote, ok := conn.RemoteAddr().(*net.TCPAddr)
		if ok && !l.jobs.Contains(remote.AddrPort().Addr().Unmap()) {
			return conn, nil
		}
		conn.Close()
	}
}
