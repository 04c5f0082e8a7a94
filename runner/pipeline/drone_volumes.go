package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"

	"go.yaml.in/yaml/v4"
)

// droneVolume is a volume of a pipeline, which its steps mount by its name.
type droneVolume struct {
	Name text          `yaml:"name"`
	Host droneHostPath `yaml:"host"`
	Temp droneTemp     `yaml:"temp"`
}

// droneHostPath is a folder, or a device, of the machine.
type droneHostPath struct {
	Path text       `yaml:"path"`
	node *yaml.Node // nil if the key is not there
}

func (h *droneHostPath) decode(d *decoder, n *yaml.Node) {
	if n.Tag == "!!null" || !d.object(n, "host volume", h) {
		return
	}
	h.node = n
	if !path.IsAbs(h.Path.value) {
		d.report(orNode(h.Path.node, n), "`path` of a host volume must be an absolute path", "write for example `/var/cache`")
	}
}

// droneTemp is a volume that ends with the job.
type droneTemp struct {
	Medium    text          `yaml:"medium"`
	SizeLimit withoutEffect `yaml:"size_limit"`
	node      *yaml.Node    // nil if the key is not there
}

func (t *droneTemp) decode(d *decoder, n *yaml.Node) {
	t.node = n
	if n.Tag == "!!null" { // `temp:` with nothing after it
		return
	}
	d.object(n, "temp volume", t)
	if m := t.Medium.value; m != "" && m != "memory" {
		d.report(t.Medium.node, fmt.Sprintf("`medium` cannot be `%s`", clip(m)), "write `memory`, or remove it")
	}
}

// tempName is what is taken into the name of an engine's volume as it is, up to
// maxTempName bytes.
var tempName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`)

const maxTempName = 40

// tempVolume returns the part of an engine's volume name that stands for a temp
// volume. Drone takes any name for one, so that others become a hash.
func tempVolume(name string) string {
	if len(name) <= maxTempName && tempName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "temp_" + hex.EncodeToString(sum[:])
}

// droneVolumes are the volumes of a pipeline.
type droneVolumes struct{ items []droneVolume }

func (l *droneVolumes) decode(d *decoder, n *yaml.Node) {
	d.containers(n, "volume", func(key, n *yaml.Node) {
		var v droneVolume
		if !d.object(n, "volume", &v) {
			return
		}
		if key != nil && v.Name.node == nil {
			v.Name = text{value: key.Value, node: key}
		}
		if v.Name.value == "" {
			d.report(n, "a volume has no name", "add `name:`; the steps mount the volume by it")
			return
		}
		if v.Host.node == nil && v.Temp.node == nil {
			d.report(n, fmt.Sprintf("the volume `%s` is of no kind that is supported", clip(v.Name.value)), "give it `host: {path: …}` or `temp: {}`")
		}
		l.items = append(l.items, v)
	})
}

// find returns the volume of that name, or nil.
func (l *droneVolumes) find(name string) *droneVolume {
	for i := range l.items {
		if l.items[i].Name.value == name {
			return &l.items[i]
		}
	}
	return nil
}

// mount returns the volume as a container has it.
func (v *droneVolume) mount(target string) Mount {
	if v.Host.node != nil {
		return Mount{Kind: MountHost, Source: path.Clean(v.Host.Path.value), Target: target}
	}
	return Mount{Kind: MountTemp, Source: tempVolume(v.Name.value), Target: target, Memory: v.Temp.Medium.value != ""}
}

// droneMount is where a step has a volume, or the device that a volume names.
type droneMount struct {
	node *yaml.Node
	Name text `yaml:"name"`
	Path text `yaml:"path"`
}

// droneMounts is a list of them.
type droneMounts struct {
	items []droneMount
	node  *yaml.Node // nil if the key is not there
}

func (l *droneMounts) decode(d *decoder, n *yaml.Node) {
	l.node = n
	d.containers(n, "volume", func(_, n *yaml.Node) {
		m := droneMount{node: n}
		if n.Kind != yaml.MappingNode {
			d.report(n, fmt.Sprintf("a volume must be a map, this is %s", kindOf(n)), "write `{name: …, path: …}` with the name of one of the pipeline's volumes")
			return
		}
		if !d.object(n, "volume", &m) {
			return
		}
		if !path.IsAbs(m.Path.value) || path.Clean(m.Path.value) == "/" {
			d.report(orNode(m.Path.node, n), "`path` must be an absolute path in the container", "write for example `/cache`")
			return
		}
		m.Path.value = path.Clean(m.Path.value)
		l.items = append(l.items, m)
	})
}

// each calls f for each item whose volume the pipeline has, and reports the others.
func (l *droneMounts) each(d *decoder, known *droneVolumes, f func(m *droneMount, v *droneVolume)) {
	for i := range l.items {
		m := &l.items[i]
		if v := known.find(m.Name.value); v != nil {
			f(m, v)
			continue
		}
		names := make([]string, len(known.items))
		for j := range known.items {
			names[j] = known.items[j].Name.value
		}
		fix := didYouMean(m.Name.value, names)
		if fix == "" {
			fix = "add it to the `volumes` of the pipeline"
		}
		d.report(orNode(m.Name.node, m.node), fmt.Sprintf("the pipeline has no volume `%s`", clip(m.Name.value)), fix)
	}
}

// mounts returns the volumes as a container has them.
func (l *droneMounts) mounts(d *decoder, known *droneVolumes) volumes {
	out := volumes{node: l.node}
	l.each(d, known, func(m *droneMount, v *droneVolume) {
		out.items = append(out.items, v.mount(m.Path.value))
	})
	return out
}

// devices returns the volumes as devices, which are those of the machine.
func (l *droneMounts) devices(d *decoder, known *droneVolumes) devices {
	out := devices{node: l.node}
	l.each(d, known, func(m *droneMount, v *droneVolume) {
		if v.Host.node == nil {
			d.report(m.node, fmt.Sprintf("the volume `%s` is not a device of the machine", clip(m.Name.value)), "give it `host: {path: …}` with the path of the device")
			return
		}
		out.items = append(out.items, Device{Host: path.Clean(v.Host.Path.value), Container: m.Path.value, Permissions: "rwm"})
	})
	return out
}

// orNode returns n, or else the one that it would stand in.
func orNode(n, parent *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return parent
}
