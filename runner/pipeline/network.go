package pipeline

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// domain is a name that can be looked up, loosely, of any length.
var domain = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$`)

// maxDomain is the most bytes of a domain, without a dot at its end.
const maxDomain = 253

func isDomain(s string) bool {
	return len(strings.TrimSuffix(s, ".")) <= maxDomain && domain.MatchString(s)
}

// dns are the name servers of a container.
type dns struct{ confidentials }

func (v *dns) decode(d *decoder, n *yaml.Node) {
	v.confidentials.decode(d, n)
	v.check(d, addressFault, "write for example `1.1.1.1`")
}

func addressFault(s string) string {
	if _, err := netip.ParseAddr(s); err != nil {
		return "is not an IP address"
	}
	return ""
}

// dnsSearch are the domains in which a container looks up short names.
type dnsSearch struct{ confidentials }

func (v *dnsSearch) decode(d *decoder, n *yaml.Node) {
	v.confidentials.decode(d, n)
	v.check(d, domainFault, "write for example `corp.example.com`")
}

func domainFault(s string) string {
	if !isDomain(s) && s != "." {
		return "is not a domain"
	}
	return ""
}

// extraHosts are further host names, as "host:address".
type extraHosts struct{ confidentials }

// hostGateway is an address that stands for the machine itself.
const hostGateway = "host-gateway"

func (v *extraHosts) decode(d *decoder, n *yaml.Node) {
	v.confidentials.decode(d, n)
	v.check(d, extraHostFault, "write for example `db.local:10.0.0.7`")
	for i := range v.items {
		if item := &v.items[i]; item.secret == "" {
			item.value = extraHost(item.value)
		}
	}
}

// splitExtraHost reads "host:address" and "host=address".
func splitExtraHost(s string) (host, address string, ok bool) {
	host, address, ok = strings.Cut(s, "=")
	if !ok {
		host, address, ok = strings.Cut(s, ":")
	}
	return host, strings.Trim(address, "[]"), ok
}

// extraHost returns "host:address" as the engine reads it.
func extraHost(s string) string {
	host, address, _ := splitExtraHost(s)
	return host + ":" + address
}

func extraHostFault(s string) string {
	host, address, ok := splitExtraHost(s)
	if !ok || !isDomain(host) || address != hostGateway && addressFault(address) != "" {
		return "is not a host and its address"
	}
	return ""
}

// networkMode is the network that a container joins.
type networkMode struct{ confidential }

// networkNone is no network at all.
const networkNone = "none"

func (v *networkMode) decode(d *decoder, n *yaml.Node) {
	v.confidential.decode(d, n)
	if v.value != "" && networkFault(v.value) != "" {
		d.report(n, fmt.Sprintf("`network_mode` cannot be `%s`", clip(v.value)), "write `none`, `bridge`, `host` or the name of a network")
	}
}

func networkFault(s string) string {
	if !isVolumeName(s) {
		return "is not the name of a network"
	}
	return ""
}

// backendOptions are options of what runs the containers.
type backendOptions struct {
	Docker dockerOptions `yaml:"docker" doc:"Options of the Docker engine."`
}

func (o *backendOptions) decode(d *decoder, n *yaml.Node) {
	if n.Tag != "!!null" {
		d.object(n, "backend_options", o)
	}
}

// dockerOptions are options of the Docker engine.
type dockerOptions struct {
	User user `yaml:"user" doc:"Who to run as in the container: a name, a number, or user:group."`
}

func (o *dockerOptions) decode(d *decoder, n *yaml.Node) {
	if n.Tag != "!!null" {
		d.object(n, "docker", o)
	}
}

// user is whom a container runs as.
type user struct{ confidential }

var userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

func (u *user) decode(d *decoder, n *yaml.Node) {
	u.confidential.decode(d, n)
	if f := userFault(u.value); u.value != "" && f != "" {
		d.report(n, fmt.Sprintf("`%s` %s", clip(u.value), f), "write for example `1000:1000`")
	}
}

func userFault(s string) string {
	if !userName.MatchString(s) {
		return "is not a user"
	}
	return ""
}
