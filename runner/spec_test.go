package runner_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// specs runs the job and returns what its containers were made from, by the
// names of their steps.
func (s *scenario) specs() map[string]runner.ContainerSpec {
	s.Helper()
	specs := map[string]runner.ContainerSpec{}
	var mu sync.Mutex
	s.eng.Default(func(spec runner.ContainerSpec) runnertest.Program {
		mu.Lock()
		defer mu.Unlock()
		specs[spec.Aliases[0]] = spec
		return nil
	})
	s.run()
	return specs
}

func TestWhatAStepAsksForReachesItsContainer(t *testing.T) {
	s := newScenario(t, with(step("build"), func(p *pipeline.Step) {
		p.User, p.Privileged, p.ShmSize = "1000:1000", true, 1<<20
		p.Volumes = []pipeline.Mount{{Kind: pipeline.MountHost, Source: "/var/cache", Target: "/cache", ReadOnly: true}}
		p.Devices = []pipeline.Device{{Host: "/dev/kvm", Container: "/dev/kvm", Permissions: "rw"}}
		p.Tmpfs = map[string]string{"/tmp": "size=1m"}
		p.DNS, p.DNSSearch, p.ExtraHosts = []string{"192.0.2.1"}, []string{"corp"}, []string{"db:192.0.2.2"}
	}), with(step("apart"), func(p *pipeline.Step) { p.NetworkMode = "none" }))
	got := s.specs()
	s.wantJob(runner.Success, "", "")
	plan, build := s.job.Workflow.Steps[0], got["build"]
	want := build
	want.User, want.Privileged, want.ShmSize, want.Mounts, want.Devices = plan.User, true, plan.ShmSize, plan.Volumes, plan.Devices
	want.Tmpfs, want.DNS, want.DNSSearch, want.ExtraHosts = plan.Tmpfs, nil, nil, nil // its sandbox has them
	want.Sandbox, want.NetworkID, want.NetworkMode = runner.SandboxName("srv", "j1", 1, 0), "", ""
	if !reflect.DeepEqual(build, want) {
		t.Errorf("build is made from %+v", struct{ runner.ContainerSpec }{build})
	}
	if apart := got["apart"]; apart.NetworkMode != "none" || apart.Sandbox != "" || apart.NetworkID != "" || apart.User != "" || apart.Privileged {
		t.Errorf("apart is on the networks %q and %q, privileged %v", apart.NetworkMode, apart.NetworkID, apart.Privileged)
	}
}

func TestResourcesLowerTheLimits(t *testing.T) {
	want := func(cpus float64, memory int64) func(*pipeline.Step) {
		return func(p *pipeline.Step) { p.Resources = &pipeline.Resources{CPUs: cpus, MemoryBytes: memory} }
	}
	s := newScenario(t, step("plain"), with(step("less"), want(0.5, 64<<20)), with(step("more"), want(8, 64<<30)), with(step("memory"), want(0, 64<<20)))
	s.job.Limits = runner.Limits{CPUs: 2, MemoryBytes: 1 << 30, PIDs: 9}
	got := s.specs()
	for name, limits := range map[string]runner.Limits{
		"plain":  s.job.Limits,
		"less":   {CPUs: 0.5, MemoryBytes: 64 << 20, PIDs: 9},
		"more":   s.job.Limits,
		"memory": {CPUs: 2, MemoryBytes: 64 << 20, PIDs: 9},
	} {
		if got[name].Limits != limits {
			t.Errorf("%s: limits %+v, want %+v", name, got[name].Limits, limits)
		}
	}
	s.wantNotice("more", "the step asks for 8 CPUs and gets 2, the most that this server gives")
	s.wantNotice("more", "the step asks for 64 GiB of memory and gets 1.0 GiB, the most that this server gives")
	if rows := s.ledger.rows(s.number("less")); len(rows) != 1 { // of the pull
		t.Errorf("log of less: %q", rows)
	}
}

func TestResourcesWhereTheServerGivesAll(t *testing.T) {
	s := newScenario(t, with(step("build"), func(p *pipeline.Step) {
		p.Resources = &pipeline.Resources{CPUs: 64, MemoryBytes: 1 << 40}
	}))
	if got := s.specs()["build"].Limits; got != (runner.Limits{CPUs: 64, MemoryBytes: 1 << 40}) {
		t.Errorf("limits %+v", got)
	}
}

func TestOutOfMemoryNamesTheStepsLimit(t *testing.T) {
	s := newScenario(t, with(step("build"), func(p *pipeline.Step) { p.Resources = &pipeline.Resources{MemoryBytes: 64 << 20} }))
	s.runs("build", func(p *runnertest.Process) int {
		p.SetOOMKilled()
		return 137
	})
	s.run()
	s.wantJob(runner.Failure, "step build failed: exit code 137 (killed); out of memory (limit 64 MiB)", "build")
}

// TestTempVolume: steps share a volume that is made once and goes with the job.
func TestTempVolume(t *testing.T) {
	mount := func(memory bool) func(*pipeline.Step) {
		return func(p *pipeline.Step) {
			p.Volumes = []pipeline.Mount{
				{Kind: pipeline.MountTemp, Source: "share", Target: "/share", Memory: memory},
				{Kind: pipeline.MountVolume, Source: "cache", Target: "/cache"},
			}
		}
	}
	s := newScenario(t, with(step("a"), mount(false)), with(step("b", "a"), mount(false)))
	got := s.specs()
	name := runner.TempVolumeName("srv", "j1", "share")
	for _, step := range []string{"a", "b"} {
		m := got[step].Mounts
		if len(m) != 2 || m[0].Source != name || m[1].Source != "cache" {
			t.Errorf("%s mounts %+v", step, m)
		}
	}
	if calls := s.eng.Calls(); !slices.Contains(calls, runnertest.Call{Method: "CreateVolume", Subject: name}) ||
		slices.Contains(calls, runnertest.Call{Method: "CreateVolume", Subject: "cache"}) {
		t.Errorf("volumes made: %v", calls)
	}
	if s.job.Workflow.Steps[0].Volumes[0].Source != "share" {
		t.Error("the plan was changed")
	}
	s.wantJob(runner.Success, "", "")
}
