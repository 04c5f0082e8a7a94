package pipeline

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// domain is a name that can be looked up, loosely.
var domain = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$`)

// dns are the name servers of a container.
type dns struct{ texts }

func (v *dns) decode(d *decoder, n *yaml.Node) {
	v.texts.decode(d, n)
	for _, item := range v.items {
		if _, err := netip.ParseAddr(item.value); err != nil {
			d.report(item.node, fmt.Sprintf("`%s` is not an IP address", clip(item.value)), "write for example `1.1.1.1`")
		}
	}
}

// dnsSearch are the domains in which a container looks up short names.
type dnsSearch struct{ texts }

func (v *dnsSearch) decode(d *decoder, n *yaml.Node) {
	v.texts.decode(d, n)
	for _, item := range v.items {
		if !domain.MatchString(item.value) && item.value != "." {
			d.report(item.node, fmt.Sprintf("`%s` is not a domain", clip(item.value)), "write for example `corp.example.com`")
		}
	}
}

// extraHosts are further host names, as "host:address".
type extraHosts struct{ texts }

// hostGateway is an address that stands for the machine itself.
const hostGateway = "host-gateway"

func (v *extraHosts) decode(d *decoder, n *yaml.Node) {
	v.texts.decode(d, n)
	for i, item := range v.items {
		host, address, ok := strings.Cut(item.value, "=")
		if !ok {
			host, address, ok = strings.Cut(item.value, ":")
		}
		_, err := netip.ParseAddr(strings.Trim(address, "[]"))
		if !ok || !domain.MatchString(host) || err != nil && address != hostGateway {
			d.report(item.node, fmt.Sprintf("`%s` is not a host and its address", clip(item.value)), "write for example `db.local:10.0.0.7`")
			continue
		}
		v.items[i].value = host + ":" + strings.Trim(address, "[]")
	}
}

// networkMode is the network that a container joins.
type networkMode struct{ text }

// networkNone is no network at all.
const networkNone = "none"

func (v *networkMode) decode(d *decoder, n *yaml.Node) {
	v.text.decode(d, n)
	if v.value != "" && !volumeName.MatchString(v.value) {
		d.report(n, fmt.Sprintf("`network_mode` cannot be `%s`", clip(v.value)), "write `none`, `bridge`, `host` or the name of a network")
	}
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
type user struct{ text }

var userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

func (u *user) decode(d *decoder, n *yaml.Node) {
	u.text.decode(d, n)
	if u.value != "" && !userName.MatchString(u.value) {
		d.report(n, fmt.Sprintf("`%s` is not a user", clip(u.value)), "write for example `1000:1000`")
	}
}
