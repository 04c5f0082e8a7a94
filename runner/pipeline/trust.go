package pipeline

import (
	"fmt"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v4"
)

// checkTrust reports what the repository is not trusted with. It concerns only
// what runs: a step that is kept out on this event harms nobody.
func (w *workflow) checkTrust() {
	for i := range w.planned.Services {
		w.checkStepTrust(&w.planned.Services[i], &w.file.Services.items[i].containerFile)
	}
	for i := range w.planned.Steps {
		w.checkStepTrust(&w.planned.Steps[i], &w.file.Steps.items[i].containerFile)
	}
}

func (w *workflow) checkStepTrust(s *Step, c *containerFile) {
	if s.Skip != "" {
		return
	}
	trust := w.facts.Repo.Trust
	need := func(wanted, given bool, n *yaml.Node, key, kind string) {
		if wanted && !given {
			w.reportTrust(n, fmt.Sprintf("`%s`", key), kind)
		}
	}
	need(s.Privileged, trust.Security, c.Privileged.node, "privileged", trustSecurity)
	need(len(s.Devices) > 0, trust.Security, c.Devices.node, "devices", trustSecurity)
	need(mountsOfMachine(s.Volumes), trust.Volumes, c.Volumes.node, "volumes", trustVolumes)
	need(len(s.Tmpfs) > 0, trust.Volumes, c.Tmpfs.node, "tmpfs", trustVolumes)
	need(len(s.DNS) > 0, trust.Network, c.DNS.node, "dns", trustNetwork)
	need(len(s.DNSSearch) > 0, trust.Network, c.DNSSearch.node, "dns_search", trustNetwork)
	need(len(s.ExtraHosts) > 0, trust.Network, c.ExtraHosts.node, "extra_hosts", trustNetwork)
	need(s.NetworkMode != "" && s.NetworkMode != networkNone, trust.Network, c.NetworkMode.node, "network_mode", trustNetwork)
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
		"ask an admin of this slipway to give it, or do without")
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
