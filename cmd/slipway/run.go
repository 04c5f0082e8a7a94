package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/source"
)

type runCmd struct {
	Workflow   string        `arg:"" optional:"" help:"Run this workflow only (default: all that the event runs)."`
	Event      eventFlags    `embed:""`
	Step       []string      `help:"Run this step only, without what it depends on; can be given again." placeholder:"NAME"`
	From       string        `help:"Begin with this step: what does not come after it is taken as done." placeholder:"NAME"`
	Shell      string        `help:"Run up to this step and open a shell in its container, with its image, environment and workspace." placeholder:"NAME"`
	Env        []string      `help:"A variable for every step, KEY=VALUE; can be given again." placeholder:"KEY=VALUE"`
	SecretFile string        `type:"existingfile" placeholder:"FILE" help:"File with the secrets of from_secret, a line NAME=VALUE each. They are masked in the output."`
	Keep       bool          `help:"Keep the workspace volume of a workflow that failed, and print its name."`
	Timeout    time.Duration `default:"1h" help:"A workflow that takes longer fails."`
	DockerHost string        `placeholder:"URL" env:"DOCKER_HOST" help:"Docker engine; empty for the local one."`
	sandboxFlags
}

// Help is shown below the flags.
func (runCmd) Help() string {
	return `It runs the pipeline of the current directory on its files as they are, uncommitted
changes included, with the planner, the runner and the engine of the server, but
without a server. The exit code is the verdict: 0 if it is green. Ctrl-C cancels, a
second one kills.`
}

// localRun is a run under way.
type localRun struct {
	runCmd
	dir    string
	id     string
	engine *docker.Engine
	view   *runView
	kill   chan struct{}
	// secrets are the values of from_secret by name.
	secrets map[string]string
}

// Run runs the pipeline on the working tree.
func (c *runCmd) Run(ctx context.Context, o output) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	secrets, err := readSecretFile(c.SecretFile)
	if err != nil {
		return err
	}
	plan, err := c.plan(ctx, dir, slices.Sorted(maps.Keys(secrets)), o.err)
	if err != nil {
		return err
	}
	workflows, err := c.choose(plan)
	if err != nil {
		return err
	}
	cli, err := docker.Dial(c.DockerHost)
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	if err := docker.Ping(ctx, cli); err != nil {
		return err
	}
	r := &localRun{runCmd: *c, dir: dir, id: "run" + randomHex()[:10], engine: docker.New(cli, docker.Options{SandboxBinary: c.SandboxBinary, SandboxDNS: c.BuildDNS}),
		view: newRunView(o.out), kill: make(chan struct{}), secrets: secrets}
	defer r.killOnSecondSignal(ctx)()
	defer r.view.tick()()
	return r.all(ctx, workflows)
}

// plan reads and plans the pipeline; problems are printed to w. secrets are the
// names that from_secret may use.
func (c *runCmd) plan(ctx context.Context, dir string, secrets []string, w io.Writer) (*pipeline.Plan, error) {
	files, err := findFiles(dir, nil)
	var facts pipeline.Facts
	var plan *pipeline.Plan
	if err == nil {
		if facts, err = c.Event.facts(ctx, dir); err != nil {
			return nil, err
		}
		facts.Secrets = secrets
		facts.Repo.Trust = pipeline.Trust{Security: true, Volumes: true, Network: true} // it is the user's own machine
		plan, err = pipeline.Compile(files, facts)
	}
	var problems pipeline.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			printProblem(w, p)
		}
		return nil, exitCode(1)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range plan.Warnings {
		printProblem(w, p)
	}
	return plan, nil
}

// choose returns the workflows to run, cut to the steps that were asked for, in
// an order that their dependencies allow.
func (c *runCmd) choose(plan *pipeline.Plan) ([]pipeline.Workflow, error) {
	env, err := parseEnv(c.Env)
	if err != nil {
		return nil, err
	}
	var out []pipeline.Workflow
	for _, w := range plan.Workflows {
		if c.Workflow != "" && w.Name != c.Workflow || w.Skip != "" && c.Workflow == "" {
			continue
		}
		if err := c.cut(&w); err != nil {
			return nil, err
		}
		for _, steps := range [][]pipeline.Step{w.Services, w.Steps} {
			for i := range steps {
				steps[i].Environment = merge(steps[i].Environment, env)
			}
		}
		out = append(out, w)
	}
	if len(out) == 0 && c.Workflow != "" {
		return nil, fmt.Errorf("there is no workflow %s: see slipway lint", c.Workflow)
	}
	return inOrder(out), nil
}

// cut marks the steps that were not asked for as skipped.
func (c *runCmd) cut(w *pipeline.Workflow) error {
	var names []string
	for _, s := range w.Steps {
		names = append(names, s.Name)
	}
	for _, name := range append(slices.Clone(c.Step), c.From, c.Shell) {
		if name != "" && !slices.Contains(names, name) {
			return fmt.Errorf("workflow %s has no step %s; it has %s", w.Name, name, strings.Join(names, ", "))
		}
	}
	g := stepGraph(w.Steps)
	for i := range w.Steps {
		s := &w.Steps[i]
		switch {
		case len(c.Step) > 0 && !slices.Contains(c.Step, s.Name):
			s.Skip = "not asked for"
		case c.From != "" && s.Name != c.From && !g.after(s.Name, c.From):
			s.Skip = "before " + c.From
		case c.Shell != "" && s.Name != c.Shell && !g.after(c.Shell, s.Name):
			s.Skip = "not before " + c.Shell
		case c.Shell == s.Name && c.Shell != "":
			holdForShell(s)
		}
	}
	return nil
}

// all runs the workflows one after the other, and returns the worst verdict.
func (r *localRun) all(ctx context.Context, workflows []pipeline.Workflow) error {
	if len(workflows) == 0 {
		r.view.say("no workflow matches the event; slipway lint says why")
		return nil
	}
	failed := map[string]bool{}
	code := 0
	for i, w := range workflows {
		if ctx.Err() != nil {
			break
		}
		if reason := blocked(w, failed); reason != "" {
			r.view.say("workflow %s is skipped: %s", w.Name, reason)
			failed[w.Name] = !w.OnFailure
			continue
		}
		result, err := r.one(ctx, i+1, w)
		if err != nil {
			return err
		}
		if r.Shell != "" {
			return nil
		}
		r.view.ended(w.Name, result)
		if result.Status != runner.Success && result.Status != runner.Skipped {
			failed[w.Name], code = true, 1
		}
	}
	if ctx.Err() != nil {
		return exitCode(130) // as a shell has it of a program that Ctrl-C ended
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}

// one runs a workflow as a job.
func (r *localRun) one(ctx context.Context, number int, w pipeline.Workflow) (runner.JobResult, error) {
	obs := newLocalObserver(r.view, w)
	job := runner.Job{
		Server: r.id, ID: fmt.Sprint(number), Workflow: w, Nonce: randomHex(), Timeout: r.Timeout, Kill: r.kill,
		Limits: runner.Limits{PIDs: 4096},
		Secret: func(name string) (string, bool) { v, ok := r.secrets[name]; return v, ok },
		Login:  loginFile("").Login,
		Source: func(ctx context.Context) (io.ReadCloser, error) {
			return source.WorkTree(ctx, r.dir, w.Workspace.Path)
		},
	}
	if w.Clone.Skip {
		job.Source = nil
	}
	var eng runner.Engine = r.engine
	if r.Keep {
		eng = keepVolume{r.engine, runner.VolumeName(job.Server, job.ID)}
	}
	// Ctrl-C cancels the job; the run goes on until everything is removed.
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(runner.ErrCancel) })()
	shell := r.openShell(running, cancel, obs, &job)
	result, err := runner.Run(running, job, runner.State{}, eng, obs)
	shell()
	if r.Keep && err == nil {
		err = r.keep(context.WithoutCancel(ctx), job, result)
	}
	return result, err
}

// keepVolume is an engine that does not remove the workspace.
type keepVolume struct {
	runner.Engine
	name string
}

// RemoveVolume leaves the workspace to localRun.keep.
func (k keepVolume) RemoveVolume(ctx context.Context, id string) error {
	if id == k.name {
		return nil
	}
	return k.Engine.RemoveVolume(ctx, id)
}

// keep names the workspace of a workflow that failed, and removes another's.
func (r *localRun) keep(ctx context.Context, job runner.Job, result runner.JobResult) error {
	name := runner.VolumeName(job.Server, job.ID)
	if result.Status == runner.Success {
		return r.engine.RemoveVolume(ctx, name)
	}
	r.view.say("the workspace is kept: docker run --rm -it -v %s:%s -w %s IMAGE sh; then: docker volume rm %s",
		name, job.Workflow.Workspace.Base, job.Workflow.Workspace.Dir(), name)
	return nil
}

// killOnSecondSignal closes kill when Ctrl-C comes again.
func (r *localRun) killOnSecondSignal(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; n < 2; n++ {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			if n == 0 {
				r.view.say("canceling; once more kills")
			}
		}
		close(r.kill)
	}()
	return func() { signal.Stop(signals); cancel(); <-ended }
}

func parseEnv(list []string) (map[string]string, error) {
	env := map[string]string{}
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--env %q: write it as KEY=VALUE", kv)
		}
		env[k] = v
	}
	return env, nil
}

// readSecretFile reads NAME=VALUE lines; blank lines and those that begin with #
// are left out. A name alone takes its value from the environment.
func readSecretFile(path string) (map[string]string, error) {
	secrets := map[string]string{}
	if path == "" {
		return secrets, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			value, ok = os.LookupEnv(line)
		}
		if !ok || name == "" {
			return nil, fmt.Errorf("%s:%d: write NAME=VALUE, or the name of a variable that is set", path, i+1)
		}
		secrets[name] = value
	}
	return secrets, nil
}

func merge(base, over map[string]string) map[string]string {
	if len(over) == 0 {
		return base
	}
	out := make(map[string]string, len(base)+len(over))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range over {
		out[k] = v
	}
	return out
}
