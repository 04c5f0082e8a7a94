package runner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// specOf runs one step and returns what its container was made from.
func specOf(t *testing.T, st pipeline.Step) (runner.ContainerSpec, *scenario) {
	t.Helper()
	s := newScenario(t, st)
	s.job.Workflow.Environment = map[string]string{"CI": "true", "FROM": "workflow"}
	s.job.Limits = runner.Limits{MemoryBytes: 1 << 30}
	s.job.Labels = map[string]string{runner.LabelRepo: "o/r"}
	var spec runner.ContainerSpec
	s.eng.Default(func(made runner.ContainerSpec) (p runnertest.Program) {
		spec = made
		return nil
	})
	s.run()
	return spec, s
}

func TestContainerOfCommands(t *testing.T) {
	spec, s := specOf(t, with(step("build"), commands("make"), func(p *pipeline.Step) {
		p.Environment = map[string]string{"FROM": "step"}
	}))
	s.wantJob(runner.Success, "", "")
	if spec.Name != "slipway-srv-j1-1-1" || spec.MountPath != "/slipway" || spec.WorkingDir != "" || spec.Limits.MemoryBytes != 1<<30 {
		t.Errorf("spec %+v", spec)
	}
	if got := strings.Join(spec.Entrypoint, " "); got != "/bin/sh -c" || len(spec.Cmd) != 1 {
		t.Errorf("entrypoint %q, %d arguments", got, len(spec.Cmd))
	}
	want := "CI=true CI_PIPELINE_STATUS=success CI_STEP_NAME=build CI_STEP_NUMBER=1 FROM=step " +
		"GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*"
	if got := strings.Join(spec.Env, " "); got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
	for k, v := range map[string]string{
		runner.LabelServer: "srv", runner.LabelJob: "j1", runner.LabelStep: "1", runner.LabelRepo: "o/r",
	} {
		if spec.Labels[k] != v {
			t.Errorf("label %s is %q, want %q", k, spec.Labels[k], v)
		}
	}
}

func TestContainerOfPlugin(t *testing.T) {
	spec, _ := specOf(t, step("publish"))
	if spec.Entrypoint != nil || spec.Cmd != nil || spec.WorkingDir != "/slipway/src/repo" {
		t.Errorf("entrypoint %q, arguments %q, directory %q", spec.Entrypoint, spec.Cmd, spec.WorkingDir)
	}
}

// Arguments are for the image's own program, or for the step's entrypoint.
func TestArguments(t *testing.T) {
	args := func(p *pipeline.Step) { p.Args = []string{"--save", ""} }
	spec, _ := specOf(t, with(step("publish"), args))
	if spec.Entrypoint != nil || len(spec.Cmd) != 2 || spec.Cmd[0] != "--save" {
		t.Errorf("entrypoint %q, arguments %q", spec.Entrypoint, spec.Cmd)
	}
	spec, _ = specOf(t, with(step("publish"), args, func(p *pipeline.Step) { p.Entrypoint = []string{"redis-server"} }))
	if len(spec.Entrypoint) != 1 || len(spec.Cmd) != 2 {
		t.Errorf("entrypoint %q, arguments %q", spec.Entrypoint, spec.Cmd)
	}
}

// What a .drone.yml asks for by the names of Drone is told anew to each step.
func TestDroneEnvironment(t *testing.T) {
	s := newScenario(t, step("test"), with(step("tell"), func(p *pipeline.Step) { p.DependsOn, p.OnFailure = []string{"test"}, true }))
	s.job.Workflow.Environment = map[string]string{
		"DRONE": "true", "DRONE_STAGE_NAME": "linux", "DRONE_BUILD_STATUS": "success", "DRONE_STAGE_STATUS": "success",
	}
	env := map[string][]string{}
	s.eng.Default(func(made runner.ContainerSpec) runnertest.Program {
		env[made.Aliases[0]] = made.Env
		return runnertest.Exit(1)
	})
	s.run()
	got := strings.Join(env["tell"], "\n")
	for _, want := range []string{"DRONE_BUILD_STATUS=failure", "DRONE_STAGE_STATUS=failure", "DRONE_STEP_NAME=tell", "DRONE_STEP_NUMBER=2",
		"DRONE_FAILED_STEPS=test", "DRONE_FAILED_STAGES=linux"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if before := strings.Join(env["test"], "\n"); strings.Contains(before, "DRONE_FAILED") {
		t.Errorf("before anything failed:\n%s", before)
	}
}

// A plugin that looks for Drone's names finds what the step makes of ours.
func TestAliasesOfWhatTheStepSays(t *testing.T) {
	spec, _ := specOf(t, with(step("publish"), func(p *pipeline.Step) {
		p.Kind, p.Environment = pipeline.KindPlugin, map[string]string{"CI_COMMIT_BRANCH": "release", "DRONE_REPO": "octo/other"}
	}))
	for _, want := range []string{"DRONE_BRANCH=release", "DRONE_REPO=octo/other"} {
		if !slices.Contains(spec.Env, want) {
			t.Errorf("no %s in %q", want, spec.Env)
		}
	}
}

func TestOwnEntrypoint(t *testing.T) {
	own := func(entrypoint ...string) pipeline.Step {
		return with(step("build"), commands("make"), func(p *pipeline.Step) { p.Entrypoint = entrypoint })
	}
	spec, _ := specOf(t, own("/bin/bash", "-c"))
	if spec.Entrypoint[0] != "/bin/bash" || len(spec.Cmd) != 1 || !strings.Contains(spec.Cmd[0], "\nmake\n") {
		t.Errorf("entrypoint %q, arguments %q", spec.Entrypoint, spec.Cmd)
	}
	spec, _ = specOf(t, own("/bin/bash", "-c", "echo $CI_SCRIPT | base64 -d | /bin/bash -e"))
	if len(spec.Cmd) != 0 || !strings.Contains(strings.Join(spec.Env, "\n"), "\nCI_SCRIPT=") {
		t.Errorf("arguments %q, environment %q", spec.Cmd, spec.Env)
	}
}

func TestCommandsThatAreTooLong(t *testing.T) {
	_, s := specOf(t, with(step("build"), commands(strings.Repeat("x", 130<<10))))
	s.wantJob(runner.Error, "step build failed: the commands are too long: a script of 131 KiB, at most 120 KiB can be run; move them into a file of the repository", "build")
}

// shells run scripts as the step's container would. busybox's is what most
// small images have, dash is Debian's, bash Red Hat's.
var shells = [][]string{{"busybox", "sh"}, {"dash"}, {"bash"}}

func TestScript(t *testing.T) {
	for _, tt := range []struct {
		name     string
		commands []string
		rows     []string
		code     int
	}{
		{"Order", []string{"echo a", "echo b"}, []string{"$ echo a [-1]", "a", "$ echo b [0]", "b"}, 0},
		{"OneShell", []string{"cd /", "x=1", "export y=2", "echo $PWD $x $(sh -c 'echo $y')"},
			[]string{"$ cd / [-1]", "$ x=1 [0]", "$ export y=2 [0]", "$ echo $PWD $x $(sh -c 'echo $y') [0]", "/ 1 2"}, 0},
		{"Fails", []string{"echo a", "false", "echo b"}, []string{"$ echo a [-1]", "a", "$ false [0]"}, 1},
		{"FailsWithCode", []string{"(exit 7)", "echo b"}, []string{"$ (exit 7) [-1]"}, 7},
		{"TestedFailureGoesOn", []string{"false && true", "echo b"}, []string{"$ false && true [-1]", "$ echo b [1]", "b"}, 0},
		{"LastOneCounts", []string{"false && true"}, []string{"$ false && true [-1]"}, 1},
		{"NotStoppedByErrors", []string{"set +e", "(exit 3)", "echo $?"}, []string{"$ set +e [-1]", "$ (exit 3) [0]", "$ echo $? [3]", "0"}, 0},
		{"Stderr", []string{"echo a >&2; echo b"}, []string{"$ echo a >&2; echo b [-1]", "a", "b"}, 0},
		{"Lines", []string{"for i in 1 2; do\n  echo $i\ndone\n"}, []string{"$ for i in 1 2; do [-1]", ">   echo $i", "> done", "1", "2"}, 0},
		{"Heredoc", []string{"cat <<EOF\n$((1+1))\nEOF", "echo b"}, []string{"$ cat <<EOF [-1]", "> $((1+1))", "> EOF", "2", "$ echo b [0]", "b"}, 0},
		{"Comment", []string{"echo a # b", "# c", "echo d"}, []string{"$ echo a # b [-1]", "a", "$ # c [0]", "$ echo d [0]", "d"}, 0},
		{"Backslash", []string{`echo a \`, "echo b"}, []string{`$ echo a \ [-1]`, "a", "$ echo b [0]", "b"}, 0},
		{"Quotes", []string{`echo 'it'"'"'s' "$HOME x"`}, []string{`$ echo 'it'"'"'s' "$HOME x" [-1]`, "it's /root x"}, 0},
		{"Percent", []string{"echo '%s %d'"}, []string{"$ echo '%s %d' [-1]", "%s %d"}, 0},
		{"Exit", []string{"exit 5", "echo b"}, []string{"$ exit 5 [-1]"}, 5},
		{"NoNewline", []string{"printf a", "printf b"}, []string{"$ printf a [-1]", "a", "$ printf b [0]", "b"}, 0},
		{"OpenHeredoc", []string{"exec 2>/dev/null", "cat <<EOF\na"}, []string{"$ exec 2>/dev/null [-1]", "$ cat <<EOF [0]", "> a", "a"}, 0},
		{"NoErrorsLeft", []string{"set +e", "(exit 3)"}, []string{"$ set +e [-1]", "$ (exit 3) [0]"}, 3},
		{"NoGlobs", []string{"set -fu"}, []string{"$ set -fu [-1]"}, 0},
		{"Function", []string{"f() { echo f $1; }", "f 1"}, []string{"$ f() { echo f $1; } [-1]", "$ f 1 [0]", "f 1"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, shell := range shells {
				rows, code := inShell(t, shell, tt.commands)
				if got, want := strings.Join(rows, "\n"), strings.Join(tt.rows, "\n"); got != want || code != tt.code {
					t.Errorf("%s: exit code %d, rows:\n%s\nwant %d:\n%s", shell, code, got, tt.code, want)
				}
			}
		})
	}
}

// TestUnbalancedQuotes: what ran before has run, and what is broken fails.
func TestUnbalancedQuotes(t *testing.T) {
	for _, shell := range shells {
		for _, broken := range []string{`echo "b`, `echo 'b`, "echo $(b", "echo `b"} {
			rows, code := inShell(t, shell, []string{"echo a", broken, "echo c"})
			if len(rows) < 2 || rows[0] != "$ echo a [-1]" || rows[1] != "a" || code == 0 {
				t.Errorf("%s, %s: exit code %d, rows %q", shell, broken, code, rows)
			}
			for _, row := range rows {
				if strings.Contains(row, "\x1b]") || row == "c" {
					t.Errorf("%s, %s: row %q", shell, broken, row)
				}
			}
		}
	}
}

// TestTrace: a shell that traces says nothing of the markers.
func TestTrace(t *testing.T) {
	for _, shell := range shells {
		rows, _ := inShell(t, shell, []string{"set -x", "echo a"})
		want := []string{"$ set -x [-1]", "$ echo a [0]", "+ echo a", "a"}
		if fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s: rows %q, want %q", shell, rows, want)
		}
	}
}
