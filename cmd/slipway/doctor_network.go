package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
)

// checkURL looks whether GitHub and people could reach the server at its URL.
// Whether they do is known to GitHub alone.
func (d *doctor) checkURL(context.Context) (found findings) {
	u, err := url.Parse(d.config.URL)
	if err != nil || u.Host == "" {
		found.mend(fmt.Sprintf("SLIPWAY_URL is %q", d.config.URL), "make it the address of this server, like https://ci.example.org")
		return found
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	isAddr := err == nil
	own := d.config.GitHubURL != "" // an enterprise's may stand in the same network
	switch {
	case host == "localhost" || isAddr && (addr.IsLoopback() || addr.IsUnspecified()):
		found.mend(d.config.URL+" leads whoever follows it to their own machine, so no webhook arrives and no status links here",
			"set SLIPWAY_URL to the address that GitHub and people reach this server at")
		return found
	case isAddr && (addr.IsPrivate() || addr.IsLinkLocalUnicast()) && !own,
		!isAddr && (!strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")) && !own:
		found.mend(d.config.URL+" is an address of a private network, which GitHub cannot send webhooks to",
			"set SLIPWAY_URL to a public address, of a proxy for example")
	}
	if u.Scheme == "http" {
		found.warn(d.config.URL+" is not encrypted: logs, source and the admin token can be read on the way", "put a proxy with HTTPS in front, and make SLIPWAY_URL begin with https://")
	}
	return found.orOK(d.config.URL + "; the webhook goes to " + strings.TrimSuffix(d.config.URL, "/") + "/webhook")
}

// enginePools are where an engine takes networks from that is told nothing, see
// https://docs.docker.com/engine/network/#automatic-subnet-allocation.
var enginePools = []netip.Prefix{
	netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/16"), netip.MustParsePrefix("172.19.0.0/16"),
	netip.MustParsePrefix("172.20.0.0/14"), netip.MustParsePrefix("172.24.0.0/14"), netip.MustParsePrefix("172.28.0.0/14"),
	netip.MustParsePrefix("192.168.0.0/16"),
}

// checkNetworks looks for whoever else uses the range of job networks.
func (d *doctor) checkNetworks(ctx context.Context) (found findings) {
	jobs := d.config.networks
	if !jobs.IsValid() {
		found.mend("SLIPWAY_JOB_NETWORKS is no range", "see settings")
		return found
	}
	const remedy = "set SLIPWAY_JOB_NETWORKS to a range that nobody uses"
	pools := enginePools
	if given := d.engine.Load().info.DefaultAddressPools; len(given) > 0 {
		pools = nil
		for _, p := range given {
			if prefix, err := netip.ParsePrefix(p.Base); err == nil {
				pools = append(pools, prefix)
			}
		}
	}
	for _, p := range pools {
		if p.Overlaps(jobs) {
			found.warn(fmt.Sprintf("%s is also where the engine takes other networks from (%s)", jobs, p), remedy)
		}
	}
	networks, err := d.cli.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		found.mend("cannot list networks: "+err.Error(), "see the engine's log: journalctl -u docker")
		return found
	}
	bridges := map[netip.Prefix]bool{}
	for _, n := range networks {
		for _, c := range n.IPAM.Config {
			prefix, err := netip.ParsePrefix(c.Subnet)
			if err != nil || !prefix.Overlaps(jobs) {
				continue
			}
			bridges[prefix.Masked()] = true
			if n.Labels[runner.LabelServer] == "" {
				found.warn(fmt.Sprintf("the network %s has %s, which is in %s", n.Name, prefix, jobs), "remove it (docker network rm "+n.Name+"), or "+remedy)
			}
		}
	}
	if isLocal(d.cli) {
		checkInterfaces(&found, jobs, bridges)
	}
	return found.orOK(fmt.Sprintf("%s is free for %d of them", jobs, 1<<(24-jobs.Bits())))
}

// checkInterfaces looks for an address of this machine in the range of jobs that
// is not one of the engine's bridges.
func checkInterfaces(found *findings, jobs netip.Prefix, bridges map[netip.Prefix]bool) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		found.warn("cannot list the addresses of this machine: "+err.Error(), "see that none is in "+jobs.String())
		return
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Overlaps(jobs) && !bridges[prefix.Masked()] {
			found.mend(fmt.Sprintf("this machine has the address %s, which is in the range of jobs, %s: they would be out of each other's reach", a, jobs),
				"set SLIPWAY_JOB_NETWORKS to a range that nobody uses")
		}
	}
}

// isLocal reports whether an engine is on this machine.
func isLocal(cli client.APIClient) bool { return strings.HasPrefix(cli.DaemonHost(), "unix://") }

// checkDNS looks whether builds can reach a name server.
func (d *doctor) checkDNS(context.Context) (found findings) {
	servers, whose, remedy := make([]netip.Addr, 0, len(d.config.BuildDNS)), "SLIPWAY_BUILD_DNS", "name others"
	for _, s := range d.config.BuildDNS {
		if a, err := netip.ParseAddr(s); err == nil { // settings tell the others
			servers = append(servers, a)
		}
	}
	if len(d.config.BuildDNS) == 0 {
		if !isLocal(d.cli) {
			found.ok("the engine's, which is on another machine; not looked at")
			return found
		}
		var err error
		if servers, err = docker.Resolvers(); err != nil {
			found.warn(err.Error(), "set SLIPWAY_BUILD_DNS to name servers for builds")
			return found
		}
		whose, remedy = "the engine", "set SLIPWAY_BUILD_DNS to name servers that they can reach, such as 9.9.9.9"
	}
	if blocked := docker.Unreachable(servers); len(blocked) > 0 {
		found.mend(fmt.Sprintf("%s uses %s, which builds cannot reach: it is where clouds tell a machine's credentials", whose, join(blocked)), remedy)
	}
	return found.orOK(join(servers) + ", of " + whose)
}

func join(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}
