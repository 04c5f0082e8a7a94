package pipeline

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// cloneFile is how the source is checked out. In Woodpecker's files `clone` has
// steps of the git plugin, whose settings say the same.
type cloneFile struct {
	Depth      integer  `yaml:"depth" doc:"How many commits of history there are; 1 if it is not there, 0 for all."`
	Tags       boolean  `yaml:"tags" doc:"Fetch the tags too, as git describe needs them."`
	Submodules boolean  `yaml:"submodules" doc:"Check out the submodules too."`
	LFS        boolean  `yaml:"lfs" doc:"Fetch what git-lfs keeps elsewhere."`
	Partial    boolean  `yaml:"partial" doc:"Leave out the contents of old files from the history, which makes a deep one cheaper."`
	Ref        cloneRef `yaml:"ref" doc:"Which commit of a pull request is checked out: the one that was pushed (head, the default), or that one merged into the target branch (merge)."`
}

func (c *cloneFile) decode(d *decoder, n *yaml.Node) {
	if d.doc.dialect == woodpecker {
		c.decodeWoodpecker(d, n)
		return
	}
	d.object(n, "clone", c)
}

func (c *cloneFile) plan(f Facts) Clone {
	out := Clone{
		Depth: c.Depth.value, Tags: c.Tags.value, Submodules: c.Submodules.value,
		LFS: c.LFS.value, Partial: c.Partial.value,
	}
	if c.Depth.node != nil && c.Depth.value == 0 {
		out.Depth = CloneAll
	}
	if f.Event == EventPullRequest {
		out.Ref = c.Ref.value
	}
	return out
}

// cloneRef is which commit of a pull request is checked out.
type cloneRef struct{ value CloneRef } // empty for CloneHead

func (r *cloneRef) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	switch t.value {
	case string(CloneHead):
	case string(CloneMerge):
		r.value = CloneMerge
	default:
		d.report(n, fmt.Sprintf("`ref` cannot be `%s`", clip(t.value)), didYouMean(t.value, []string{string(CloneHead), string(CloneMerge)}))
	}
}

// woodpeckerClone is a step of Woodpecker's `clone`.
type woodpeckerClone struct {
	Name     ignored       `yaml:"name"`
	Image    text          `yaml:"image"`
	Settings woodpeckerGit `yaml:"settings"`
	Pull     ignored       `yaml:"pull"`
}

// gitPlugins are the images whose settings slipway's own clone understands.
var gitPlugins = setOf("docker.io/woodpeckerci/plugin-git quay.io/woodpeckerci/plugin-git docker.io/plugins/git")

// decodeWoodpecker takes the settings out of the steps, since no container
// fetches the source here. Another plugin would do something else.
func (c *cloneFile) decodeWoodpecker(d *decoder, n *yaml.Node) {
	d.containers(n, "clone step", func(_, n *yaml.Node) {
		step := woodpeckerClone{Settings: woodpeckerGit{clone: c}}
		if !d.object(n, "clone step", &step) || step.Image.node == nil {
			return
		}
		if _, ok := gitPlugins[imageName(step.Image.value)]; !ok {
			d.report(step.Image.node, fmt.Sprintf("slipway cannot clone with `%s`: it fetches the source itself", clip(step.Image.value)),
				"use `woodpeckerci/plugin-git`, or `skip_clone: true` and a step of this image")
		}
	})
}

// woodpeckerGit are the settings of Woodpecker's git plugin.
type woodpeckerGit struct{ clone *cloneFile }

// harmlessGit are settings that concern how the plugin does its work and not
// what comes of it.
var harmlessGit = setOf("attempts backoff branch home remote sha ref path event pr_head pr_source use_ssh object_format safe_directory")

func (g woodpeckerGit) decode(d *decoder, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			d.report(n, fmt.Sprintf("`settings` must be a map, this is %s", kindOf(n)), "")
		}
		return
	}
	for _, p := range d.pairs(n) {
		switch key := p.key.Value; key {
		case "depth":
			g.clone.Depth.decode(d, p.value)
		case "tags":
			g.clone.Tags.decode(d, p.value)
		case "lfs":
			g.clone.LFS.decode(d, p.value)
		case "partial":
			g.clone.Partial.decode(d, p.value)
		case "recursive":
			g.clone.Submodules.decode(d, p.value)
		default:
			if _, ok := harmlessGit[key]; ok {
				d.warn(p.key, fmt.Sprintf("`%s` of the clone step has no effect", key), "slipway fetches the source itself")
				continue
			}
			d.report(p.key, fmt.Sprintf("`%s` of the clone step is not supported", clip(key)),
				"`depth`, `tags`, `lfs`, `partial` and `recursive` are")
		}
	}
}

// workspaceFile is where the source stands in the containers.
type workspaceFile struct {
	Base text `yaml:"base" doc:"Where the job's volume is mounted in every container; /slipway if it is not there."`
	Path text `yaml:"path" doc:"The folder of the source below base; src if it is not there."`
}

func (w *workspaceFile) decode(d *decoder, n *yaml.Node) {
	if d.doc.dialect == drone {
		w.decodeDrone(d, n)
		return
	}
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
	switch d {
	case woodpecker:
		ws = Workspace{Base: "/woodpecker", Path: woodpeckerPath(f)}
	case drone:
		ws = Workspace{Base: "/drone/src"}
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
