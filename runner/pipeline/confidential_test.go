package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resolved plans a file, stores the plan, and resolves the first service or else
// the first step of what was stored.
func resolved(t *testing.T, text string, secrets map[string]string) (Step, []string, error) {
	t.Helper()
	f := trustedFacts()
	f.AnySecret = true
	data, err := json.Marshal(mustPlan(t, text, f))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range secrets {
		if strings.Contains(string(data), value) {
			t.Errorf("the plan has %q in it: %s", value, data)
		}
	}
	var plan Plan
	if err := json.Unmarshal(data, &plan); err != nil {
		t.Fatal(err)
	}
	before, step := string(data), &plan.Workflows[0].Steps[0]
	if len(plan.Workflows[0].Services) > 0 {
		step = &plan.Workflows[0].Services[0]
	}
	got, values, err := step.Resolve(func(name string) (string, bool) { v, ok := secrets[name]; return v, ok })
	if after, _ := json.Marshal(plan); string(after) != before {
		t.Errorf("resolving changed the plan to %s", after)
	}
	return got, values, err
}

// A secret may stand for any single value that a container gets.
func TestSecretsWhereverAValueMayStand(t *testing.T) {
	const secret = "{from_secret: it}"
	tests := []struct {
		body, value string
		want        func(s *Step)
	}{
		{"image: " + secret, "registry.example.com/app:1", func(s *Step) { s.Image = "registry.example.com/app:1" }},
		{"backend_options: {docker: {user: " + secret + "}}", "1234:99", func(s *Step) { s.User = "1234:99" }},
		{"volumes: ['/a:/b', " + secret + "]", "/srv/x:/y:ro", func(s *Step) {
			s.Volumes = []Mount{{Kind: MountHost, Source: "/a", Target: "/b"}, {Kind: MountHost, Source: "/srv/x", Target: "/y", ReadOnly: true}}
		}},
		{"tmpfs: [/a, " + secret + "]", "/hidden:size=1m", func(s *Step) { s.Tmpfs = map[string]string{"/a": "", "/hidden": "size=1m"} }},
		{"tmpfs: " + secret, "/hidden", func(s *Step) { s.Tmpfs = map[string]string{"/hidden": ""} }},
		{"devices: " + secret, "/dev/kvm", func(s *Step) { s.Devices = []Device{{Host: "/dev/kvm", Container: "/dev/kvm", Permissions: "rwm"}} }},
		{"dns: [192.0.2.1, " + secret + "]", "192.0.2.7", func(s *Step) { s.DNS = []string{"192.0.2.1", "192.0.2.7"} }},
		{"dns_search: " + secret, "corp.internal", func(s *Step) { s.DNSSearch = []string{"corp.internal"} }},
		{"extra_hosts: [" + secret + "]", "vault=10.0.0.9", func(s *Step) { s.ExtraHosts = []string{"vault:10.0.0.9"} }},
		{"network_mode: " + secret, "hidden-net", func(s *Step) { s.NetworkMode = "hidden-net" }},
		{"commands: [make, " + secret + "]", "deploy --key abc\nexit", func(s *Step) {
			s.Kind, s.Commands = KindCommands, []string{"make", `eval "$SLIPWAY_COMMAND_2"`}
			s.Environment["SLIPWAY_COMMAND_2"] = "deploy --key abc\nexit"
		}},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			text := oneStep(tt.body)
			if strings.HasPrefix(tt.body, "image:") {
				text = "steps:\n  - name: a\n    " + tt.body + "\n"
			}
			want := mustCompile(t, oneStep(""), trustedFacts()).Steps[0]
			tt.want(&want)
			got, values, err := resolved(t, text, map[string]string{"it": tt.value})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("step (-want +got):\n%s", diff)
			}
			if len(values) != 1 || values[0] != tt.value {
				t.Errorf("what is to be masked is %q", values)
			}
			if err := compileSchema(t).Validate(instance(t, text)); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
			step := mustCompile(t, strings.ReplaceAll(text, "from_secret: it", "from_secret: token"), trustedFacts()).Steps[0]
			if diff := cmp.Diff([]string{"token"}, step.SecretNames()); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsInAHealthcheck(t *testing.T) {
	for _, body := range []string{"healthcheck: {from_secret: it}", "healthcheck: {command: {from_secret: it}, interval: 2s}"} {
		text := "services:\n  - {name: db, image: x, " + body + "}\n" + oneStep("")
		got, _, err := resolved(t, text, map[string]string{"it": "hunter2"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/bin/sh", "-c", `eval "$SLIPWAY_HEALTHCHECK"`}, got.Healthcheck.Command); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
		if got.Environment["SLIPWAY_HEALTHCHECK"] != "hunter2" {
			t.Errorf("%s: environment %v", body, got.Environment)
		}
		if err := compileSchema(t).Validate(instance(t, text)); err != nil {
			t.Errorf("%s: the schema refuses it: %v", body, err)
		}
	}
}

// What a secret turns out to be is checked as if it stood in the file, and not
// told.
func TestSecretsThatCannotStandThere(t *testing.T) {
	for body, want := range map[string]string{
		"image: %s":                             "resolve image: the secret `it` is not the name of an image",
		"dns: %s":                               "resolve dns: the secret `it` is not an IP address",
		"dns_search: %s":                        "resolve dns_search: the secret `it` is not a domain",
		"extra_hosts: %s":                       "resolve extra_hosts: the secret `it` is not a host and its address",
		"network_mode: %s":                      "resolve network_mode: the secret `it` is not the name of a network",
		"volumes: %s":                           "resolve volumes: the secret `it` is not a volume",
		"tmpfs: %s":                             "resolve tmpfs: the secret `it` is not an absolute path",
		"devices: %s":                           "resolve devices: the secret `it` is not a device",
		"backend_options: {docker: {user: %s}}": "resolve user: the secret `it` is not a user",
	} {
		text := "steps:\n  - {name: a, image: x, " + fmt.Sprintf(body, "{from_secret: it}") + "}\n"
		if strings.HasPrefix(body, "image:") {
			text = strings.Replace(text, "image: x, ", "", 1)
		}
		_, values, err := resolved(t, text, map[string]string{"it": "NOT fit?"})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
		if diff := cmp.Diff([]string{"NOT fit?"}, values); diff != "" {
			t.Errorf("%s: to be masked (-want +got):\n%s", body, diff)
		}
	}
	text := oneStep("volumes: {from_secret: it}")
	if _, _, err := resolved(t, text, map[string]string{"it": "secret-cache:/x"}); err == nil || !strings.Contains(err.Error(), "names are no secrets") {
		t.Errorf("a named volume: %v", err)
	}
}

// A place that the step does not have is an error and no panic.
func TestPlacesOfAnotherPlan(t *testing.T) {
	s := mustCompile(t, oneStep(""), trustedFacts()).Steps[0]
	value := func(string) (string, bool) { return "192.0.2.1", true }
	for _, p := range []Place{{Key: placeDNS, Index: 1}, {Key: placeDNS, Index: -1}, {Key: "entrypoint"}, {Key: "name"}} {
		other := s
		other.Places = []Place{p}
		if _, _, err := other.Resolve(value); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}

// What is secret needs the trust that it may turn out to need.
func TestSecretsNeedTrust(t *testing.T) {
	f := pushFacts()
	f.AnySecret = true
	for _, key := range []string{"volumes", "tmpfs", "devices", "dns", "dns_search", "extra_hosts", "network_mode"} {
		_, err := Compile(single(oneStep(key+": {from_secret: it}")), f)
		if got := lines(err); len(got) != 1 || !strings.Contains(got[0], "`"+key+"` needs the trust") {
			t.Errorf("%s: %v", key, got)
		}
	}
	f.PrivilegedImages, f.Repo.Trust.Security = []string{"plugins/docker"}, true
	text := "steps:\n  - {name: a, image: {from_secret: it}}\n"
	if mustCompile(t, text, f).Steps[0].Privileged {
		t.Error("an image that nobody knows runs privileged")
	}
}

// A secret that is missing concerns only what runs: a fork's pull request has
// none, and does not publish.
func TestMissingSecretsOfWhatDoesNotRun(t *testing.T) {
	files := map[string]string{
		".slipway.yml": `
steps:
  - {name: test, image: x, commands: a}
  - {name: publish, image: x, settings: {token: {from_secret: none}, more: [{a: {from_secret: nor_this}}]}, when: {event: tag}}
`,
		".slipway/deploy.yml": "when: {event: tag}\nsteps:\n  - {name: publish, image: {from_secret: none}, environment: {A: {from_secret: nor_this}}}\n",
		".woodpecker.yml":     "steps:\n  - {name: test, image: x, commands: a}\n  - {name: publish, image: x, secrets: [none, nor_this], when: {event: tag}}\n",
		".drone.yml": "kind: pipeline\ntype: docker\nname: x\nsteps:\n- {name: test, image: x, commands: [a]}\n" +
			"- {name: publish, image: x, settings: {a: {from_secret: none}, b: {from_secret: nor_this}}, when: {event: tag}}\n",
	}
	for path, text := range files {
		t.Run(path, func(t *testing.T) {
			file := []File{{Path: path, Data: []byte(text)}}
			plan, err := Compile(file, pullRequestFacts())
			if err != nil || len(plan.Warnings) > 0 {
				t.Errorf("a pull request: %v, %v", lines(err), plan)
			}
			_, err = Compile(file, tagFacts())
			got := lines(err)
			if len(got) != 2 || !strings.Contains(got[0], "there is no secret `none` for this event") || !strings.Contains(got[1], "`nor_this`") {
				t.Errorf("a tag: %v", got)
			}
		})
	}
}
