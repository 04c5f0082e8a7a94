package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
)

// guardedListener refuses what comes from the networks of jobs: builds have no
// business with the server, whose address of the many that this machine has they
// could find out. Such a connection is closed as soon as it is accepted.
//
// On the host, or in a container on the host's network, jobs come with their own
// addresses. In a container with a published port they do not: the engine's proxy
// passes them on, and whoever is on the host, with the address of the container's
// gateway (seen on Docker 20.10). What tells the two apart is where the port is
// published: jobs do not get at 127.0.0.1 of the host.
type guardedListener struct {
	net.Listener
	refused []netip.Prefix
}

// listen listens on addr for everyone but those who are refused.
func listen(addr string, refused ...netip.Prefix) (net.Listener, error) {
	l, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
	if err != nil {
		return nil, fmt.Errorf("listen: %w; set SLIPWAY_ADDR to a free address", err)
	}
	return guardedListener{l, refused}, nil
}

// Accept implements net.Listener.
func (l guardedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.refuses(conn.RemoteAddr()) {
			return conn, err
		}
		conn.Close()
	}
}

func (l guardedListener) refuses(remote net.Addr) bool {
	a, ok := remote.(*net.TCPAddr)
	if !ok {
		return true
	}
	from := a.AddrPort().Addr().Unmap()
	for _, p := range l.refused {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

// warnInContainer tells the operator of a server in a container what its listener
// cannot do.
func warnInContainer(log *slog.Logger) {
	if _, err := os.Stat("/.dockerenv"); err == nil {
		log.Warn("this server runs in a container, where builds reach its port if that is published on every address of the host: " +
			"publish it on 127.0.0.1 behind a proxy on the host, or use the host's network")
	}
}
