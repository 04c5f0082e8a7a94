package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// escape is a known way out of a container.
type escape struct {
	component string   // as the engine's version lists it
	cve       string   // one or more
	fixed     []string // the first versions without it, one a branch, oldest first
	way       string
	// aside: steps of slipway cannot go this way unless something else helps,
	// which is said in way.
	aside bool
}

// escapes are as of 2026-11-22, from https://github.com/opencontainers/runc/security/advisories,
// https://github.com/containerd/containerd/security/advisories,
// https://github.com/moby/moby/security/advisories and the records of the CVEs.
// Those of Kubernetes' interface alone are left out: Docker does not go through it.
var escapes = []escape{
	{"runc", "CVE-2019-5736", []string{"1.0.0-rc7"}, "a container overwrites runc on the host", false},
	{"runc", "CVE-2021-30465", []string{"1.0.0-rc95"}, "containers that share a volume mount the host's files", false},
	{"runc", "CVE-2024-21626", []string{"1.1.12"}, "an image's working directory leads to the host's files", false},
	{"runc", "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881", []string{"1.2.8", "1.3.3", "1.4.0-rc.3"},
		"a container writes to the host's /proc", false},
	{"containerd", "CVE-2020-15257", []string{"1.3.9", "1.4.3"},
		"a container with the host's network (which takes an admin's trust) commands containerd", true},
	{"Engine", "CVE-2026-31431", []string{"29.4.3"},
		"a hole in the kernel (AF_ALG) lets containers change the host's files, unless the kernel is mended", true},
	{"Engine", "CVE-2026-41567 and CVE-2026-42306", []string{"29.5.1"},
		"copying files into a container acts on the host, if others than slipway do it (docker cp)", true},
}

func (f *engineFacts) checkEscapes(context.Context) (found findings) {
	var known []string
	for _, c := range f.version.Components {
		v, ok := parseVersion(c.Version)
		if !ok {
			continue // docker-init, or something built by hand
		}
		if slices.ContainsFunc(escapes, func(e escape) bool { return e.component == c.Name }) {
			known = append(known, c.Name+" "+c.Version)
		}
		for _, e := range escapes {
			if e.component == c.Name && !v.has(e.fixed) {
				e.tell(&found, c.Version, v)
			}
		}
	}
	if len(known) == 0 {
		found.warn("the engine does not tell the versions of its parts", "see that runc and containerd are up to date")
	}
	return found.orOK("none in " + strings.Join(known, ", "))
}

// tell adds what to do about an escape. Distributions mend old versions without
// changing their number, which cannot be seen from here.
func (e escape) tell(found *findings, is string, v componentVersion) {
	name := strings.Replace(e.component, "Engine", "Docker", 1)
	text := fmt.Sprintf("%s %s may have %s: %s", name, is, e.cve, e.way)
	fixed := name + " " + strings.Join(e.fixed, ", ")
	if v.packaged {
		found.warn(text, "install "+fixed+" or newer, or all updates of the distribution, which may mend this version without a new number")
		return
	}
	if e.aside {
		found.warn(text, "upgrade to "+fixed+" or newer")
		return
	}
	found.mend(text, "upgrade to "+fixed+" or newer")
}

// componentVersion is a version like 1.4.0-rc.3, or a distribution's like
// 1.1.5+ds1.
type componentVersion struct {
	number   [3]int
	rc       int  // of a release candidate; otherwise more than any
	packaged bool // by a distribution
}

var versionRE = regexp.MustCompile(`^v?(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?(.*)$`)

// released stands for a version that is no release candidate.
const released = 1 << 30

func parseVersion(s string) (v componentVersion, ok bool) {
	m := versionRE.FindStringSubmatch(s)
	if m == nil {
		return v, false
	}
	for i := range v.number {
		v.number[i], _ = strconv.Atoi(m[i+1]) // digits; too many of them are no version
	}
	v.rc = released
	if m[4] != "" {
		v.rc, _ = strconv.Atoi(m[4])
	}
	v.packaged = strings.ContainsAny(m[5], "+~") || strings.Contains(m[5], "ubuntu")
	return v, true
}

// has reports whether what was fixed in these versions, one a branch, is fixed
// in v: it is newer than all, or than that of its own branch.
func (v componentVersion) has(fixed []string) bool {
	for i, s := range fixed {
		f, _ := parseVersion(s)
		last, branch := i == len(fixed)-1, f.number[0] == v.number[0] && f.number[1] == v.number[1]
		if (last || branch) && v.compare(f) >= 0 {
			return true
		}
	}
	return false
}

func (v componentVersion) compare(w componentVersion) int {
	return cmp.Or(slices.Compare(v.number[:], w.number[:]), cmp.Compare(v.rc, w.rc))
}
