package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// trustedFacts are a push to a repository that may do everything and knows the
// secrets token and pass.
func trustedFacts() Facts {
	f := pushFacts()
	f.Repo.Trust = Trust{Security: true, Volumes: true, Network: true}
	f.Secrets = []string{"pass", "token"}
	return f
}

// TestStepKeys has every key of a step and what the plan makes of it.
func TestStepKeys(t *testing.T) {
	tests := []struct {
		name, body string
		want       func(s *Step)
	}{
		{"user", "backend_options: {docker: {user: 1000:1000}}", func(s *Step) { s.User = "1000:1000" }},
		{"empty options", "backend_options: {docker: }", func(*Step) {}},
		{"failure: cancel", "failure: cancel", func(s *Step) { s.Failure = FailureCancel }},
		{"timeout", "timeout: 1h30m", func(s *Step) { s.Timeout = 90 * time.Minute }},
		{"retry as a number", "retry: 3", func(s *Step) { s.Retry = &Retry{3, []RetryOn{RetryFailure, RetryInfrastructure}} }},
		{"retry once is none", "retry: 1", func(*Step) {}},
		{"retry on", "retry: {on: [timeout, infrastructure, timeout]}", func(s *Step) { s.Retry = &Retry{2, []RetryOn{RetryTimeout, RetryInfrastructure}} }},
		{"retry attempts", "retry: {attempts: 10, on: failure}", func(s *Step) { s.Retry = &Retry{10, []RetryOn{RetryFailure}} }},
		{"resources", "resources: {cpus: 1.5, memory: 512MiB}", func(s *Step) { s.Resources = &Resources{1.5, 512 << 20} }},
		{"one resource", "resources: {memory: 1g}", func(s *Step) { s.Resources = &Resources{MemoryBytes: 1 << 30} }},
		{"privileged", "privileged: true", func(s *Step) { s.Privileged = true }},
		{"volumes", "volumes: ['/var/run/docker.sock:/var/run/docker.sock', 'cache:/c/:ro', '/a/../b:/d:rw']", func(s *Step) {
			s.Volumes = []Mount{
				{Kind: MountHost, Source: "/var/run/docker.sock", Target: "/var/run/docker.sock"},
				{Kind: MountVolume, Source: "cache", Target: "/c", ReadOnly: true},
				{Kind: MountHost, Source: "/b", Target: "/d"},
			}
		}},
		{"tmpfs", "tmpfs: [/tmp, '/run:size=64m,mode=1777']", func(s *Step) { s.Tmpfs = map[string]string{"/tmp": "", "/run": "size=64m,mode=1777"} }},
		{"devices", "devices: [/dev/kvm, '/dev/sda:/dev/xvda:r', '/dev/fuse:rw']", func(s *Step) {
			s.Devices = []Device{{"/dev/kvm", "/dev/kvm", "rwm"}, {"/dev/sda", "/dev/xvda", "r"}, {"/dev/fuse", "/dev/fuse", "rw"}}
		}},
		{"dns", "dns: [1.1.1.1, '2001:db8::1']", func(s *Step) { s.DNS = []string{"1.1.1.1", "2001:db8::1"} }},
		{"dns_search", "dns_search: corp.example.com", func(s *Step) { s.DNSSearch = []string{"corp.example.com"} }},
		{"extra_hosts", "extra_hosts: ['db:10.0.0.7', 'v6=2001:db8::1', 'me:host-gateway']", func(s *Step) {
			s.ExtraHosts = []string{"db:10.0.0.7", "v6:2001:db8::1", "me:host-gateway"}
		}},
		{"network_mode", "network_mode: host", func(s *Step) { s.NetworkMode = "host" }},
		{"detach", "detach: true", func(s *Step) { s.Detach = true }},
		{"a number as text", "directory: 1.20", func(s *Step) { s.Directory = "1.20" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustCompile(t, oneStep(tt.body), trustedFacts()).Steps[0]
			want := mustCompile(t, oneStep(""), trustedFacts()).Steps[0]
			tt.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStepKeyProblems has what is refused in a step.
func TestStepKeyProblems(t *testing.T) {
	tests := []struct{ body, want string }{
		{"timeout: 10", "4:14: must be a duration, this is `10`; write a number and its unit, for example `90s`, `10m` or `1h30m`"},
		{"timeout: 721h", "4:14: must be a duration of at most 720h, this is `721h`; write for example `10m`"},
		{"timeout: 0s", "4:14: must be a duration of at most 720h, this is `0s`; write for example `10m`"},
		{"retry: 11", "4:12: a step can have from 1 to 10 attempts, not 11"},
		{"retry: {attempts: 0}", "4:23: a step can have from 1 to 10 attempts, not 0"},
		{"retry: {on: always}", "4:17: `always` is not a reason to retry; known are `failure`, `infrastructure`, `timeout`"},
		{"retry: {on: []}", "4:17: `on` is empty: the step would never run again; remove the key to retry after both `failure` and `infrastructure`"},
		{"resources: {memory: 1k}", "4:25: is too little memory for a container; give it at least 6MiB"},
		{"resources: {memory: lots}", "4:25: must be a size, this is `lots`; write a number and its unit, for example `512MiB` or `2GiB`"},
		{"resources: {cpus: -1}", "4:23: must be a number greater than 0, this is `-1`"},
		{"resources: {cpus: 2000}", "4:23: `cpus` must be from 0.01 to 1024"},
		{"resources: {cpus: NaN}", "4:23: must be a number greater than 0, this is `NaN`"},
		{"volumes: [cache]", "4:15: `cache` is not a volume; write for example `/var/cache/go:/go` or `go-cache:/go:ro`"},
		{"volumes: ['./x:/y']", "4:15: `./x:/y` begins with neither an absolute path nor the name of a volume; write for example `/var/cache/go:/go` or `go-cache:/go:ro`"},
		{"volumes: ['xx:y']", "4:15: `xx:y` does not name an absolute path in the container; write for example `/var/cache/go:/go` or `go-cache:/go:ro`"},
		{"volumes: ['/x:/']", "4:15: `/x:/` does not name an absolute path in the container; write for example `/var/cache/go:/go` or `go-cache:/go:ro`"},
		{"volumes: ['/x:/y:z']", "4:15: `/x:/y:z` ends with neither `:ro` nor `:rw`; write for example `/var/cache/go:/go` or `go-cache:/go:ro`"},
		{"tmpfs: tmp", "4:12: `tmp` is not an absolute path; write for example `/tmp` or `/tmp:size=64m`"},
		{"devices: [kvm]", "4:15: `kvm` is not a device; write for example `/dev/kvm` or `/dev/sda:/dev/xvda:r`"},
		{"devices: ['/dev/a:/dev/b:x']", "4:15: `/dev/a:/dev/b:x` is not a device; write for example `/dev/kvm` or `/dev/sda:/dev/xvda:r`"},
		{"dns: [one.one]", "4:11: `one.one` is not an IP address; write for example `1.1.1.1`"},
		{"dns_search: ['a b']", "4:18: `a b` is not a domain; write for example `corp.example.com`"},
		{"extra_hosts: [db]", "4:19: `db` is not a host and its address; write for example `db.local:10.0.0.7`"},
		{"extra_hosts: ['db:other']", "4:19: `db:other` is not a host and its address; write for example `db.local:10.0.0.7`"},
		{"network_mode: 'container:x'", "4:19: `network_mode` cannot be `container:x`; write `none`, `bridge`, `host` or the name of a network"},
		{"backend_options: {docker: {user: 'a b'}}", "4:38: `a b` is not a user; write for example `1000:1000`"},
		{"backend_options: {kubernetes: {}}", "4:23: `kubernetes` is not a key of a backend_options; known are `docker`"},
		{"depends_on: [{optional: true}]", "4:18: a dependency has no name; write `{name: …, optional: true}`, or the name alone"},
		{"image2: {from_secret: x}", "4:5: `image2` is not a key of a step; did you mean `image`?"},
		{"timeout: {from_secret: token}", "4:14: must be a single value, this is a map; " + noSecretHere},
		{"detach: {from_secret: token}", "4:13: must be a single value, this is a map; " + noSecretHere},
		{"retry: {from_secret: token}", "4:13: `from_secret` is not a key of a retry; " + noSecretHere},
		{"depends_on: [{from_secret: token}]", "4:18: must be a single value, this is a map; " + noSecretHere},
		{"when: {branch: {from_secret: token}}", "4:21: `from_secret` is not a key of a filter; " + noSecretHere},
		{"network_mode: {from_secret: x}", "4:33: there is no secret `x` for this event; known are `pass`, `token`"},
		{"commands: [{from_secret: token, or: x}]", "4:37: `or` cannot stand beside `from_secret`; remove one of them"},
		{"environment: {from_secret: token}", "4:19: `from_secret` is the name of a variable here; write `NAME: {from_secret: …}` for one variable whose value is a secret"},
		{"settings: {from_secret: token}", "4:16: `from_secret` is the name of a setting here; write `name: {from_secret: …}` for one setting whose value is a secret"},
		{"secrets: [token]", "4:5: `secrets` is not a key of a step; did you mean `environment`?"},
		{"environment: {A: {from_secret: tokn}}", "4:36: there is no secret `tokn` for this event; did you mean `token`?"},
		{"environment: {A: {from_secret: }}", "4:36: the name of the secret is empty"},
		{"settings: {a: [{b: {from_secret: token, or: x}}]}", "4:45: `or` cannot stand beside `from_secret`; remove one of them"},
		{"when: {matrix: GO}", "4:20: `matrix` must be a map of names to values, this is a single value"},
		{"when: {path: []}", "4:18: is an empty list; name what it shall match, or remove the key"},
		{"when: {path: {include: 'a['}}", "4:28: `a[` is not a valid pattern; close every `[` and `{`, or write `\\[` for the character"},
		{"when: {evaluate: [a]}", "4:22: `evaluate` must be an expression, this is a list; write for example 'CI_COMMIT_AUTHOR != \"renovate\"'"},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			_, err := Compile(single(oneStep(tt.body)), trustedFacts())
			if diff := cmp.Diff([]string{".slipway.yml:" + tt.want}, lines(err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestServiceKeys has what only services have.
func TestServiceKeys(t *testing.T) {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	tests := []struct {
		name, body string
		ports      []Port
		health     *Healthcheck
	}{
		{"none", "", nil, nil},
		{"ports", "ports: [5432, '53/udp']", []Port{{5432, "tcp"}, {53, "udp"}}, nil},
		{"one port", "ports: 80", []Port{{80, "tcp"}}, nil},
		{"a port", "healthcheck: 5432", nil, &Healthcheck{Port: 5432, Interval: seconds(1), Timeout: seconds(5), Retries: 60}},
		{"a line", "healthcheck: pg_isready -q", nil, &Healthcheck{Command: []string{"/bin/sh", "-c", "pg_isready -q"}, Interval: seconds(1), Timeout: seconds(5), Retries: 60}},
		{"a program", "healthcheck: [pg_isready, -q]", nil, &Healthcheck{Command: []string{"pg_isready", "-q"}, Interval: seconds(1), Timeout: seconds(5), Retries: 60}},
		{"disabled", "healthcheck: none", nil, &Healthcheck{Disabled: true}},
		{"all", "healthcheck: {command: a, interval: 2s, timeout: 3s, retries: 4, start_period: 5s}", nil,
			&Healthcheck{Command: []string{"/bin/sh", "-c", "a"}, Interval: seconds(2), Timeout: seconds(3), Retries: 4, StartPeriod: seconds(5)}},
		{"times alone", "healthcheck: {retries: 2}", nil, &Healthcheck{Interval: seconds(1), Timeout: seconds(5), Retries: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mustCompile(t, "services:\n  db:\n    image: x\n    "+tt.body+"\n"+oneStep(""), pushFacts()).Services[0]
			if diff := cmp.Diff(tt.ports, s.Ports); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.health, s.Healthcheck); diff != "" {
				t.Errorf("healthcheck (-want +got):\n%s", diff)
			}
		})
	}
	problems := []struct{ body, want string }{
		{"ports: ['8080:80']", "4:13: `8080:80` would publish a port; services are reached by their names; write the port that the service listens on alone"},
		{"ports: [70000]", "4:13: `70000` is not a port; write for example `5432` or `53/udp`"},
		{"healthcheck: 70000", "4:18: `70000` is not a port; write a number from 1 to 65535"},
		{"healthcheck: {port: 1, command: a}", "4:25: a healthcheck has both `port` and `command`; remove one of them"},
		{"healthcheck: []", "4:18: the command is empty; write a command, or `healthcheck: none`"},
		{"healthcheck: {retries: 0}", "4:28: `retries` must be at least 1; write `healthcheck: none` to wait for nothing"},
		{"detach: false", "4:13: a service always runs beside the steps; remove `detach`, or make it a step"},
	}
	for _, tt := range problems {
		_, err := Compile(single("services:\n  db:\n    image: x\n    "+tt.body+"\n"+oneStep("")), pushFacts())
		if diff := cmp.Diff([]string{".slipway.yml:" + tt.want}, lines(err)); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
	}
}

// TestWorkflowKeys has the keys of a workflow that have no test of their own.
func TestWorkflowKeys(t *testing.T) {
	pull := pullRequestFacts()
	closed := pullRequestFacts()
	closed.Event = EventPullRequestClosed
	tests := []struct {
		name, text  string
		facts       Facts
		clone       Clone
		concurrency *Concurrency
	}{
		{"none", "", pushFacts(), Clone{}, nil},
		{"a number", "concurrency: 2", pushFacts(), Clone{}, &Concurrency{Limit: 2, Group: "main refs/heads/main"}},
		{"of a pull request", "concurrency: {cancel: true}", pull, Clone{}, &Concurrency{Limit: 1, Group: "main refs/pull/3/head", Cancel: true}},
		{"a group", "concurrency: {limit: 3, group: 'deploy ${CI_REPO_NAME}'}", pushFacts(), Clone{}, &Concurrency{Limit: 3, Group: "deploy app"}},
		{"clone", "clone: {depth: 7, tags: true, submodules: true, lfs: true, partial: true}", pushFacts(), Clone{Depth: 7, Tags: true, Submodules: true, LFS: true, Partial: true}, nil},
		{"whole history", "clone: {depth: 0}", pushFacts(), Clone{Depth: CloneAll}, nil},
		{"merge of a push", "clone: {ref: merge}", pushFacts(), Clone{}, nil},
		{"merge of a pull request", "clone: {ref: merge}", pull, Clone{Ref: CloneMerge}, nil},
		{"merge of a closed one", "clone: {ref: merge}", closed, Clone{}, nil},
		{"head", "clone: {ref: head}", pull, Clone{}, nil},
		{"none at all", "skip_clone: true", pushFacts(), Clone{Skip: true}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := mustCompile(t, tt.text+"\n"+oneStep(""), tt.facts)
			if diff := cmp.Diff(tt.clone, w.Clone); diff != "" {
				t.Errorf("clone (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.concurrency, w.Concurrency); diff != "" {
				t.Errorf("concurrency (-want +got):\n%s", diff)
			}
		})
	}
	problems := []struct{ text, want string }{
		{"concurrency: 0", "1:14: the limit must be at least 1; a workflow that never runs can be kept out with `when`"},
		{"concurrency: {group: ''}", "1:22: `group` must have from 1 to 300 bytes; remove it to have a group for each workflow and ref"},
		{"clone: {ref: both}", "1:14: `ref` cannot be `both`; known are `head`, `merge`"},
		{"clone: {git: {image: x}}", "1:9: `git` is not a key of a clone; known are `depth`, `lfs`, `partial`, `ref`, `submodules`, `tags`"},
		{"timeout: 1h", "1:1: `timeout` is not a key of a workflow; known are `$schema`, `clone`, `concurrency`, `depends_on`, `labels`, `matrix`, `runs_on`, `services`, `skip_clone`, `steps`, `variables`, `when`, `workspace`"},
	}
	for _, tt := range problems {
		_, err := Compile(single(tt.text+"\n"+oneStep("")), pushFacts())
		if diff := cmp.Diff([]string{".slipway.yml:" + tt.want}, lines(err)); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
	}
}

// TestMerges has `<<` on maps and on lists.
func TestMerges(t *testing.T) {
	const text = `
variables:
  - &env {A: 1, B: 2}
  - &more {B: 3, C: 4}
  - &first [one, two]
  - &last [five]
  - &step {image: alpine, pull: always, environment: *env}
steps:
  - <<: *step
    name: a
    pull: never
    environment: {<<: [*more, *env], C: 5}
    commands:
      - <<: *first
      - three
      - <<: [*last, *last]
`
	s := mustCompile(t, text, pushFacts()).Steps[0]
	env := map[string]string{"A": "1", "B": "3", "C": "5", "CI_STEP_NAME": "a", "CI_STEP_NUMBER": "1"}
	if diff := cmp.Diff(env, s.Environment); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"one", "two", "three", "five", "five"}, s.Commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if s.Pull != PullNever || s.Image != "alpine" {
		t.Errorf("step is %+v", s)
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{
		"1": 1, "1b": 1, "64k": 64 << 10, "64KB": 64 << 10, "1.5MiB": 3 << 19, "2 GiB": 2 << 30, "1t": 1 << 40,
	} {
		if got, ok := parseSize(in); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "m", "-1m", "1x", "1mm", "0", "9999t", "1e400", "NaN"} {
		if got, ok := parseSize(in); ok {
			t.Errorf("%q is %d", in, got)
		}
	}
}
