package runnertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// The promises that hold whenever and however often a process ends that runs a
// job, if others go on with it.
const (
	BegunOnce   = 1 // a step's commands begin at most once, unless retry asks for more
	EndsAsEver  = 2 // steps end as they would have, and the next ones follow
	LinesStay   = 3 // no line that a reader has seen is lost, doubled or moved
	NothingLeft = 4 // nothing of the job is left, and nothing foreign touched
	RunsOn      = 5 // a process that goes down in order stops nothing
	SaidOnce    = 6 // what slipway itself says in a log stands there once
)

// A Violation is a broken promise.
type Violation struct {
	Promise int
	Text    string
}

// Unkillable is a job with two services that have to answer, steps side by side,
// one whose failure is ignored, one that is tried again, one that cannot be run,
// one that fails and one that runs then; and an engine to run it on, process
// after process.
type Unkillable struct {
	Engine runner.Engine
	Server string // the server's ID, unused before
	// Begun tells how often each step's commands have begun, by name.
	Begun func() map[string]int
	// Change alters the job, such as its images.
	Change func(*runner.Job)
	// Break makes a process one that does not do its part; nil: none does. number
	// counts the processes of the job from 1.
	Break func(number int, p *Parts)
}

// Parts are what a process works with.
type Parts struct {
	Job      runner.Job
	State    runner.State
	Engine   runner.Engine
	Observer runner.Observer
}

// An End is where a process ends: at a point that an earlier job passed, dead or
// with a cause. The zero End is that of the job.
type End struct {
	At     string
	Detach error
}

// unkillableTimeout bounds the job, which takes far less.
const unkillableTimeout = time.Minute

// probePause is the time between two checks of the job's services.
const probePause = 2 * time.Millisecond

// unkillableSteps are the steps, with the shell commands and the output and
// result that they have to have.
var unkillableSteps = []struct {
	name, commands, output string
	needs                  []string
	begins                 int
	status                 runner.Status
	notice                 string // what slipway has to say in its log
	service                bool
}{
	{name: "db", commands: "echo ready; sleep 600", output: "ready\n", begins: 1, status: runner.Success, service: true},
	{name: "web", commands: "exec httpd -f -p 8080", begins: 1, status: runner.Success, service: true},
	{name: "build", commands: "echo one; echo two; printf three", output: "one\ntwo\nthree\n", begins: 1, status: runner.Success,
		notice: "the step asks for 2.0 GiB of memory and gets 1.0 GiB, the most that this server gives"},
	{name: "lint", commands: "echo warning; exit 3", output: "warning\n", begins: 1, status: runner.Failure},
	{name: "flaky", needs: []string{"build"}, commands: "test $(grep -c flaky /count/begun) = 2 || { echo first; exit 1; }; echo second",
		output: "first\nsecond\n", begins: 2, status: runner.Success, notice: "attempt 2 of 2: attempt 1 failed: exit code 1"},
	{name: "publish", status: runner.Error, notice: "resolve TOKEN: there is no secret `none`"},
	{name: "test", needs: []string{"lint", "flaky"}, commands: "echo FAIL; exit 1", output: "FAIL\n", begins: 1, status: runner.Failure},
	{name: "notify", needs: []string{"test"}, commands: "echo told", output: "told\n", begins: 1, status: runner.Success},
}

// UnkillableScripts is what the job's containers do on an Engine in memory;
// begins is called when a step's commands begin, and returns how often they have.
// There lint also runs out of memory.
func UnkillableScripts(begins func(step string) int) func(runner.ContainerSpec) Program {
	return func(s runner.ContainerSpec) Program {
		number, _ := strconv.Atoi(s.Labels[runner.LabelStep])
		if number == 0 {
			return Block() // a sandbox
		}
		name := unkillableSteps[number-1].name
		return func(p *Process) int {
			n := begins(name)
			switch name {
			case "db":
				p.OnExec(func([]string) runner.ExecResult { return runner.ExecResult{} })
				return Then(Print("ready\n", 0), Block())(p)
			case "web":
				p.Listen(8080)
				return Block()(p)
			case "build":
				return Then(Print("one\ntw", 0), Print("o\nthree", 0))(p)
			case "lint":
				p.SetOOMKilled()
				return Print("warning\n", 3)(p)
			case "flaky":
				return Print([]string{"first\n", "second\n", "third\n"}[min(n, 3)-1], 2-min(n, 2))(p)
			case "test":
				return Print("FAIL\n", 1)(p)
			default:
				return Print("told\n", 0)(p)
			}
		}
	}
}

func (u *Unkillable) job() runner.Job {
	// Where a promise is broken, a step may wait for ever for one that was lost.
	j := runner.Job{Server: u.Server, ID: "1", Nonce: "n0nce", Timeout: unkillableTimeout, Limits: runner.Limits{MemoryBytes: 1 << 30},
		Workflow: pipeline.Workflow{Name: "main", OnSuccess: true, Clone: pipeline.Clone{Skip: true}, Workspace: pipeline.Workspace{Base: "/work", Path: "src"}}}
	for _, s := range unkillableSteps {
		step := pipeline.Step{Name: s.name, Kind: pipeline.KindCommands, Image: "any", Pull: pipeline.PullIfNotPresent, OnSuccess: true,
			Commands: []string{"echo " + s.name + " >> /count/begun", s.commands}, DependsOn: s.needs, Failure: pipeline.FailureFail}
		switch s.name {
		case "db":
			step.Healthcheck = &pipeline.Healthcheck{Command: []string{"grep", "-q", "db", "/count/begun"}, Interval: probePause, Retries: 10_000}
		case "web":
			step.Healthcheck = &pipeline.Healthcheck{Port: 8080, Interval: probePause, Retries: 10_000}
		case "build":
			step.Resources = &pipeline.Resources{MemoryBytes: 2 << 30}
		case "lint":
			step.Failure = pipeline.FailureIgnore
		case "flaky":
			step.Retry = &pipeline.Retry{Attempts: 2, On: []pipeline.RetryOn{pipeline.RetryFailure}}
		case "publish":
			step.Secrets, step.Failure = map[string]string{"TOKEN": "none"}, pipeline.FailureIgnore
		case "notify":
			step.OnSuccess, step.OnFailure = false, true
		}
		if s.service {
			step.Kind = pipeline.KindService
			j.Workflow.Services = append(j.Workflow.Services, step)
			continue
		}
		j.Workflow.Steps = append(j.Workflow.Steps, step)
	}
	if u.Change != nil {
		u.Change(&j)
	}
	return j
}

// Run runs the job through processes that end one after the other, and a last
// one that does not. It returns the points that the last process but one to
// begin passed, and the promises that were broken.
func (u *Unkillable) Run(ctx context.Context, ends ...End) (points []string, broken []Violation) {
	j, seen := newJournal(), []map[int][]string{}
	var late []string
	for n := 1; ; n++ {
		end := End{}
		if n <= len(ends) {
			end = ends[n-1]
		}
		l := newLife(ctx, end.At, end.Detach)
		err := u.live(l, j, n)
		l.cancel(nil)
		l.die()
		seen, late = append(seen, j.rows()), append(late, l.late...)
		if n <= max(1, len(ends)) {
			points = l.passed
		}
		if err == nil && !l.isDead() {
			break
		}
		if n > len(ends)+3 {
			return points, append(broken, Violation{EndsAsEver, fmt.Sprintf("the job does not end: %v", err)})
		}
	}
	return points, u.check(ctx, j, seen, late)
}

// live runs the job in one process.
func (u *Unkillable) live(l *life, j *journal, number int) error {
	p := &Parts{Job: u.job(), State: j.recorded(), Observer: writer{j, l},
		Engine: mortal{Engine: u.Engine, life: l, name: u.containerName(), ending: j.ending}}
	if u.Break != nil {
		u.Break(number, p)
	}
	_, err := runner.Run(l.ctx, p.Job, p.State, p.Engine, p.Observer)
	if errors.Is(err, runner.ErrDetach) || err == nil {
		return err
	}
	return fmt.Errorf("process %d: %w", number, err)
}

// containerName returns what names a container of the job by its step and
// attempt, whatever its ID is. It asks the engine for an ID once.
func (u *Unkillable) containerName() func(string) string {
	var mu sync.Mutex
	known := map[string]string{} // names by ID; guarded by mu
	return func(id string) string {
		mu.Lock()
		defer mu.Unlock()
		if known[id] == "" && !strings.HasPrefix(id, "slipway-") {
			st, err := u.Engine.List(context.Background(), map[string]string{runner.LabelServer: u.Server})
			for _, r := range st {
				if err == nil {
					known[r.ID] = r.Name
				}
			}
		}
		return strings.TrimPrefix(cmp.Or(known[id], id), "slipway-"+u.Server+"-1-")
	}
}

// check returns what does not hold at the end of the job. seen is what readers
// saw at the end of each process.
func (u *Unkillable) check(ctx context.Context, j *journal, seen []map[int][]string, late []string) (broken []Violation) {
	tell := func(promise int, format string, args ...any) {
		broken = append(broken, Violation{promise, fmt.Sprintf(format, args...)})
	}
	begun := u.Begun()
	for i, s := range unkillableSteps {
		switch n := begun[s.name]; {
		case n > s.begins:
			tell(BegunOnce, "step %s began %d times", s.name, n)
		case n < s.begins:
			tell(EndsAsEver, "step %s began %d times", s.name, n)
		}
		if got := j.state.Results[i+1]; got.Status != s.status {
			tell(EndsAsEver, "step %s: %s %q, want %s", s.name, got.Status, got.Reason, s.status)
		}
		if got := j.output(i + 1); got != s.output {
			tell(LinesStay, "output of step %s: %q, want %q", s.name, got, s.output)
		}
	}
	for _, text := range j.wrongNotices() {
		tell(SaidOnce, "%s", text)
	}
	if j.ended == nil || j.ended.Status != runner.Failure || j.ended.Reason != "step test failed: exit code 1" {
		tell(EndsAsEver, "the job ended %+v", j.ended)
	}
	for _, e := range j.errors {
		tell(EndsAsEver, "%s", e)
	}
	last := j.rows()
	for n, before := range seen {
		for step, rows := range before {
			if len(rows) > len(last[step]) || !slices.Equal(rows, last[step][:len(rows)]) {
				tell(LinesStay, "step %d showed %q when process %d ended, and now %q", step, rows, n+1, last[step])
			}
		}
	}
	left, err := u.Engine.List(ctx, map[string]string{runner.LabelServer: u.Server})
	for _, r := range left {
		tell(NothingLeft, "%s %s is left", r.Kind, r.Name)
	}
	foreign, ferr := u.Engine.List(ctx, u.foreign())
	if len(foreign) != 3 {
		tell(NothingLeft, "of what another server made there is %v", foreign)
	}
	if err := errors.Join(err, ferr); err != nil {
		tell(NothingLeft, "cannot list: %v", err)
	}
	for _, id := range late {
		tell(RunsOn, "container %s was stopped by a process that goes down", id)
	}
	return broken
}

// foreign are the labels of what another server has for a job of the same ID.
func (u *Unkillable) foreign() map[string]string {
	return map[string]string{runner.LabelServer: u.Server + "-other", runner.LabelJob: "1"}
}

// MakeForeign makes what must not be touched: a container, a network and a
// volume of another server. RemoveForeign removes them.
func (u *Unkillable) MakeForeign(ctx context.Context) error {
	l, name := u.foreign(), "slipway-"+u.Server+"-other-1"
	_, err := u.Engine.CreateNetwork(ctx, runner.NetworkSpec{Name: name, Labels: l})
	_, verr := u.Engine.CreateVolume(ctx, runner.VolumeSpec{Name: name, Labels: l})
	j := u.job()
	_, cerr := u.Engine.CreateContainer(ctx, runner.ContainerSpec{Name: name + "-1-1", Labels: maps.Clone(l), Aliases: []string{"foreign"},
		Image: j.Workflow.Steps[0].Image})
	return errors.Join(err, verr, cerr)
}

// RemoveForeign undoes MakeForeign.
func (u *Unkillable) RemoveForeign(ctx context.Context) error {
	found, err := u.Engine.List(ctx, u.foreign())
	return errors.Join(err, runner.RemoveResources(ctx, u.Engine, found))
}
