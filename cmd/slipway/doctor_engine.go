package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"

	"github.com/slipway-ci/slipway/runner/docker"
)

// engineFacts are what an engine says of itself.
type engineFacts struct {
	info    system.Info
	version types.Version
}

// oldestAPI is that of Docker 20.10, the oldest engine that tests run with.
const oldestAPI = "1.41"

// checkEngine asks the engine for what the other checks of it look at.
func (d *doctor) checkEngine(ctx context.Context) (found findings) {
	if d.cli == nil {
		found.mend("DOCKER_HOST leads nowhere, so nothing else of the engine was looked at", "see settings")
		return found
	}
	if err := docker.Ping(ctx, d.cli); err != nil {
		found.wrong(err, "see that Docker runs, and that DOCKER_HOST is right")
		return found
	}
	var f engineFacts
	var err error
	if f.info, err = d.cli.Info(ctx); err == nil {
		f.version, err = d.cli.ServerVersion(ctx)
	}
	if err != nil {
		found.mend("the engine does not describe itself: "+err.Error(), "see its log: journalctl -u docker")
		return found
	}
	d.engine.Store(&f)
	text := fmt.Sprintf("Docker %s on %s/%s, API %s", f.version.Version, f.version.Os, f.version.Arch, f.version.APIVersion)
	switch {
	case versions.LessThan(f.version.APIVersion, oldestAPI):
		found.mend(text+": too old", "install Docker 20.10 or newer, whose API is "+oldestAPI)
	case f.info.OSType != "linux":
		found.mend(text+": not an engine of Linux containers", "point DOCKER_HOST to one that is")
	default:
		found.ok(text)
	}
	return found
}

// checkIsolation looks at what stands between a container and the kernel.
func (f *engineFacts) checkIsolation(context.Context) (found findings) {
	seccomp, ok := f.security("seccomp")
	switch {
	case !ok:
		found.mend("seccomp is off: containers may use every system call", "use a kernel with CONFIG_SECCOMP_FILTER, and an engine that was built with seccomp")
	case seccomp == "unconfined":
		found.mend("the engine's seccomp profile is \"unconfined\": containers may use every system call", "remove \"seccomp-profile\" from /etc/docker/daemon.json")
	}
	_, apparmor := f.security("apparmor")
	_, selinux := f.security("selinux")
	if !apparmor && !selinux {
		found.warn("neither AppArmor nor SELinux confines containers", "install apparmor (Debian, Ubuntu: apt-get install apparmor) or switch on SELinux, and restart Docker")
	}
	if f.info.Swarm.LocalNodeState == "active" {
		found.warn("the engine is part of a swarm: its nodes can start containers here", "give slipway an engine of its own")
	}
	return found.orOK("seccomp, and " + strings.Join(f.confinement(), ", "))
}

// checkRuntime looks whether the engine has what is to run containers.
func (f *engineFacts) checkRuntime(name string) func(context.Context) findings {
	return func(context.Context) (found findings) {
		known := slices.Sorted(maps.Keys(f.info.Runtimes))
		if _, ok := f.info.Runtimes[name]; !ok && name != "" {
			found.mend(fmt.Sprintf("the engine has no runtime %q, only %s", name, strings.Join(known, ", ")),
				"install it and name it under \"runtimes\" in /etc/docker/daemon.json, or set SLIPWAY_RUNTIME to one that is there")
		}
		for _, other := range known { // a repository's setting may name any
			// Tried with gVisor of January 2026: with the network stack of its own a
			// step reached nothing, neither a service nor an address.
			r := f.info.Runtimes[other]
			if path.Base(r.Path) != "runsc" || slices.ContainsFunc(r.Args, isHostNetwork) {
				continue
			}
			report := found.warn
			if other == cmp.Or(name, f.info.DefaultRuntime) {
				report = found.mend
			}
			report(fmt.Sprintf("%s (gVisor) uses a network stack of its own: its steps have no network, and find no services", other),
				`give the runtime "runtimeArgs": ["--network=host"] in /etc/docker/daemon.json, which means that of the step's sandbox, and restart Docker`)
		}
		return found.orOK(cmp.Or(name, f.info.DefaultRuntime))
	}
}

func isHostNetwork(flag string) bool { return strings.TrimLeft(flag, "-") == "network=host" }

// security returns the profile of one of the engine's security options, which
// are like "name=seccomp,profile=default".
func (f *engineFacts) security(name string) (profile string, ok bool) {
	for _, option := range f.info.SecurityOptions {
		fields := strings.Split(option, ",")
		if !slices.Contains(fields, "name="+name) {
			continue
		}
		for _, field := range fields {
			if p, is := strings.CutPrefix(field, "profile="); is {
				profile = p
			}
		}
		return profile, true
	}
	return "", false
}

func (f *engineFacts) confinement() (names []string) {
	for _, s := range []struct{ option, name string }{
		{"apparmor", "AppArmor"}, {"selinux", "SELinux"}, {"userns", "user namespaces"}, {"rootless", "rootless"},
	} {
		if _, ok := f.security(s.option); ok {
			names = append(names, s.name)
		}
	}
	return names
}

// checkLimits looks for what the kernel cannot hold a container to.
func (f *engineFacts) checkLimits(context.Context) (found findings) {
	const remedy = "switch the controller on in the kernel's command line, and reboot: "
	if !f.info.MemoryLimit {
		found.mend("memory cannot be limited: one step can take all of this machine's", remedy+"cgroup_enable=memory")
	}
	if !f.info.PidsLimit {
		found.mend("processes cannot be limited: a fork bomb in a step stops this machine", remedy+"cgroup_enable=pids, or a kernel with CONFIG_CGROUP_PIDS")
	}
	if !f.info.SwapLimit {
		found.warn("swap cannot be limited: a step at its limit of memory goes on in swap, and slows all down", remedy+"swapaccount=1; or switch swap off")
	}
	if !f.info.CPUCfsQuota {
		found.warn("CPU time cannot be limited: SLIPWAY_STEP_CPUS and `resources` do nothing", remedy+"a kernel with CONFIG_CFS_BANDWIDTH")
	}
	return found.orOK("memory, swap, processes and CPU can be limited")
}

func (f *engineFacts) checkCgroups(context.Context) (found findings) {
	text := fmt.Sprintf("version %s, driver %s", f.info.CgroupVersion, f.info.CgroupDriver)
	switch {
	case f.info.CgroupDriver == "none":
		found.mend(text+": no limit holds", "a rootless engine needs cgroup v2 and delegation by systemd; see https://rootlesscontaine.rs/getting-started/common/cgroup2/")
	case f.info.CgroupVersion == "1":
		found.warn(text+": runc and systemd are giving version 1 up, and a step that is out of memory may lose one process only",
			"boot with systemd.unified_cgroup_hierarchy=1, the default since Debian 11 and Ubuntu 21.10")
	default:
		found.ok(text)
	}
	return found
}

// checkStorage looks at how layers are kept, which decides what a container
// costs to start.
func (f *engineFacts) checkStorage(context.Context) (found findings) {
	const remedy = "set \"storage-driver\": \"overlay2\" in /etc/docker/daemon.json; images are pulled anew"
	driver := f.info.Driver
	status := map[string]string{}
	for _, pair := range f.info.DriverStatus {
		status[pair[0]] = pair[1]
	}
	switch {
	case status["Supports d_type"] == "false":
		found.mend(driver+" on a file system without d_type: files of images cannot be removed or renamed", "put "+f.info.DockerRootDir+" on ext4, or on xfs made with ftype=1")
	case driver == "vfs":
		found.warn("vfs copies an image whole for each step: slow, and it takes much disk", remedy)
	case driver == "devicemapper" || driver == "aufs" || driver == "overlay":
		found.warn(driver+" is no longer part of newer engines", remedy)
	default:
		found.ok(driver + " in " + f.info.DockerRootDir)
	}
	return found
}

func (f *engineFacts) checkLiveRestore(context.Context) (found findings) {
	if f.info.LiveRestoreEnabled {
		found.ok("on: steps outlive a restart of the engine")
	} else {
		found.warn("off: a restart or an upgrade of the engine ends the steps that run", "set \"live-restore\": true in /etc/docker/daemon.json and reload Docker (systemctl reload docker)")
	}
	return found
}
