package runnertest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

func createIsIdempotent(r *rig) {
	c := r.spec(exitZero)
	n := runner.NetworkSpec{Name: r.name(), Labels: r.labels()}
	v := runner.VolumeSpec{Name: r.name(), Labels: r.labels()}
	for kind, create := range map[string]func() (string, error){
		"container": func() (string, error) { return r.engine.CreateContainer(r.ctx, c) },
		"network":   func() (string, error) { return r.engine.CreateNetwork(r.ctx, n) },
		"volume":    func() (string, error) { return r.engine.CreateVolume(r.ctx, v) },
	} {
		first, err := create()
		r.ok("create "+kind, err)
		second, err := create()
		r.ok("create "+kind+" again", err)
		if first == "" || first != second {
			r.Errorf("%s has ID %q, created again %q", kind, first, second)
		}
	}
}

func createConflict(r *rig) {
	other := map[string]string{runner.LabelServer: r.server, runner.LabelJob: "another"}
	c := r.spec(exitZero)
	r.create(c)
	c.Labels = other
	_, err := r.engine.CreateContainer(r.ctx, c)
	r.is("CreateContainer", err, runner.ErrConflict)

	n := runner.NetworkSpec{Name: r.name(), Labels: r.labels()}
	_, err = r.engine.CreateNetwork(r.ctx, n)
	r.ok("CreateNetwork", err)
	n.Labels = other
	_, err = r.engine.CreateNetwork(r.ctx, n)
	r.is("CreateNetwork", err, runner.ErrConflict)

	v := runner.VolumeSpec{Name: r.name(), Labels: r.labels()}
	_, err = r.engine.CreateVolume(r.ctx, v)
	r.ok("CreateVolume", err)
	v.Labels = other
	_, err = r.engine.CreateVolume(r.ctx, v)
	r.is("CreateVolume", err, runner.ErrConflict)
}

func (r *rig) is(what string, err, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func notFound(r *rig) {
	id := r.name()
	_, err := r.engine.Inspect(r.ctx, id)
	r.is("Inspect", err, runner.ErrNotFound)
	_, err = r.engine.Wait(r.ctx, id)
	r.is("Wait", err, runner.ErrNotFound)
	_, err = r.engine.Attach(r.ctx, id)
	r.is("Attach", err, runner.ErrNotFound)
	_, err = r.engine.Logs(r.ctx, id, true)
	r.is("Logs", err, runner.ErrNotFound)
	r.is("Start", r.engine.Start(r.ctx, id), runner.ErrNotFound)
	r.is("FillVolume", r.fill(id, Archive("f", "")), runner.ErrNotFound)
}

func states(r *rig) {
	r.ok("Ping", r.engine.Ping(r.ctx))
	s := r.spec(sleeper)
	id := r.create(s)
	if got := r.inspect(id); got.Started || got.Running || got.ID != id {
		r.Errorf("created: %+v, want neither started nor running", got)
	}
	r.start(id)
	if got := r.inspect(id); !got.Started || !got.Running || got.StartedAt.IsZero() {
		r.Errorf("started: %+v, want started and running", got)
	}
	r.ok("Stop", r.engine.Stop(r.ctx, id, 0))
	got := r.inspect(id)
	if !got.Started || got.Running || got.ExitCode != 137 || got.OOMKilled || got.FinishedAt.Before(got.StartedAt) {
		r.Errorf("ended: %+v, want started, not running, exit code 137", got)
	}
	if w := r.wait(id); w != got {
		r.Errorf("Wait = %+v, Inspect = %+v, want the same", w, got)
	}
}

func (r *rig) inspect(id string) runner.ContainerState {
	r.Helper()
	s, err := r.engine.Inspect(r.ctx, id)
	r.ok("Inspect", err)
	return s
}

func exitCodes(r *rig) {
	for _, c := range []struct {
		script script
		want   int
	}{{exitZero, 0}, {exitSeven, 7}, {killSelf, 137}} {
		if got := r.run(r.spec(c.script)); got.ExitCode != c.want || got.Running || !got.Started {
			r.Errorf("%q ended with %+v, want exit code %d", c.script.sh, got.ContainerState, c.want)
		}
	}
}

// endsByItself: nobody but the program is to blame for its end.
func endsByItself(r *rig) {
	for _, script := range []script{exitZero, exitSeven, killSelf} {
		id := r.run(r.spec(script)).ID
		end, err := r.engine.Ending(r.ctx, id)
		r.ok("Ending", err)
		if end != (runner.Ending{}) {
			r.Errorf("%q ended with %+v", script.sh, end)
		}
	}
}

// runsOnce: a start whose answer was lost is done again, whatever became of the
// container meanwhile.
func runsOnce(r *rig) {
	f := r.begin(r.spec(polite))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	r.start(f.id)
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, patience))
	r.start(f.id)
	if got := f.result(); got.stdout != "ready\nbye\n" || got.ExitCode != 5 {
		r.Errorf("output %q, exit code %d, want one run", got.stdout, got.ExitCode)
	}
	if got := r.inspect(f.id); got.Running {
		r.Error("the container runs again")
	}
}

func waitEndsWithContext(r *rig) {
	id := r.create(r.spec(sleeper))
	r.start(id)
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan error, 1)
	go func() {
		_, err := r.engine.Wait(ctx, id)
		done <- err
	}()
	cancel()
	r.is("Wait", <-done, context.Canceled)
}

func stopWithGrace(r *rig) {
	f := r.begin(r.spec(polite))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, patience))
	if s := r.inspect(f.id); s.Running {
		r.Errorf("after Stop: %+v, want it ended", s)
	}
	if got := f.result(); got.stdout != "ready\nbye\n" || got.ExitCode != 5 {
		r.Errorf("output %q, exit code %d, want the script to have ended itself", got.stdout, got.ExitCode)
	}
}

func stopKillsAfterGrace(r *rig) {
	f := r.begin(r.spec(stubborn))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, 50*time.Millisecond))
	if got := f.result(); got.ExitCode != 137 {
		r.Errorf("exit code %d, want 137", got.ExitCode)
	}
}

func stopAtOnce(r *rig) {
	f := r.begin(r.spec(polite))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, 0))
	if got := f.result(); got.ExitCode != 137 || got.stdout != "ready\n" {
		r.Errorf("output %q, exit code %d, want it killed", got.stdout, got.ExitCode)
	}
}

func stopWhatDoesNotRun(r *rig) {
	id := r.create(r.spec(exitSeven))
	r.ok("Stop before start", r.engine.Stop(r.ctx, id, patience))
	r.start(id)
	r.wait(id)
	r.ok("Stop after end", r.engine.Stop(r.ctx, id, patience))
	if got := r.inspect(id).ExitCode; got != 7 {
		r.Errorf("exit code %d, want 7", got)
	}
	r.ok("Stop of nothing", r.engine.Stop(r.ctx, r.name(), 0))
}

// createBeforeNetwork creates a container for a network that is made later, and
// is known by its name only.
func createBeforeNetwork(r *rig) {
	n := runner.NetworkSpec{Name: r.name(), Labels: r.labels()}
	s := r.spec(exitSeven)
	s.NetworkID = n.Name
	early, late := r.create(s), s
	late.Name = r.name()
	if err := r.engine.Start(r.ctx, early); err == nil {
		r.Error("a container was started without its network")
	}
	_, err := r.engine.CreateNetwork(r.ctx, n)
	r.ok("CreateNetwork", err)
	for _, id := range []string{early, r.create(late)} {
		r.start(id)
		if got := r.wait(id).ExitCode; got != 7 {
			r.Errorf("exit code %d, want 7", got)
		}
	}
}

func removeIsIdempotent(r *rig) {
	v := r.volume()
	n := r.network()
	s := r.spec(exitZero)
	s.NetworkID, s.VolumeID, s.MountPath = n, v, "/work"
	c := r.create(s)
	for range 2 {
		r.ok("RemoveContainer", r.engine.RemoveContainer(r.ctx, c))
		r.ok("RemoveNetwork", r.engine.RemoveNetwork(r.ctx, n))
		r.ok("RemoveVolume", r.engine.RemoveVolume(r.ctx, v))
	}
	r.ok("RemoveContainer by name", r.engine.RemoveContainer(r.ctx, s.Name))
	_, err := r.engine.Inspect(r.ctx, c)
	r.is("Inspect", err, runner.ErrNotFound)
}

func removeKills(r *rig) {
	n := r.network()
	s := r.spec(stubborn)
	s.NetworkID = n
	f := r.begin(s)
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	removed := make(chan error, 2)
	for range 2 {
		go func() { removed <- r.engine.RemoveContainer(r.ctx, f.id) }()
	}
	for range 2 {
		r.ok("RemoveContainer", <-removed)
	}
	r.ok("Copy", f.copyError())
	r.ok("RemoveNetwork", r.engine.RemoveNetwork(r.ctx, n))
	_, err := r.engine.Inspect(r.ctx, f.id)
	r.is("Inspect", err, runner.ErrNotFound)
}

func listByLabels(r *rig) {
	n := runner.NetworkSpec{Name: r.name(), Labels: r.labels()}
	_, err := r.engine.CreateNetwork(r.ctx, n)
	r.ok("CreateNetwork", err)
	v := r.volume()
	stays := r.spec(exitZero)
	r.create(stays)
	ended := r.spec(exitZero)
	id := r.create(ended)
	r.start(id)
	r.wait(id)
	other := r.spec(exitZero)
	other.Labels = map[string]string{runner.LabelServer: r.server, runner.LabelJob: "2"}
	r.create(other)

	found, err := r.engine.List(r.ctx, r.labels())
	r.ok("List", err)
	want := []string{"container " + stays.Name, "container " + ended.Name, "network " + n.Name, "volume " + v}
	slices.Sort(want)
	if got := names(found); !slices.Equal(got, want) {
		r.Errorf("List = %q, want %q", got, want)
	}
	for _, f := range found {
		if f.Labels[runner.LabelServer] != r.server || f.ID == "" {
			r.Errorf("List: %+v lacks its labels or ID", f)
		}
	}
}

func manyContainersAtOnce(r *rig) {
	const n = 6
	var flights []*flight
	for range n {
		flights = append(flights, r.begin(r.spec(bothWords)))
	}
	for _, f := range flights {
		if got := f.result(); got.stdout != "out\n" || got.stderr != "err\n" || got.ExitCode != 3 {
			r.Errorf("one of %d: %+v", n, got)
		}
	}
}
