package runnertest

import (
	"fmt"
	"strings"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

func userOfStep(r *rig) {
	for user, want := range map[string]string{"1000": "1000:1000", "1000:65534": "1000:65534", "app": "1000:1000"} {
		s := r.shell(`echo "$(id -u):$(id -g)"`)
		s.User = user
		if got := r.says(s); got != want {
			r.Errorf("user %q runs as %s, want %s", user, got, want)
		}
	}
	s := r.spec(exitZero)
	s.User = "nosuch"
	r.is("Start", r.engine.Start(r.ctx, r.create(s)), runner.ErrStart)
}

func mountOfHost(r *rig) {
	s := r.shell("head -n 1 /host/passwd | cut -d: -f1; touch /host/x 2>/dev/null || echo read-only")
	s.Mounts = []pipeline.Mount{{Kind: pipeline.MountHost, Source: "/etc", Target: "/host", ReadOnly: true}}
	if got := r.says(s); got != "root\nread-only" {
		r.Errorf("a folder of the machine holds %q", got)
	}
}

// mountOfVolume: two containers share a volume that they find by its name.
func mountOfVolume(r *rig) {
	name, err := r.engine.CreateVolume(r.ctx, runner.VolumeSpec{Name: r.name(), Labels: r.labels()})
	r.ok("CreateVolume", err)
	writer, reader := r.shell("echo shared > /cache/x"), r.shell("cat /cache/x; touch /cache/y 2>/dev/null || echo read-only")
	writer.Mounts = []pipeline.Mount{{Kind: pipeline.MountVolume, Source: name, Target: "/cache"}}
	reader.Mounts = []pipeline.Mount{{Kind: pipeline.MountTemp, Source: name, Target: "/cache", ReadOnly: true}}
	r.says(writer)
	if got := r.says(reader); got != "shared\nread-only" {
		r.Errorf("the volume holds %q", got)
	}
}

func volumeInMemory(r *rig) {
	spec := runner.VolumeSpec{Name: r.name(), Labels: r.labels(), Memory: true}
	name, err := r.engine.CreateVolume(r.ctx, spec)
	r.ok("CreateVolume", err)
	again, err := r.engine.CreateVolume(r.ctx, spec)
	r.ok("CreateVolume again", err)
	if again != name {
		r.Errorf("created again it is %q, want %q", again, name)
	}
	s := r.shell("grep ' /fast ' /proc/mounts")
	s.Mounts = []pipeline.Mount{{Kind: pipeline.MountTemp, Source: name, Target: "/fast", Memory: true}}
	if got := r.says(s); !strings.HasPrefix(got, "tmpfs ") {
		r.Errorf("mounted as %q, want tmpfs", got)
	}
}

func device(r *rig) {
	s := r.shell("[ -c /dev/nothing ] && cat /dev/nothing && echo read")
	s.Devices = []pipeline.Device{{Host: "/dev/null", Container: "/dev/nothing", Permissions: "rw"}}
	if got := r.says(s); got != "read" {
		r.Errorf("the device answers %q", got)
	}
}

func tmpfsAndShm(r *rig) {
	s := r.shell("grep ' /scratch ' /proc/mounts; df -m /dev/shm | tail -n 1")
	s.Tmpfs, s.ShmSize = map[string]string{"/scratch": "size=1m"}, 8<<20
	got := r.says(s)
	if !strings.HasPrefix(got, "tmpfs /scratch tmpfs ") || !strings.Contains(got, "size=1024k") {
		r.Errorf("no tmpfs of 1 MiB in %q", got)
	}
	if fields := strings.Fields(got); len(fields) < 5 || fields[len(fields)-5] != "8" {
		r.Errorf("/dev/shm is not of 8 MiB: %q", got)
	}
}

func namesAndHosts(r *rig) {
	s := r.shell("cat /etc/resolv.conf /etc/hosts")
	s.NetworkMode = "bridge"
	s.DNS, s.DNSSearch, s.ExtraHosts = []string{"192.0.2.53"}, []string{"corp.example.com"}, []string{"db.local:192.0.2.7"}
	got := r.says(s)
	for _, want := range []string{"nameserver 192.0.2.53", "search corp.example.com", "192.0.2.7\tdb.local"} {
		if !strings.Contains(got, want) {
			r.Errorf("no %q in\n%s", want, got)
		}
	}
}

// networkModes: another network in place of the job's.
func networkModes(r *rig) {
	job, other := r.network(), r.name()
	_, err := r.engine.CreateNetwork(r.ctx, runner.NetworkSpec{Name: other, Labels: r.labels()})
	r.ok("CreateNetwork", err)
	r.service(other)
	for mode, want := range map[string]string{"none": "lo", "bridge": "eth0", other: "eth0"} {
		s := r.shell("ls /sys/class/net")
		s.NetworkID, s.NetworkMode, s.Aliases = job, mode, []string{"step"}
		if got := r.says(s); !strings.Contains(fmt.Sprintln(strings.Fields(got)), want) {
			r.Errorf("network mode %s has the interfaces %q, want %s", mode, got, want)
		}
	}
	client, first := r.shell(fetch), r.shell("readlink /proc/self/ns/net")
	client.NetworkID, client.NetworkMode = job, other
	if got := r.says(client); got != "hello" {
		r.Errorf("the service on the other network answers %q", got)
	}
	first.NetworkMode = "host"
	second := first
	second.Name = r.name()
	if got, want := r.says(first), r.says(second); got != want {
		r.Errorf("the machine's network is %s and %s", got, want)
	}
}
