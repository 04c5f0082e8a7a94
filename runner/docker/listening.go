package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

const (
	// maxSockets bounds what is read of a container's list of sockets, in bytes.
	// The kernel lists those that listen before all others.
	maxSockets = 1 << 20
	// dialTimeout is long for a bridge of this machine.
	dialTimeout = time.Second
)

// Listening implements runner.Engine. The engine has no answer of its own, may
// be far away, and the container's network is then out of reach. So the kernel's
// list of sockets is read inside the container. An image without cat is asked by
// connecting, which works if the engine is on this machine and we are not in a
// container ourselves.
func (e *Engine) Listening(ctx context.Context, containerID string, port int) (bool, error) {
	sockets := &head{limit: maxSockets}
	// Without IPv6 the second file is missing, and cat fails after the first.
	code, err := e.exec(ctx, containerID, []string{"cat", "/proc/net/tcp", "/proc/net/tcp6"}, sockets, io.Discard)
	if err != nil {
		return false, err
	}
	if bytes.Contains(sockets.text, []byte("local_address")) {
		return listens(sockets.text, port), nil
	}
	address, err := e.address(ctx, containerID)
	if err != nil {
		return false, err
	}
	if address == "" {
		return false, fmt.Errorf("%w whether port %d is listened on: the image has no cat (exit code %d)", runner.ErrNoProbe, port, code)
	}
	return dial(ctx, address, port)
}

// dial connects to a port. A refusal is an answer; that nothing is heard is not.
func dial(ctx context.Context, address string, port int) (bool, error) {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	switch {
	case err == nil:
		conn.Close()
		return true, nil
	case says(err, "refused"):
		return false, nil
	default:
		return false, fmt.Errorf("%w whether port %d is listened on: the image has no cat, and the container cannot be reached: %w", runner.ErrNoProbe, port, err)
	}
}

// address returns where a container can be reached from here, or nothing if its
// engine is elsewhere or it has no network.
func (e *Engine) address(ctx context.Context, id string) (string, error) {
	if !strings.HasPrefix(e.cli.DaemonHost(), "unix://") {
		return "", nil
	}
	c, err := e.cli.ContainerInspect(ctx, id)
	if err != nil {
		return "", wrap("inspect", "container", id, err)
	}
	if box, joined := strings.CutPrefix(string(c.HostConfig.NetworkMode), "container:"); joined {
		return e.address(ctx, box)
	}
	if c.NetworkSettings != nil {
		for _, n := range c.NetworkSettings.Networks {
			if n.IPAddress != "" {
				return n.IPAddress, nil
			}
		}
	}
	return "", nil
}

// listens reports whether a socket of /proc/net/tcp or tcp6 listens on port for
// others than the container itself.
func listens(sockets []byte, port int) bool {
	const listen = "0A"
	want := fmt.Sprintf(":%04X", port)
	for line := range bytes.Lines(sockets) {
		f := strings.Fields(string(line))
		if len(f) < 4 || f[3] != listen {
			continue
		}
		if address, ok := strings.CutSuffix(f[1], want); ok && !loopback(address) {
			return true
		}
	}
	return false
}

// loopback reports whether an address is one of 127.0.0.0/8, also as an IPv6
// address, or ::1. They stand in words of 32 bits whose bytes are reversed.
func loopback(address string) bool {
	const zeros, mapped = "0000000000000000", "0000000000000000FFFF0000"
	v4 := strings.TrimPrefix(address, mapped)
	return len(v4) == 8 && strings.HasSuffix(v4, "7F") || address == zeros+"0000000001000000"
}

// head keeps the first bytes that are written to it.
type head struct {
	limit int
	text  []byte
}

// Write implements io.Writer. It never fails.
func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), h.limit-len(h.text))]...)
	return len(p), nil
}
