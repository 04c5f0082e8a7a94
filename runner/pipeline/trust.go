package pipeline

import (
	"fmt"
	"path"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v4"
)

// checkTrust reports what the repository is not trusted with. What a secret says
// counts as the worst that it can say, save for an image: one that is secret
// never runs privileged by its name.
func (w *workflow) checkTrust(s *Step, c *containerFile) {
	trust := w.facts.Repo.Trust
	need := func(wanted, given bool, n *yaml.Node, key, kind string) {
		if wanted && !given {
			w.reportTrust(n, fmt.Sprintf("`%s`", key), kind)
		}
	}
	need(s.Privileged, trust.Security, c.Privileged.node, "privileged", trustSecurity)
	need(len(s.Devices) > 0, trust.Security, c.Devices.node, "devices", trustSecurity)
	need(mountsOfMachine(s.Volumes), trust.Volumes, c.Volumes.node, "volumes", trustVolumes)
	need(len(c.Tmpfs.secrets.items) > 0, trust.Volumes, c.Tmpfs.node, "tmpfs", trustVolumes)
	need(len(s.DNS) > 0, trust.Network, c.DNS.node, "dns", trustNetwork)
	need(len(s.DNSSearch) > 0, trust.Network, c.DNSSearch.node, "dns_search", trustNetwork)
	need(len(s.ExtraHosts) > 0, trust.Network, c.ExtraHosts.node, "extra_hosts", trustNetwork)
	need(c.NetworkMode.secret != "" || s.NetworkMode != "" && s.NetworkMode != networkNone, trust.Network, c.NetworkMode.node, "network_mode", trustNetwork)
	if s.Plugin() && imageListed(s.Image, w.facts.PrivilegedImages) {
		if s.Privileged = trust.Security; !s.Privileged {
			w.reportTrust(c.Image.node, fmt.Sprintf("the image `%s` runs privileged and", clip(s.Image)), trustSecurity)
		}
	}
}

// mountsOfMachine reports whether any of the mounts is more than a volume that
// ends with the job: it is of the machine, outlives the job, or takes memory.
func mountsOfMachine(mounts []Mount) bool {
	for _, m := range mounts {
		if m.Kind != MountTemp || m.Memory {
			return true
		}
	}
	return false
}

// The kinds of trust, as an admin gives them.
const (
	trustSecurity = "security"
	trustVolumes  = "volumes"
	trustNetwork  = "network"
)

func (w *workflow) reportTrust(n *yaml.Node, what, kind string) {
	w.decoder.report(n, fmt.Sprintf("%s needs the trust `%s`, which the repository does not have", what, kind),
		fmt.Sprintf("who has the admin token of this slipway gives it with `PATCH /api/repos/%s` and {\"trust\": {\"%s\": true}}; or do without",
			path.Join(w.facts.Repo.Owner, w.facts.Repo.Name), kind))
}

// imageName returns the full name of an image without tag and digest, or "" if
// it is not the name of an image.
func imageName(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	return named.Name()
}

// imageListed reports whether an image is one of list, whose entries may have a
// tag that it must have too.
func imageListed(image string, list []string) bool {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	for _, entry := range list {
		want, err := reference.ParseNormalizedNamed(entry)
		if err != nil || want.Name() != named.Name() {
			continue
		}
		if reference.IsNameOnly(want) || want.String() == reference.TagNameOnly(named).String() {
			return true
		}
	}
	return false
}
