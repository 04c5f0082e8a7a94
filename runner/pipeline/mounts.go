package pipeline

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// volumeName is what a container engine takes for the name of a volume, of any
// length.
var volumeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]+$`)

// maxVolumeName is the most bytes of one.
const maxVolumeName = 63

func isVolumeName(s string) bool { return len(s) <= maxVolumeName && volumeName.MatchString(s) }

// volumes are folders of the machine, and named volumes, in a container.
type volumes struct {
	items   []Mount
	secrets confidentials // as long as items, for which of them are secrets
	node    *yaml.Node    // nil if the key is not there
}

func (v *volumes) decode(d *decoder, n *yaml.Node) {
	v.node = n
	v.secrets.decode(d, n)
	for _, item := range v.secrets.items {
		m, fault := parseMount(item.value)
		if fault != "" && item.secret == "" {
			d.report(item.node, fmt.Sprintf("`%s` %s", clip(item.value), fault), "write for example `/var/cache/go:/go` or `go-cache:/go:ro`")
		}
		v.items = append(v.items, m)
	}
}

// parseMount reads "source:target[:ro]"; fault says what is wrong with it.
func parseMount(s string) (m Mount, fault string) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return m, "is not a volume"
	}
	m.Source, m.Target = parts[0], parts[1]
	if len(parts) == 3 {
		switch parts[2] {
		case "ro":
			m.ReadOnly = true
		case "rw":
		default:
			return m, "ends with neither `:ro` nor `:rw`"
		}
	}
	switch {
	case path.IsAbs(m.Source):
		m.Kind, m.Source = MountHost, path.Clean(m.Source)
	case isVolumeName(m.Source):
		m.Kind = MountVolume
	default:
		return m, "begins with neither an absolute path nor the name of a volume"
	}
	if !path.IsAbs(m.Target) || path.Clean(m.Target) == "/" {
		return m, "does not name an absolute path in the container"
	}
	m.Target = path.Clean(m.Target)
	return m, ""
}

// tmpfs are paths in memory, with their mount options.
type tmpfs struct {
	paths   map[string]string
	secrets confidentials
	node    *yaml.Node // nil if the key is not there
}

func (t *tmpfs) decode(d *decoder, n *yaml.Node) {
	t.node = n
	t.secrets.decode(d, n)
	for _, item := range t.secrets.items {
		p, options, fault := parseTmpfs(item.value)
		switch {
		case item.secret != "":
			continue
		case fault != "":
			d.report(item.node, fmt.Sprintf("`%s` %s", clip(item.value), fault), "write for example `/tmp` or `/tmp:size=64m`")
			continue
		case t.paths == nil:
			t.paths = map[string]string{}
		}
		t.paths[p] = options
	}
}

// parseTmpfs reads "path[:options]"; fault says what is wrong with it.
func parseTmpfs(s string) (at, options, fault string) {
	at, options, _ = strings.Cut(s, ":")
	if !path.IsAbs(at) || path.Clean(at) == "/" {
		return "", "", "is not an absolute path"
	}
	return path.Clean(at), options, ""
}

// devices are devices of the machine in a container.
type devices struct {
	items   []Device
	secrets confidentials // as long as items, for which of them are secrets
	node    *yaml.Node    // nil if the key is not there
}

func (v *devices) decode(d *decoder, n *yaml.Node) {
	v.node = n
	v.secrets.decode(d, n)
	for _, item := range v.secrets.items {
		dev, ok := parseDevice(item.value)
		if !ok && item.secret == "" {
			d.report(item.node, fmt.Sprintf("`%s` is not a device", clip(item.value)), "write for example `/dev/kvm` or `/dev/sda:/dev/xvda:r`")
		}
		v.items = append(v.items, dev)
	}
}

// parseDevice reads "host[:container[:rwm]]".
func parseDevice(s string) (Device, bool) {
	parts := strings.Split(s, ":")
	dev := Device{Host: parts[0], Container: parts[0], Permissions: "rwm"}
	switch len(parts) {
	case 1:
	case 2:
		if path.IsAbs(parts[1]) {
			dev.Container = parts[1]
		} else {
			dev.Permissions = parts[1]
		}
	case 3:
		dev.Container, dev.Permissions = parts[1], parts[2]
	default:
		return dev, false
	}
	permitted := dev.Permissions != "" && strings.Trim(dev.Permissions, "rwm") == ""
	return dev, path.IsAbs(dev.Host) && path.IsAbs(dev.Container) && permitted
}
