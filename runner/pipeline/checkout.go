package pipeline

import (
	"fmt"
	"math"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// cloneFile is how the source is checked out. In Woodpecker's files `clone` is
// a list of steps of the git plugin, whose settings say the same.
type cloneFile struct {
	Depth integer `yaml:"depth"`
	Tags  boolean `yaml:"tags"`
}

func (c *cloneFile) decode(d *decoder, n *yaml.Node) {
	if d.doc.dialect == woodpecker {
		c.decodeWoodpecker(d, n)
		return
	}
	d.object(n, "clone", c)
	if c.Depth.node != nil && c.Depth.value < 1 {
		d.report(c.Depth.node, "`depth` must be at least 1", "name the number of commits that are needed")
	}
}

// decodeWoodpecker takes depth and tags out of the steps; there is nothing else
// in them for us, since no container fetches the source here.
func (c *cloneFile) decodeWoodpecker(d *decoder, n *yaml.Node) {
	d.containers(n, "clone step", func(_, n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for _, p := range d.pairs(n) {
			if p.key.Value == "settings" && p.value.Kind == yaml.MappingNode {
				c.woodpeckerSettings(d, p.value)
			}
		}
	})
	if c.Depth.node != nil && c.Depth.value == 0 {
		c.Depth.value = math.MaxInt32 // what the plugin calls 0, git calls this: everything
	}
}

func (c *cloneFile) woodpeckerSettings(d *decoder, n *yaml.Node) {
	for _, p := range d.pairs(n) {
		switch p.key.Value {
		case "depth":
			c.Depth.decode(d, p.value)
		case "tags":
			c.Tags.decode(d, p.value)
		default:
			d.warn(p.key, fmt.Sprintf("`%s` of the clone step has no effect", clip(p.key.Value)),
				"slipway fetches the source itself; `depth` and `tags` are heeded")
		}
	}
}

// workspaceFile is where the source stands in the containers.
type workspaceFile struct {
	Base text `yaml:"base"`
	Path text `yaml:"path"`
}

func (w *workspaceFile) decode(d *decoder, n *yaml.Node) {
	if !d.object(n, "workspace", w) {
		return
	}
	if b := w.Base.value; w.Base.node != nil && (!path.IsAbs(b) || path.Clean(b) == "/") {
		d.report(w.Base.node, fmt.Sprintf("`base` must be an absolute path below /, this is `%s`", clip(b)), "write for example `/slipway`")
		w.Base.value = ""
	}
	if p := w.Path.value; w.Path.node != nil && !inside(p) {
		d.report(w.Path.node, fmt.Sprintf("`path` must lead to a folder in `base`, this is `%s`", clip(p)), "write for example `src`")
		w.Path.value = ""
	}
}

// inside reports whether p is a relative path that does not lead out.
func inside(p string) bool {
	p = path.Clean(p)
	return !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../")
}

// workspace returns the workspace of a workflow, by default the dialect's own.
func (w *workspaceFile) workspace(d dialect, f Facts) Workspace {
	ws := Workspace{Base: "/slipway", Path: "src"}
	if d == woodpecker {
		ws = Workspace{Base: "/woodpecker", Path: woodpeckerPath(f)}
	}
	if w.Base.value != "" {
		ws.Base = path.Clean(w.Base.value)
	}
	if w.Path.node != nil && w.Path.value != "" {
		if ws.Path = path.Clean(w.Path.value); ws.Path == "." {
			ws.Path = ""
		}
	}
	return ws
}

// woodpeckerPath is src/<host>/<owner>/<name>, which old GOPATH projects need.
func woodpeckerPath(f Facts) string {
	p := path.Join("src", hostOf(f.Repo.URL), f.Repo.Owner, f.Repo.Name)
	if !inside(p) || p == "." {
		return "src"
	}
	return p
}
