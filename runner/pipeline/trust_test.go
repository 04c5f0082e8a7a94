package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrust(t *testing.T) {
	tests := []struct{ body, want, kind string }{
		{"privileged: true", "4:17: `privileged`", "security"},
		{"devices: [/dev/kvm]", "4:14: `devices`", "security"},
		{"volumes: ['/a:/b']", "4:14: `volumes`", "volumes"},
		{"tmpfs: [/tmp]", "4:12: `tmpfs`", "volumes"},
		{"dns: 1.1.1.1", "4:10: `dns`", "network"},
		{"dns_search: a.b", "4:17: `dns_search`", "network"},
		{"extra_hosts: ['a:1.1.1.1']", "4:18: `extra_hosts`", "network"},
		{"network_mode: host", "4:19: `network_mode`", "network"},
	}
	given := map[string]Trust{"security": {Security: true}, "volumes": {Volumes: true}, "network": {Network: true}}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			for kind, trust := range given {
				f := pushFacts()
				f.Repo.Trust = trust
				want := []string{".slipway.yml:" + tt.want + " needs the trust `" + tt.kind + "`, which the repository does not have; " +
					"who has the admin token of this slipway gives it with `PATCH /api/repos/octo/app` and {\"trust\": {\"" + tt.kind + "\": true}}; or do without"}
				if kind == tt.kind {
					want = nil
				}
				_, err := Compile(single(oneStep(tt.body)), f)
				if diff := cmp.Diff(want, lines(err)); diff != "" {
					t.Errorf("with %s (-want +got):\n%s", kind, diff)
				}
				_, err = Compile(single("services:\n- name: s\n  image: x\n  "+tt.body+"\n"+oneStep("")), f)
				if got := lines(err); len(got) != len(want) {
					t.Errorf("on a service with %s: %v", kind, got)
				}
			}
		})
	}
}

// What asks for nothing needs no trust, nor does what does not run.
func TestNoTrustNeeded(t *testing.T) {
	for _, body := range []string{
		"privileged: false", "volumes: []", "network_mode: none", "network_mode: ''", "dns: []", "tmpfs: []",
		"privileged: true\nvolumes: ['/a:/b']\nnetwork_mode: host\nwhen: {event: tag}",
	} {
		if _, err := Compile(single(oneStep(body)), pushFacts()); err != nil {
			t.Errorf("%s: %v", body, lines(err))
		}
	}
}

func TestPrivilegedImages(t *testing.T) {
	list := []string{"plugins/docker", "quay.io/x/build:2", "not an image!"}
	tests := []struct {
		image, body string
		privileged  bool
	}{
		{"plugins/docker", "settings: {a: b}", true},
		{"plugins/docker:20", "", true},
		{"docker.io/plugins/docker@sha256:" + strings.Repeat("a", 64), "", true},
		{"quay.io/x/build:2", "", true},
		{"quay.io/x/build:3", "", false},
		{"quay.io/x/build", "", false},
		{"evil.io/plugins/docker", "", false},
		{"plugins/docker-evil", "", false},
		{"plugins/docker", "commands: [id]", false},
		{"plugins/docker", "entrypoint: [id]", false},
	}
	for _, tt := range tests {
		t.Run(tt.image+" "+tt.body, func(t *testing.T) {
			text := strings.Replace(oneStep(tt.body), "alpine", tt.image, 1)
			f := trustedFacts()
			f.PrivilegedImages = list
			if got := mustCompile(t, text, f).Steps[0].Privileged; got != tt.privileged {
				t.Errorf("privileged is %v", got)
			}
			f.Repo.Trust.Security = false
			_, err := Compile(single(text), f)
			if got := lines(err); (len(got) == 1) != tt.privileged || tt.privileged && !strings.Contains(got[0], ":3:12: the image `") {
				t.Errorf("without trust: %v", got)
			}
		})
	}
}

func TestWoodpeckerClone(t *testing.T) {
	tests := []struct {
		clone string
		want  Clone
		fault string
	}{
		{"{git: {image: woodpeckerci/plugin-git}}", Clone{}, ""},
		{"{git: {image: 'quay.io/woodpeckerci/plugin-git:2.6', settings: {depth: 50, tags: true, lfs: false, partial: true, recursive: true}}}",
			Clone{Depth: 50, Tags: true, Submodules: true, Partial: true}, ""},
		{"[{name: git, image: 'docker.io/woodpeckerci/plugin-git@sha256:" + strings.Repeat("a", 64) + "', settings: {depth: 0, lfs: true}}]",
			Clone{Depth: CloneAll, LFS: true}, ""},
		{"{git: {settings: {depth: 3}}}", Clone{Depth: 3}, ""},
		{"{git: {image: octocat/custom}}", Clone{},
			"1:22: slipway cannot clone with `octocat/custom`: it fetches the source itself; use `woodpeckerci/plugin-git`, or `skip_clone: true` and a step of this image"},
		{"{git: {image: woodpeckerci/plugin-git, settings: {submodule_override: {a: b}}}}", Clone{},
			"1:58: `submodule_override` of the clone step is not supported; `depth`, `tags`, `lfs`, `partial` and `recursive` are"},
	}
	for _, tt := range tests {
		t.Run(tt.clone, func(t *testing.T) {
			plan, err := Compile([]File{{Path: ".woodpecker.yml", Data: []byte("clone: " + tt.clone + "\n" + oneStep(""))}}, pushFacts())
			if tt.fault != "" {
				if diff := cmp.Diff([]string{".woodpecker.yml:" + tt.fault}, lines(err)); diff != "" {
					t.Errorf("problems (-want +got):\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(lines(err))
			}
			if diff := cmp.Diff(tt.want, plan.Workflows[0].Clone); diff != "" {
				t.Errorf("clone (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSnippet(t *testing.T) {
	tests := []struct {
		p    Problem
		want string
	}{
		{Problem{Line: 4, Column: 5, Text: "    comands: x"}, "4 |     comands: x\n  |     ^\n"},
		{Problem{Line: 12, Column: 3, Text: "\té\tx"}, "12 | \té\tx\n   | \t ^\n"},
		{Problem{Line: 1, Column: 3, Text: "日本x"}, "1 | 日本x\n  |     ^\n"},
		{Problem{Line: 1, Column: 4, Text: "abc"}, "1 | abc\n  |    ^\n"},
		{Problem{Line: 1, Column: 500, Text: "abc"}, "1 | abc\n"},
		{Problem{Line: 1, Column: 1, Text: "\u009b2J\u202ex"}, "1 | \ufffd2J\ufffdx\n  | ^\n"},
		{Problem{Line: 0, Text: ""}, ""},
	}
	for _, tt := range tests {
		if got := tt.p.Snippet(); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}
