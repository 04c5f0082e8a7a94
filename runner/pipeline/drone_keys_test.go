package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDroneStepKeys has each key of a step alone: what it changes in the step.
func TestDroneStepKeys(t *testing.T) {
	const volumes = "volumes: [{name: v, temp: {}}, {name: m, temp: {medium: memory}}, {name: h, host: {path: /dev/kvm}}]\n"
	tests := map[string]func(*Step){
		"":                                       func(*Step) {},
		"commands: [a, b]":                       func(s *Step) { s.Kind, s.Commands = KindCommands, []string{"a", "b"} },
		"commands: a":                            func(s *Step) { s.Kind, s.Commands = KindCommands, []string{"a"} },
		"command: [a, b]":                        func(s *Step) { s.Args = []string{"a", "b"} },
		"entrypoint: [a, b]":                     func(s *Step) { s.Entrypoint = []string{"a", "b"} },
		"environment: {A: 1.20}":                 func(s *Step) { s.Environment["A"] = "1.20" },
		"environment: {A: {from_secret: Token}}": func(s *Step) { s.Secrets = map[string]string{"A": "token"} },
		"settings: {a.b: [1, x], n: ~}":          func(s *Step) { s.Environment["PLUGIN_A_B"] = "1,x" },
		"settings: {p: {from_secret: token}}":    func(s *Step) { s.Secrets = map[string]string{"PLUGIN_P": "token"} },
		"settings: {p: [{from_secret: token}]}": func(s *Step) {
			s.Templates = map[string]Template{"PLUGIN_P": {Value: []byte(`[{"from_secret":"token"}]`), Join: true}}
		},
		"detach: true":                func(s *Step) { s.Detach = true },
		"failure: always":             func(*Step) {},
		"failure: ignore":             func(s *Step) { s.Failure = FailureIgnore },
		"failure: fast":               func(s *Step) { s.Failure = FailureCancel },
		"failure: fast-fail":          func(s *Step) { s.Failure = FailureCancel },
		"failure: fail-fast":          func(s *Step) { s.Failure = FailureCancel },
		"pull: always":                func(s *Step) { s.Pull = PullAlways },
		"pull: if-not-exists":         func(s *Step) { s.Pull = PullIfNotPresent },
		"pull: Never":                 func(s *Step) { s.Pull = PullNever },
		"pull: default":               func(*Step) {},
		"user: 1000:1000":             func(s *Step) { s.User = "1000:1000" },
		"working_dir: /tmp/x":         func(s *Step) { s.Directory = "/tmp/x" },
		"privileged: true":            func(s *Step) { s.Privileged = true },
		"network_mode: host":          func(s *Step) { s.NetworkMode = "host" },
		"dns: 1.1.1.1":                func(s *Step) { s.DNS = []string{"1.1.1.1"} },
		"dns_search: [a.example]":     func(s *Step) { s.DNSSearch = []string{"a.example"} },
		"extra_hosts: ['a:10.0.0.1']": func(s *Step) { s.ExtraHosts = []string{"a:10.0.0.1"} },
		"mem_limit: 1gb":              func(s *Step) { s.Resources = &Resources{MemoryBytes: 1 << 30} },
		"mem_limit: 1000000000":       func(s *Step) { s.Resources = &Resources{MemoryBytes: 1e9} },
		"shm_size: 128m":              func(s *Step) { s.ShmSize = 128 << 20 },
		"volumes: [{name: v, path: /a/}]": func(s *Step) {
			s.Volumes = []Mount{{Kind: MountTemp, Source: "v", Target: "/a"}}
		},
		"volumes: [{name: m, path: /a}, {name: h, path: /b}]": func(s *Step) {
			s.Volumes = []Mount{{Kind: MountTemp, Source: "m", Target: "/a", Memory: true}, {Kind: MountHost, Source: "/dev/kvm", Target: "/b"}}
		},
		"devices: [{name: h, path: /dev/x}]": func(s *Step) {
			s.Devices = []Device{{Host: "/dev/kvm", Container: "/dev/x", Permissions: "rwm"}}
		},
		"when: {status: failure}":            func(s *Step) { s.OnSuccess, s.OnFailure = false, true },
		"when: {status: [success, failure]}": func(s *Step) { s.OnFailure = true },
		"when: {status: {exclude: success}}": func(s *Step) { s.OnSuccess, s.OnFailure = false, true },
		"depends_on: []":                     func(*Step) {},
		"depends_on: [clone]":                func(*Step) {},
	}
	f := droneFacts()
	f.Secrets = []string{"token"}
	for body, change := range tests {
		t.Run(body, func(t *testing.T) {
			plan := mustDrone(t, volumes+droneStepWith(body), f)
			want := Step{
				Name: "a", Kind: KindPlugin, Image: "alpine", Pull: PullAlways, Failure: FailureFail, OnSuccess: true,
				Environment: map[string]string{"CI_STEP_NAME": "a", "CI_STEP_NUMBER": "1"}, Line: 5,
			}
			change(&want)
			if diff := cmp.Diff(want, plan.Workflows[0].Steps[0]); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
			if len(plan.Warnings) > 0 {
				t.Errorf("warnings %v", lines(plan.Warnings))
			}
		})
	}
}

// TestDronePipelineKeys has each key of a pipeline alone: what it changes.
func TestDronePipelineKeys(t *testing.T) {
	tests := map[string]func(*Workflow){
		"":                                      func(*Workflow) {},
		"version: 1":                            func(*Workflow) {},
		"name: build & test":                    func(w *Workflow) { w.Name = "build & test" },
		"node: {zone: a, size: 2}":              func(w *Workflow) { w.Labels = map[string]string{"zone": "a", "size": "2"} },
		"concurrency: {limit: 2}":               func(w *Workflow) { w.Concurrency = &Concurrency{Limit: 2, Group: "default"} },
		"concurrency: {limit: 0}":               func(*Workflow) {},
		"clone: {depth: 3}":                     func(w *Workflow) { w.Clone.Depth = 3 },
		"clone: {depth: 0}":                     func(*Workflow) {},
		"clone: {disable: true}":                func(w *Workflow) { w.Clone = Clone{Skip: true} },
		"workspace: {path: sub}":                func(w *Workflow) { w.Workspace.Path = "sub" },
		"workspace: {path: /x/src}":             func(w *Workflow) { w.Workspace.Base = "/x/src" },
		"workspace: {base: /go}":                func(w *Workflow) { w.Workspace.Base = "/go" },
		"workspace: {base: /go, path: src/a}":   func(w *Workflow) { w.Workspace = Workspace{"/go", "src/a"} },
		"workspace: {base: /go, path: /src/a}":  func(w *Workflow) { w.Workspace = Workspace{"/go", "src/a"} },
		"trigger: {status: [failure]}":          func(w *Workflow) { w.OnSuccess, w.OnFailure = false, true },
		"trigger: {status: [success, failure]}": func(w *Workflow) { w.OnFailure = true },
		"trigger: {}":                           func(*Workflow) {},
		"trigger: ~":                            func(*Workflow) {},
		"services: ~":                           func(*Workflow) {},
		"volumes: [{name: unused, temp: }]":     func(*Workflow) {},
	}
	for head, change := range tests {
		t.Run(head, func(t *testing.T) {
			plan := mustDrone(t, "kind: pipeline\n"+head+"\n"+oneStep("commands: a"), droneFacts())
			got := plan.Workflows[0]
			got.Environment, got.Steps, got.Why = nil, nil, nil
			want := Workflow{
				Name: "default", File: ".drone.yml", OnSuccess: true,
				Clone: Clone{Depth: CloneAll}, Workspace: Workspace{Base: "/drone/src"},
			}
			change(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("workflow (-want +got):\n%s", diff)
			}
			if len(plan.Warnings) > 0 {
				t.Errorf("warnings %v", lines(plan.Warnings))
			}
		})
	}
}

// The build's own variables win over the pipeline's environment, a step's wins
// over both.
func TestDroneEnvironment(t *testing.T) {
	text := "kind: pipeline\nenvironment: {A: pipeline, B: pipeline, DRONE_BRANCH: pipeline}\n" +
		oneStep("environment: {B: step, DRONE_COMMIT: step}\ncommands: 'echo [${A}]'")
	w := mustDrone(t, text, droneFacts()).Workflows[0]
	for name, want := range map[string]string{"A": "pipeline", "B": "pipeline", "DRONE_BRANCH": "main"} {
		if got := w.Environment[name]; got != want {
			t.Errorf("workflow's %s is %q, want %q", name, got, want)
		}
	}
	step := w.Steps[0]
	for name, want := range map[string]string{"B": "step", "DRONE_COMMIT": "step"} {
		if got := step.Environment[name]; got != want {
			t.Errorf("step's %s is %q, want %q", name, got, want)
		}
	}
	if step.Commands[0] != "echo []" {
		t.Errorf("the command is %q: the pipeline's environment is not for substitution", step.Commands[0])
	}
}

func TestDroneCloneOfPullRequest(t *testing.T) {
	if got := mustDrone(t, droneStepWith(""), pullRequestFacts()).Workflows[0].Clone.Ref; got != CloneMerge {
		t.Errorf("ref is %q", got)
	}
}

func TestDronePull(t *testing.T) {
	for image, want := range map[string]Pull{
		"alpine": PullAlways, "alpine:latest": PullAlways, "r.example:5000/a/b": PullAlways,
		"alpine:3.22": PullIfNotPresent, "alpine@sha256:" + sha64: PullIfNotPresent,
	} {
		if got := (&dronePull{}).policy(image); got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
}

const sha64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestDroneOrder(t *testing.T) {
	step := func(name, needs string) string {
		return "- {name: " + name + ", image: 'x:1', commands: y" + needs + "}\n"
	}
	tests := []struct {
		name, steps string
		want        map[string][]string
	}{
		{"sequence", step("a", "") + step("b", "") + step("c", ", depends_on: []"), map[string][]string{"a": nil, "b": {"a"}, "c": {"b"}}},
		{"graph", step("a", "") + step("b", "") + step("c", ", depends_on: [a]"), map[string][]string{"a": nil, "b": nil, "c": {"a"}}},
		{"after the clone", step("a", "") + step("b", ", depends_on: [clone]"), map[string][]string{"a": nil, "b": nil}},
		{"clone of its own", step("clone", "") + step("b", ", depends_on: clone"), map[string][]string{"clone": nil, "b": {"clone"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string][]string{}
			for _, s := range mustDrone(t, "kind: pipeline\nsteps:\n"+tt.steps, droneFacts()).Workflows[0].Steps {
				got[s.Name] = s.DependsOn
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

// A service is nobody's to wait for, runs what it is told, and where.
func TestDroneService(t *testing.T) {
	text := "kind: pipeline\nservices: [{name: db, image: 'postgres:16', command: [-c, fsync=off], working_dir: /tmp}]\n" + oneStep("commands: y")
	w := mustDrone(t, text, droneFacts()).Workflows[0]
	want := []Step{{
		Name: "db", Kind: KindService, Image: "postgres:16", Pull: PullIfNotPresent, Args: []string{"-c", "fsync=off"}, Directory: "/tmp",
		Failure: FailureFail, OnSuccess: true, Healthcheck: &Healthcheck{Disabled: true}, Line: 2,
		Environment: map[string]string{"CI_STEP_NAME": "db", "CI_STEP_NUMBER": "1"},
	}}
	if diff := cmp.Diff(want, w.Services); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
}

// The name of a temporary volume becomes part of the name of one of the engine's,
// which may hold less than Drone's.
func TestDroneTempNames(t *testing.T) {
	source := func(name string) string {
		quoted := fmt.Sprintf("%q", name)
		text := "volumes: [{name: " + quoted + ", temp: {}}]\n" + droneStepWith("volumes: [{name: "+quoted+", path: /v}]")
		return mustDrone(t, text, pushFacts()).Workflows[0].Steps[0].Volumes[0].Source
	}
	for _, name := range []string{"cache", "go-mod", "a", "v1.2", strings.Repeat("x", 40)} {
		if got := source(name); got != name {
			t.Errorf("%s becomes %s", name, got)
		}
	}
	engine := regexp.MustCompile(`^temp_[0-9a-f]{64}$`)
	for _, name := range []string{"a/b", "go cache", "..", "-v", "x.", "größe", strings.Repeat("x", 41)} {
		if got := source(name); !engine.MatchString(got) {
			t.Errorf("%s becomes %s", name, got)
		}
	}
	if source("a/b") == source("a b") {
		t.Error("two names become one")
	}
}

// A temporary volume harms nobody; one in memory or of the machine may.
func TestDroneTrust(t *testing.T) {
	f := pushFacts()
	text := func(volume string) string {
		return "volumes: [{name: v, " + volume + "}]\n" + droneStepWith("volumes: [{name: v, path: /v}]")
	}
	mustDrone(t, text("temp: {}"), f)
	for _, volume := range []string{"temp: {medium: memory}", "host: {path: /srv}"} {
		_, err := Compile(droneFiles(text(volume)), f)
		want := []string{".drone.yml:7:14: `volumes` needs the trust `volumes`, which the repository does not have; " +
			"who has the admin token of this slipway gives it with `PATCH /api/repos/octo/app` and {\"trust\": {\"volumes\": true}}; or do without"}
		if diff := cmp.Diff(want, lines(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", volume, diff)
		}
	}
}
