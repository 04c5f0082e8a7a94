package runnertest_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// newUnkillable makes the job on an engine in memory.
func newUnkillable(t *testing.T) *runnertest.Unkillable {
	t.Helper()
	e := runnertest.NewEngine(t)
	var mu sync.Mutex
	begun := map[string]int{}
	e.Default(runnertest.UnkillableScripts(func(step string) int {
		mu.Lock()
		defer mu.Unlock()
		begun[step]++
		return begun[step]
	}))
	u := &runnertest.Unkillable{Engine: e, Server: "srv", Begun: func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(begun)
	}}
	if err := u.MakeForeign(t.Context()); err != nil {
		t.Fatal(err)
	}
	return u
}

// points are those of a job that nobody disturbs.
func points(t *testing.T) []string {
	t.Helper()
	all, broken := newUnkillable(t).Run(t.Context())
	if len(broken) > 0 {
		t.Fatalf("undisturbed: %v", broken)
	}
	if len(all) < 100 {
		t.Fatalf("only %d points: %q", len(all), all)
	}
	return all
}

// laterPoints are those that only a process comes to which takes over from one
// that died at the given point.
func laterPoints(t *testing.T, first string, all []string) (later []string) {
	t.Helper()
	ends := []runnertest.End{{At: first}, {}}
	passed, broken := newUnkillable(t).Run(t.Context(), ends...)
	wantUnbroken(t, broken, ends...)
	for _, at := range passed {
		if !slices.Contains(all, at) {
			later = append(later, at)
		}
	}
	return later
}

func wantUnbroken(t *testing.T, broken []runnertest.Violation, ends ...runnertest.End) {
	t.Helper()
	for _, b := range broken {
		t.Errorf("processes that end at %v: promise %d: %s", ends, b.Promise, b.Text)
	}
}

// TestDeathAtEachPoint ends the process at each transition. Every fourth time it
// is also one that goes down in order, and the one that takes over dies too.
func TestDeathAtEachPoint(t *testing.T) {
	var trials sync.WaitGroup
	defer trials.Wait()
	room := make(chan struct{}, 4) // what they cost is time of the processor
	try := func(ends ...runnertest.End) {
		room <- struct{}{}
		trials.Go(func() {
			defer func() { <-room }()
			_, broken := newUnkillable(t).Run(t.Context(), ends...)
			wantUnbroken(t, broken, ends...)
		})
	}
	all := points(t)
	for i, at := range all {
		try(runnertest.End{At: at})
		if i%4 == 0 {
			try(runnertest.End{At: at, Detach: runner.ErrDetach}, runnertest.End{At: all[(i*7)%len(all)]})
		}
	}
	for _, first := range []string{"done start/3/1 1 after", "append 4 1 after", "done attempt/5/2 1 after"} {
		later := laterPoints(t, first, all)
		for _, at := range later {
			try(runnertest.End{At: first}, runnertest.End{At: at})
		}
		all = append(all, later...)
	}
}

// TestManyDeaths ends ten processes in a row, each at a random point.
func TestManyDeaths(t *testing.T) {
	all := points(t)
	random := rand.New(rand.NewPCG(1, 2)) // the same each time
	for range 20 {
		var ends []runnertest.End
		for range 10 {
			ends = append(ends, runnertest.End{At: all[random.IntN(len(all))]})
		}
		_, broken := newUnkillable(t).Run(t.Context(), ends...)
		wantUnbroken(t, broken, ends...)
	}
}

// mutations each break one promise on purpose.
var mutations = []struct {
	name    string
	promise int
	brk     func(number int, p *runnertest.Parts)
	detach  error // processes go down with it, and are not killed
}{
	{"a process starts over", runnertest.BegunOnce, func(number int, p *runnertest.Parts) {
		p.Job.ID += strings.Repeat("x", number-1)
		p.State.Ops = nil
	}, nil},
	{"what runs is killed when it is found again", runnertest.EndsAsEver, func(number int, p *runnertest.Parts) {
		if number > 1 {
			p.Engine = killsRunning{p.Engine}
		}
	}, nil},
	{"the ends of steps are not recorded", runnertest.EndsAsEver, func(_ int, p *runnertest.Parts) { p.State.Results = nil }, nil},
	{"lines are counted as missing", runnertest.LinesStay, miscount(-1), nil},
	{"lines are counted twice", runnertest.LinesStay, miscount(1), nil},
	{"lines are stored in reverse", runnertest.LinesStay, func(_ int, p *runnertest.Parts) {
		p.Observer = logObserver{p.Observer, func(l runner.Log) runner.Log { return reversed{l} }}
	}, nil},
	{"what was said is forgotten", runnertest.SaidOnce, func(_ int, p *runnertest.Parts) {
		p.Observer = logObserver{p.Observer, func(l runner.Log) runner.Log { return forgetful{l} }}
	}, nil},
	{"networks are not removed", runnertest.NothingLeft, func(_ int, p *runnertest.Parts) { p.Engine = keepsNetworks{p.Engine} }, nil},
	{"what others own is removed", runnertest.NothingLeft, func(_ int, p *runnertest.Parts) { p.Engine = ignoresServer{p.Engine} }, nil},
	{"a process that goes down cancels", runnertest.RunsOn, nil, runner.ErrCancel},
}

// TestMutationsAreCaught: the suite fails when a promise is broken.
func TestMutationsAreCaught(t *testing.T) {
	t.Parallel()
	all := points(t)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for _, at := range all {
				u := newUnkillable(t)
				u.Break = m.brk
				_, broken := u.Run(t.Context(), runnertest.End{At: at, Detach: m.detach})
				if slices.ContainsFunc(broken, func(b runnertest.Violation) bool { return b.Promise == m.promise }) {
					return
				}
			}
			t.Errorf("nobody notices that promise %d is broken", m.promise)
		})
	}
}

type killsRunning struct{ runner.Engine }

func (k killsRunning) Inspect(ctx context.Context, id string) (runner.ContainerState, error) {
	_ = k.Stop(ctx, id, 0) // it may not be there
	return k.Engine.Inspect(ctx, id)
}

type keepsNetworks struct{ runner.Engine }

func (keepsNetworks) RemoveNetwork(context.Context, string) error { return nil }

type ignoresServer struct{ runner.Engine }

func (i ignoresServer) List(ctx context.Context, labels map[string]string) ([]runner.Resource, error) {
	return i.Engine.List(ctx, map[string]string{runner.LabelJob: labels[runner.LabelJob]})
}

// logObserver is an Observer whose logs are changed.
type logObserver struct {
	runner.Observer
	change func(runner.Log) runner.Log
}

func (o logObserver) Log(ctx context.Context, step int) (runner.Log, error) {
	l, err := o.Observer.Log(ctx, step)
	if err != nil {
		return nil, err
	}
	return o.change(l), nil
}

type reversed struct{ runner.Log }

func (r reversed) Append(lines ...runner.Line) error {
	lines = slices.Clone(lines)
	slices.Reverse(lines)
	return r.Log.Append(lines...)
}

// miscount makes every process but the first count its lines wrong.
func miscount(by int64) func(int, *runnertest.Parts) {
	return func(number int, p *runnertest.Parts) {
		if number > 1 {
			p.Observer = logObserver{p.Observer, func(l runner.Log) runner.Log { return miscounted{l, by} }}
		}
	}
}

type forgetful struct{ runner.Log }

func (forgetful) Notices(int64) ([]string, error) { return nil, nil }

type miscounted struct {
	runner.Log
	by int64
}

func (m miscounted) SourceLines(s runner.Stream) int64 {
	return max(0, m.Log.SourceLines(s)+m.by)
}
