package pipeline

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// dronePlatform is what a pipeline must run on.
type dronePlatform struct {
	OS      text `yaml:"os"`
	Arch    text `yaml:"arch"`
	Variant text `yaml:"variant"`
	Version text `yaml:"version"`
}

func (p *dronePlatform) decode(d *decoder, n *yaml.Node) {
	if n.Tag == "!!null" || !d.object(n, "platform", p) {
		return
	}
	if p.Version.value != "" && p.os() == "linux" {
		d.warn(p.Version.node, "the version of the platform has no effect", "remove it: it concerns Windows only")
	}
}

func (p *dronePlatform) os() string {
	if p.OS.value == "" {
		return "linux"
	}
	return p.OS.value
}

// want returns the platform as it is written elsewhere, linux/arm/v7. What the
// file does not say is left out.
func (p *dronePlatform) want() string {
	want := p.os()
	if p.Arch.value != "" {
		want += "/" + p.Arch.value
		if p.Variant.value != "" {
			want += "/" + p.Variant.value
		}
	}
	return want
}

// conditions compares the platform with what steps run on. What is not known of
// that is taken to fit, except that it is Linux.
func (p *dronePlatform) conditions(f *Facts) []Condition {
	if p.OS.node == nil && p.Arch.node == nil && p.Variant.node == nil {
		return nil
	}
	got := f.System.Platform
	if got == "" {
		got = "linux"
	}
	want := p.want()
	fits := got == want || strings.HasPrefix(got, want+"/") || strings.HasPrefix(want, got+"/")
	return []Condition{{Key: "platform", Want: []string{want}, Got: got, Result: fits}}
}

// droneConcurrency is how many jobs of a pipeline run at once, whatever the branch.
type droneConcurrency struct {
	Limit integer `yaml:"limit"`
}

func (c *droneConcurrency) decode(d *decoder, n *yaml.Node) {
	if n.Tag != "!!null" {
		d.object(n, "concurrency", c)
	}
}

// group returns the concurrency with the pipeline's name as its group; a limit
// of 0 is none.
func (c *droneConcurrency) group(name string) concurrency {
	if c.Limit.value == 0 {
		return concurrency{}
	}
	return concurrency{Limit: c.Limit, Group: text{value: name}, node: c.Limit.node}
}

// droneClone is how the source is checked out.
type droneClone struct {
	Disable    boolean        `yaml:"disable"`
	Depth      integer        `yaml:"depth"`
	SkipVerify cloneTransport `yaml:"skip_verify"`
	Trace      cloneTransport `yaml:"trace"`
	Retries    cloneTransport `yaml:"retries"`
}

func (c *droneClone) decode(d *decoder, n *yaml.Node) {
	if n.Tag != "!!null" {
		d.object(n, "clone", c)
	}
}

// cloneTransport is an option that concerns how the source is fetched and not
// what comes of it.
type cloneTransport struct{}

func (cloneTransport) decode(d *decoder, n *yaml.Node) {
	d.warn(n, "this option of `clone` has no effect", "slipway fetches the source itself")
}

// plan returns what Drone checks out: the whole history unless a depth is
// given, and a pull request merged into its target.
func (c *droneClone) plan(at *yaml.Node) cloneFile {
	depth := c.Depth
	if depth.node == nil {
		depth.node = at
	}
	return cloneFile{Depth: depth, Ref: cloneRef{value: CloneMerge}}
}

// decodeDrone reads a workspace as Drone does: the path is below the base, or
// the base itself if it is absolute and there is no other.
func (w *workspaceFile) decodeDrone(d *decoder, n *yaml.Node) {
	if n.Tag == "!!null" || !d.object(n, "workspace", w) {
		return
	}
	if w.Base.value == "" && path.IsAbs(w.Path.value) {
		w.Base, w.Path = w.Path, text{}
	}
	if b := w.Base.value; b != "" && (!path.IsAbs(b) || path.Clean(b) == "/") {
		d.report(w.Base.node, fmt.Sprintf("the workspace must be an absolute path below /, this is `%s`", clip(b)), "write for example `/drone/src`")
		w.Base.value = ""
	}
	w.Path.value = strings.TrimLeft(w.Path.value, "/")
	if p := w.Path.value; p != "" && !inside(p) {
		d.report(w.Path.node, fmt.Sprintf("`path` must lead to a folder in `base`, this is `%s`", clip(p)), "write for example `src`")
		w.Path.value = ""
	}
}
