package runnertest

import (
	"strings"

	"github.com/slipway-ci/slipway/runner"
)

// sandbox describes a sandbox on a network.
func (r *rig) sandbox(network string, aliases ...string) runner.SandboxSpec {
	return runner.SandboxSpec{Name: r.name(), Labels: r.labels(), NetworkID: network, Aliases: aliases}
}

func (r *rig) createSandbox(s runner.SandboxSpec) (id string) {
	r.Helper()
	id, err := r.engine.CreateSandbox(r.ctx, s)
	r.ok("CreateSandbox", err)
	return id
}

// inSandbox describes a container that runs a script in a sandbox.
func (r *rig) inSandbox(s script, name string) runner.ContainerSpec {
	c := r.spec(s)
	c.Sandbox = name
	return c
}

// sandboxHoldsContainers: a container may be created before its sandbox is, and
// is started when that runs. One that has died comes back.
func sandboxHoldsContainers(r *rig) {
	box := r.sandbox(r.network())
	early := r.create(r.inSandbox(exitSeven, box.Name))
	if err := r.engine.Start(r.ctx, early); err == nil {
		r.Error("a container was started without its sandbox")
	}
	id := r.createSandbox(box)
	if again := r.createSandbox(box); again != id {
		r.Errorf("created again it is %s, was %s", again, id)
	}
	r.start(early)
	if got := r.wait(early).ExitCode; got != 7 {
		r.Errorf("exit code %d, want 7", got)
	}
	r.ok("Stop the sandbox", r.engine.Stop(r.ctx, id, patience))
	late := r.create(r.inSandbox(exitSeven, box.Name))
	if err := r.engine.Start(r.ctx, late); err == nil {
		r.Error("a container was started in a sandbox that has ended")
	}
	r.createSandbox(box)
	if got := r.run(r.inSandbox(exitSeven, box.Name)).ExitCode; got != 7 {
		r.Errorf("in the sandbox that is back: exit code %d, want 7", got)
	}
}

// sandboxIsAResource: it is listed and removed as a container, and another's name
// is not taken.
func sandboxIsAResource(r *rig) {
	network := r.network()
	box := r.sandbox(network)
	id := r.createSandbox(box)
	found, err := r.engine.List(r.ctx, r.labels())
	r.ok("List", err)
	listed := false
	for _, f := range found {
		listed = listed || f.Kind == runner.ResourceContainer && f.ID == id && f.Name == box.Name
	}
	if !listed {
		r.Errorf("List = %+v, want the sandbox %s", found, id)
	}
	other := box
	other.Labels = map[string]string{runner.LabelServer: r.server, runner.LabelJob: "another"}
	_, err = r.engine.CreateSandbox(r.ctx, other)
	r.is("CreateSandbox", err, runner.ErrConflict)
	for range 2 {
		r.ok("RemoveContainer", r.engine.RemoveContainer(r.ctx, id))
	}
	r.ok("RemoveNetwork", r.engine.RemoveNetwork(r.ctx, network))
}

// sandboxIsApart: localhost is a sandbox's own, and names are found on the
// network from within it.
func sandboxIsApart(r *rig) {
	network := r.network()
	one, two := r.sandbox(network, "one"), r.sandbox(network)
	r.createSandbox(one)
	r.createSandbox(two)
	s := r.shell("httpd -p 8081; httpd -p 127.0.0.1:8082; echo ready; exec sleep 300")
	s.Sandbox = one.Name
	id := r.begun(s)
	for port, want := range map[int]bool{8081: true, 8082: false, 8083: false} {
		if got, err := r.engine.Listening(r.ctx, id, port); err != nil || got != want {
			r.Errorf("port %d is listened on: %v, %v; want %v", port, got, err, want)
		}
	}
	const ask = `ask() { printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 $1 $2 2>&1 | head -n 1; }; `
	for where, want := range map[string]string{one.Name: "HTTP", two.Name: "refused"} {
		s := r.shell(ask + "ask 127.0.0.1 8082; ask one 8081")
		s.Sandbox = where
		got := r.run(s)
		local, byName, _ := strings.Cut(got.stdout, "\n")
		if !strings.Contains(local, want) || !strings.Contains(byName, "HTTP") {
			r.Errorf("localhost says %q, want %s; the alias says %q (%s)", local, want, byName, got.stderr)
		}
	}
}

// sandboxBlocks: clouds' metadata services are unreachable whatever a container
// does, unless they are allowed.
func sandboxBlocks(r *rig) {
	network := r.network()
	for _, allowed := range []bool{false, true} {
		box := r.sandbox(network)
		box.Metadata = allowed
		r.createSandbox(box)
		s := r.shell("ip route del blackhole 169.254.0.0/16; ip route; ip addr add 169.254.169.254/32 dev lo")
		s.Sandbox = box.Name
		got := r.run(s)
		if strings.Contains(got.stdout, "blackhole 169.254.0.0/16") == allowed || got.ExitCode == 0 {
			r.Errorf("metadata allowed: %v; routes after trying to change them (exit code %d):\n%s%s", allowed, got.ExitCode, got.stdout, got.stderr)
		}
	}
}
