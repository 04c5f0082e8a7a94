package runnertest

import (
	"io"
	"strings"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// shell runs a script that only a real engine understands.
func (r *rig) shell(text string) runner.ContainerSpec { return r.spec(script{sh: text}) }

// says runs a script and returns its output without the space around it.
func (r *rig) says(s runner.ContainerSpec) string {
	r.Helper()
	got := r.run(s)
	if got.ExitCode != 0 {
		r.Fatalf("%q: exit code %d, stdout %q, stderr %q", s.Cmd, got.ExitCode, got.stdout, got.stderr)
	}
	return strings.TrimSpace(got.stdout)
}

const fetch = "for i in $(seq 100); do timeout 5 wget -q -O - http://db/ && exit; sleep 0.1; done; exit 1"

// service starts a web server on port 80 and returns its address.
func (r *rig) service(network string) (address string) {
	r.Helper()
	s := r.shell("mkdir /tmp/www; echo hello > /tmp/www/index.html; hostname -i; exec httpd -f -p 80 -h /tmp/www")
	s.NetworkID, s.Aliases = network, []string{"db"}
	f := r.begin(s)
	r.ok("await", f.stdout.await(r.ctx, "\n"))
	return strings.TrimSpace(f.stdout.String())
}

func serviceByAlias(r *rig) {
	n := r.network()
	r.service(n)
	client := r.shell(fetch)
	client.NetworkID = n
	if got := r.says(client); got != "hello" {
		r.Errorf("the service answers %q", got)
	}
}

// networksAreApart: from a sandbox nothing on another network is reached, not even
// while the engine makes networks. Docker 20.10 lets them through to each other
// for the moment in which it does.
func networksAreApart(r *rig) {
	mine, others := r.network(), r.network()
	address := r.service(mine)
	near := r.shell(fetch)
	near.NetworkID = mine
	r.says(near) // the service is up
	box := r.sandbox(others)
	r.createSandbox(box)
	byName := r.shell("timeout 2 wget -q -O - http://db/")
	byName.Sandbox = box.Name
	if got := r.run(byName); got.ExitCode == 0 {
		r.Errorf("its name is known on another network: %q", got.stdout)
	}
	far := r.shell("echo ready; until test -e /tmp/enough; do timeout 1 wget -q -O - http://" + address + "/ & usleep 5000; done; wait")
	far.Sandbox = box.Name
	f := r.begin(far)
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	for range 5 {
		r.network()
	}
	enough, err := r.engine.Exec(r.ctx, f.id, []string{"touch", "/tmp/enough"})
	if err != nil || enough.ExitCode != 0 {
		r.Fatalf("touch: %+v, %v", enough, err)
	}
	if got := f.result(); got.stdout != "ready\n" || !strings.Contains(got.stderr, "wget: can't connect") {
		r.Errorf("%s is tried from another network: %q, %q", address, got.stdout, got.stderr)
	}
}

func noNetwork(r *rig) {
	if got := r.says(r.shell("ls /sys/class/net")); got != "lo" {
		r.Errorf("interfaces %q, want only lo", got)
	}
}

func capabilities(r *rig) {
	status := r.says(r.shell("cat /proc/self/status"))
	for _, want := range []string{
		// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID
		"CapEff:\t00000000000000fb", "CapPrm:\t00000000000000fb", "CapBnd:\t00000000000000fb",
		"NoNewPrivs:\t1", "Seccomp:\t2",
	} {
		if !strings.Contains(status, want) {
			r.Errorf("no %q in\n%s", want, status)
		}
	}
}

func initReaps(r *rig) {
	s := r.shell(`(sleep 0.1 &); sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status; echo pid $$`)
	if got := r.says(s); strings.Contains(got, "status") || got == "pid 1" {
		r.Errorf("%q, want an init process before the shell, and no zombie", got)
	}
}

// cgroup prints a limit, for either version of cgroups.
func cgroup(v2, v1 string) string {
	return "cat /sys/fs/cgroup/" + v2 + " 2>/dev/null || cat /sys/fs/cgroup/" + v1
}

func pidsLimit(r *rig) {
	if got := r.says(r.shell(cgroup("pids.max", "pids/pids.max"))); got != "4096" {
		r.Errorf("default pids limit %q, want 4096", got)
	}
	s := r.shell("for i in $(seq 40); do sleep 60 & done; echo all")
	s.Limits.PIDs = 20
	if got := r.run(s); strings.Contains(got.stdout, "all") {
		r.Error("40 processes run under a limit of 20")
	}
}

func memoryLimit(r *rig) {
	s := r.shell(cgroup("memory.max", "memory/memory.limit_in_bytes"))
	s.Limits.MemoryBytes = 64 << 20
	if got := r.says(s); got != "67108864" {
		r.Errorf("memory limit %q, want 64 MiB", got)
	}
	s = r.shell("exec dd if=/dev/zero of=/dev/null bs=200M count=1")
	s.Limits.MemoryBytes = 64 << 20
	// An engine may lose the event, but not as a rule.
	for try := 1; ; try++ {
		s.Name = r.name() // else it is the one that has ended
		got := r.run(s)
		end, err := r.engine.Ending(r.ctx, got.ID)
		r.ok("Ending", err)
		switch {
		case got.ExitCode == 137 && end == runner.Ending{OOMKilled: true}:
			return
		case try == 5:
			r.Fatalf("200 MB in 64 MiB: %+v, %+v, want it killed for lack of memory", got.ContainerState, end)
		}
	}
}

func cpuLimit(r *rig) {
	for cpus, want := range map[float64]string{0.5: "50000", 4096: "409600000"} {
		s := r.shell(cgroup("cpu.max", "cpu/cpu.cfs_quota_us"))
		s.Limits.CPUs = cpus
		if got, _, _ := strings.Cut(r.says(s), " "); got != want {
			r.Errorf("%v CPUs: quota %q, want %q", cpus, got, want)
		}
	}
}

// usageOfContainer: what is counted is the container's own, and its memory is
// what it holds and not the files that it read.
func usageOfContainer(r *rig) {
	f := r.begin(r.shell("dd if=/dev/zero of=/big bs=1M count=100 2>/dev/null; cat /big >/dev/null; echo read; exec sleep 1000"))
	r.ok("await", f.stdout.await(r.ctx, "read"))
	id := f.id
	u, err := r.engine.Usage(r.ctx, id)
	r.ok("Usage", err)
	if u.CPU <= 0 || u.PeakMemory <= 0 || u.PeakMemory > 50<<20 {
		r.Errorf("usage %+v of a container that read 100 MiB and holds little", u)
	}
	r.ok("Stop", r.engine.Stop(r.ctx, id, 0))
	if u, err := r.engine.Usage(r.ctx, id); err == nil {
		r.Errorf("usage %+v of a container that has ended", u)
	}
}

// diskUsage: what a container writes counts, in its volume and beside.
func diskUsage(r *rig) {
	v := r.volume()
	s := r.shell("dd if=/dev/zero of=/beside bs=1M count=3 2>/dev/null; dd if=/dev/zero of=/work/in bs=1M count=5 2>/dev/null; sync; echo written; exec sleep 1000")
	s.VolumeID, s.MountPath = v, "/work"
	f := r.begin(s)
	r.ok("await", f.stdout.await(r.ctx, "written"))
	found, err := r.engine.DiskUsage(r.ctx, r.labels())
	r.ok("DiskUsage", err)
	sizes := map[runner.ResourceKind]int64{}
	for _, u := range found {
		sizes[u.Kind] += u.Bytes
	}
	if c, v := sizes[runner.ResourceContainer]>>20, sizes[runner.ResourceVolume]>>20; c != 3 || v != 5 {
		r.Errorf("the container takes %d MiB and its volume %d, want 3 and 5: %+v", c, v, found)
	}
}

func stdinIsClosed(r *rig) {
	if got := r.says(r.shell("cat; echo end")); got != "end" {
		r.Errorf("output %q, want stdin to be at its end", got)
	}
}

func workingDir(r *rig) {
	if got := r.says(r.shell("pwd")); got != "/" {
		r.Errorf("working directory %q, want the image's", got)
	}
	s := r.shell("pwd")
	s.WorkingDir = "/tmp"
	if got := r.says(s); got != "/tmp" {
		r.Errorf("working directory %q, want /tmp", got)
	}
}

func environment(r *rig) {
	s := r.shell(`echo "$A|$B"`)
	s.Env = []string{"A=one two", "B=x=y\nz"}
	if got := r.says(s); got != "one two|x=y\nz" {
		r.Errorf("environment %q", got)
	}
}

// imageFilesNotCopied: a volume over a directory of the image starts empty.
func imageFilesNotCopied(r *rig) {
	s := r.shell("ls -A /etc | grep -c passwd; exit 0")
	s.VolumeID, s.MountPath = r.volume(), "/etc"
	if got := r.says(s); got != "0" {
		r.Errorf("the image's files are in the volume")
	}
}

func noExecutable(r *rig) {
	s := r.spec(exitZero)
	s.Entrypoint = []string{"/no/shell", "-c"}
	id := r.create(s)
	err := r.engine.Start(r.ctx, id)
	r.is("Start", err, runner.ErrStart)
	if err != nil && (!strings.Contains(err.Error(), r.image) || !strings.Contains(err.Error(), "/no/shell")) {
		r.Errorf("the error names neither image nor executable: %v", err)
	}
	s = r.spec(exitZero)
	s.Entrypoint = []string{"nosuch"}
	if got := r.run(s); got.ExitCode != 127 {
		r.Errorf("exit code %d of an executable that is not in PATH, want 127", got.ExitCode)
	}
}

func noImage(r *rig) {
	const image = "slipway/nosuch:1"
	s := r.spec(exitZero)
	s.Image = image
	_, err := r.engine.CreateContainer(r.ctx, s)
	r.is("CreateContainer", err, runner.ErrImage)
	for _, image := range []string{image, "Not A Reference"} {
		err := r.engine.PullImage(r.ctx, runner.ImageSpec{Image: image, Policy: pipeline.PullNever}, io.Discard)
		r.is("PullImage", err, runner.ErrImage)
		if err != nil && !strings.Contains(err.Error(), image) {
			r.Errorf("the error does not name the image: %v", err)
		}
	}
	r.ok("PullImage of what is present", r.engine.PullImage(r.ctx, runner.ImageSpec{Image: r.image, Policy: pipeline.PullIfNotPresent}, io.Discard))
}
