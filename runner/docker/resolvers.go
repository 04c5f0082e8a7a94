package docker

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Where an engine finds the name servers that it hands on to containers: in
// systemd's list, if all that the usual one has is systemd's stub. See
// https://docs.docker.com/engine/network/#dns-services.
const (
	resolvConf        = "/etc/resolv.conf"
	systemdResolvConf = "/run/systemd/resolve/resolv.conf"
	systemdStub       = "127.0.0.53"
)

// Resolvers returns the name servers that an engine on this machine uses for
// containers, unless it was configured with others.
func Resolvers() ([]netip.Addr, error) {
	servers, err := readResolvers(resolvConf)
	if err == nil && len(servers) == 1 && servers[0].String() == systemdStub {
		servers, err = readResolvers(systemdResolvConf)
	}
	if err != nil {
		return nil, fmt.Errorf("find name servers: %w", err)
	}
	return servers, nil
}

// Unreachable returns those of the addresses that builds cannot reach. Their
// queries leave from a sandbox, where such addresses lead nowhere.
func Unreachable(addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		return !slices.ContainsFunc(metadataServices, func(p netip.Prefix) bool { return p.Contains(a) })
	})
}

func readResolvers(path string) ([]netip.Addr, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseResolvers(f)
}

// parseResolvers reads the nameserver lines of a resolv.conf(5). What is no
// address is passed over, as by everybody else who reads it.
func parseResolvers(r io.Reader) (found []netip.Addr, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			found = append(found, a.WithZone("").Unmap())
		}
	}
	return found, lines.Err()
}
