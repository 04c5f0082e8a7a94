package main

import (
	"context"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"

	"github.com/slipway-ci/slipway/runner/runnertest"
)

// What the engine of the tests says is altered into what others say.
func TestDoctorOfEngines(t *testing.T) {
	cli := runnertest.Docker(t)
	info, err := cli.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	version, err := cli.ServerVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		alter func(*system.Info)
		run   func(*engineFacts) func(context.Context) findings
		level level
		text  string
	}{
		{"NoSeccomp", func(i *system.Info) { i.SecurityOptions = nil }, isolation, levelMend, "seccomp is off"},
		{"Unconfined", func(i *system.Info) { i.SecurityOptions = []string{"name=seccomp,profile=unconfined"} }, isolation, levelMend, "unconfined"},
		{"NoAppArmor", func(i *system.Info) { i.SecurityOptions = []string{"name=seccomp,profile=builtin"} }, isolation, levelWarning, "neither AppArmor"},
		{"Confined", func(i *system.Info) {
			i.SecurityOptions = []string{"name=apparmor", "name=seccomp,profile=default", "name=rootless"}
		}, isolation, levelOK, "AppArmor, rootless"},
		{"Swarm", func(i *system.Info) { i.Swarm.LocalNodeState = "active" }, isolation, levelWarning, "swarm"},
		{"NoMemoryLimit", func(i *system.Info) { i.MemoryLimit = false }, limits, levelMend, "memory"},
		{"NoPidsLimit", func(i *system.Info) { i.PidsLimit = false }, limits, levelMend, "fork bomb"},
		{"NoSwapLimit", func(i *system.Info) { i.SwapLimit = false }, limits, levelWarning, "swap"},
		{"NoCPULimit", func(i *system.Info) { i.CPUCfsQuota = false }, limits, levelWarning, "CPU"},
		{"NoCgroups", func(i *system.Info) { i.CgroupDriver = "none" }, cgroups, levelMend, "no limit holds"},
		{"Cgroup1", func(i *system.Info) { i.CgroupVersion = "1" }, cgroups, levelWarning, "version 1"},
		{"Cgroup2", func(i *system.Info) { i.CgroupVersion = "2" }, cgroups, levelOK, "version 2"},
		{"VFS", func(i *system.Info) { i.Driver, i.DriverStatus = "vfs", nil }, storage, levelWarning, "vfs"},
		{"AUFS", func(i *system.Info) { i.Driver, i.DriverStatus = "aufs", nil }, storage, levelWarning, "aufs"},
		{"NoDType", func(i *system.Info) { i.DriverStatus = [][2]string{{"Supports d_type", "false"}} }, storage, levelMend, "d_type"},
		{"LiveRestore", func(i *system.Info) { i.LiveRestoreEnabled = true }, liveRestore, levelOK, "on"},
		{"NoLiveRestore", func(i *system.Info) { i.LiveRestoreEnabled = false }, liveRestore, levelWarning, "off"},
		{"GVisor", func(i *system.Info) { i.Runtimes = gvisor("--debug") }, withRunsc, levelMend, "network stack of its own"},
		{"GVisorDefault", func(i *system.Info) { i.Runtimes, i.DefaultRuntime = gvisor(), "runsc" }, withDefault, levelMend, "network stack of its own"},
		{"GVisorOfARepository", func(i *system.Info) { i.Runtimes = gvisor("--debug") }, withDefault, levelWarning, "network stack of its own"},
		{"GVisorHostNetwork", func(i *system.Info) { i.Runtimes = gvisor("--network=host") }, withRunsc, levelOK, "runsc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &engineFacts{info: info, version: version}
			tt.alter(&f.info)
			wantFinding(t, named("it", tt.run(f)(t.Context())), "it", tt.level, tt.text)
		})
	}
}

func isolation(f *engineFacts) func(context.Context) findings   { return f.checkIsolation }
func limits(f *engineFacts) func(context.Context) findings      { return f.checkLimits }
func cgroups(f *engineFacts) func(context.Context) findings     { return f.checkCgroups }
func storage(f *engineFacts) func(context.Context) findings     { return f.checkStorage }
func liveRestore(f *engineFacts) func(context.Context) findings { return f.checkLiveRestore }

func withRunsc(f *engineFacts) func(context.Context) findings   { return f.checkRuntime("runsc") }
func withDefault(f *engineFacts) func(context.Context) findings { return f.checkRuntime("") }

func gvisor(args ...string) map[string]system.RuntimeWithStatus {
	return map[string]system.RuntimeWithStatus{"runsc": {Runtime: system.Runtime{Path: "/usr/local/bin/runsc", Args: args}}}
}

func TestDoctorOfVersions(t *testing.T) {
	for _, tt := range []struct {
		component, version string
		level              level
		text               string
	}{
		{"runc", "1.1.11", levelMend, "CVE-2024-21626"},
		{"runc", "1.1.12", levelMend, "CVE-2025-31133"},
		{"runc", "1.1.5+ds1", levelWarning, "CVE-2024-21626"},
		{"runc", "1.1.12-0ubuntu2~22.04.1", levelWarning, "CVE-2025-31133"},
		{"runc", "v1.2.7", levelMend, "CVE-2025-31133"},
		{"runc", "1.2.8", levelOK, "runc 1.2.8"},
		{"runc", "1.3.2", levelMend, "CVE-2025-31133"},
		{"runc", "1.3.3-0-gd842d771", levelOK, "none"},
		{"runc", "1.4.0-rc.2", levelMend, "CVE-2025-31133"},
		{"runc", "1.4.0-rc.3", levelOK, "none"},
		{"runc", "1.4.0", levelOK, "none"},
		{"runc", "2.0.0", levelOK, "none"},
		{"runc", "1.0.0-rc92", levelMend, "CVE-2021-30465"},
		{"containerd", "1.4.2", levelWarning, "CVE-2020-15257"},
		{"containerd", "v2.1.5", levelOK, "none"},
		{"Engine", "28.5.2", levelWarning, "CVE-2026-42306"},
		{"Engine", "29.5.1", levelOK, "Engine 29.5.1"},
		{"runc", "(devel)", levelWarning, "does not tell"},
	} {
		f := &engineFacts{version: types.Version{Components: []types.ComponentVersion{{Name: tt.component, Version: tt.version}}}}
		wantFinding(t, named(tt.component+" "+tt.version, f.checkEscapes(t.Context())), tt.component+" "+tt.version, tt.level, tt.text)
	}
}

func TestDoctorOfAForeignNetwork(t *testing.T) {
	cli := runnertest.Docker(t)
	p := newPatient(t)
	made, err := cli.NetworkCreate(t.Context(), "doctor-test-foreign", network.CreateOptions{
		IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: "10.176.3.0/24"}}}})
	p.must(err)
	t.Cleanup(func() { p.must(cli.NetworkRemove(context.WithoutCancel(t.Context()), made.ID)) })
	found, _ := p.examine()
	wantFinding(t, found, "job networks", levelWarning, "doctor-test-foreign has 10.176.3.0/24")
	for _, f := range found {
		if f.Check == "job networks" && f.Level == levelMend {
			t.Errorf("the network's own bridge is taken for somebody else's: %+v", f)
		}
	}
}

// A tmpfs stands for a disk that is nearly full.
func TestDoctorOfAFullDisk(t *testing.T) {
	p := newPatient(t)
	t.Setenv("SLIPWAY_DATA", smallDisk(t, 8<<20)+"/data")
	p.wants("disk", levelMend, "too little for builds")
}
